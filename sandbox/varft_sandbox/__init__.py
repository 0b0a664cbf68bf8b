"""What runs inside the jail, and what builds it. See `../README.md`."""
