"""The engine worker: the only package that imports torch. See `README.md` beside this folder."""
