"""Finds the interpreter and packages that workers run on, and stages a copy where an unprivileged uid can read them.

Runs on the host with the sandbox environment's Python: `python -I -B runtime.py '<json>'`, JSON on stdout.
Only a root host needs a copy (workers drop to another uid), and only when the originals lie under a closed folder
such as /root.
"""

import compileall
import hashlib
import importlib.util
import json
import os
import shutil
import stat
import sys
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

_OLDEST_PYTHON = (3, 11)
_STAGE_VERSION = "1"
_INSIDE = "/runtime"
_IMPORTS = {"cv2": "opencv-python-headless", "numpy": "numpy", "PIL": "pillow"}
_LEAVE_OUT = {
    *("site-packages", "dist-packages", "test", "tests", "idlelib", "tkinter", "turtledemo", "ensurepip", "lib2to3"),
    *("pip", "setuptools", "pkg_resources", "_distutils_hack"),
}


class Unusable(Exception):
    """The environment cannot serve as it is; the message says why."""


@dataclass(frozen=True)
class Runtime:
    python: str
    libraries: tuple[str, ...]
    """libpython, when the interpreter links it dynamically."""
    standard: str
    """Folder of the standard library."""
    packages: tuple[str, ...]
    program: str
    """Folder that holds `varft_sandbox`."""

    def trees(self) -> list[tuple[str, str]]:
        """Each file or folder of it, and where that lies below one root: in a staged copy, and below /runtime in a
        jail."""
        base = os.path.basename
        library_folder = base(os.path.dirname(self.standard))  # lib, or lib64: the interpreter looks for itself there
        return [
            (self.python, f"bin/{base(self.python)}"),
            *((path, f"lib/{base(path)}") for path in self.libraries),
            (self.standard, f"{library_folder}/{base(self.standard)}"),
            *((path, f"packages-{index}") for index, path in enumerate(self.packages)),
        ]

    def below(self, root: str, program: str) -> "Runtime":
        """The same runtime, laid out below `root`."""
        places = [os.path.join(root, relative) for _, relative in self.trees()]
        count = len(self.libraries)
        return Runtime(places[0], tuple(places[1 : 1 + count]), places[1 + count], tuple(places[2 + count :]), program)

    def described(self) -> dict[str, Any]:
        folders = sorted({os.path.dirname(path) for path in self.libraries})
        return {"python": self.python, "paths": [self.program, *self.packages], "libraryFolders": folders}


def find(program: str) -> Runtime:
    if sys.version_info < _OLDEST_PYTHON:
        raise Unusable(f"{sys.executable} is Python {sys.version.split()[0]}; at least 3.11 is needed")
    missing = [name for module, name in _IMPORTS.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise Unusable(f"{sys.executable} lacks {', '.join(missing)}")
    origins = [importlib.util.find_spec(module).origin or "" for module in _IMPORTS]
    packages = sorted({os.path.dirname(os.path.dirname(os.path.realpath(origin))) for origin in origins})
    python = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    return Runtime(python, _shared_libraries(), sysconfig.get_path("stdlib"), tuple(packages), program)


def _shared_libraries() -> tuple[str, ...]:
    if not sysconfig.get_config_var("Py_ENABLE_SHARED"):
        return ()
    folder = sysconfig.get_config_var("LIBDIR")
    names = (sysconfig.get_config_var("INSTSONAME"), sysconfig.get_config_var("LDLIBRARY"))
    paths = (os.path.join(folder, name) for name in names if name)
    return tuple(sorted({path for path in paths if os.path.exists(path)}))


def readable_by_others(runtime: Runtime) -> bool:
    """Whether any uid can read all of it where it lies."""
    trees = [runtime.program, *(source for source, _ in runtime.trees())]
    return all(_open_path(tree) for tree in trees) and all(
        status.st_mode & stat.S_IROTH for tree in trees for _, status in files(tree)
    )


def _open_path(path: str) -> bool:
    """Whether any uid can pass through the folders above `path`, as far as they exist."""
    while path != "/":
        path = os.path.dirname(path)
        if os.path.exists(path) and not os.stat(path).st_mode & stat.S_IXOTH:
            return False
    return True


def _left_out(name: str) -> bool:
    return name in _LEAVE_OUT or (name.startswith("config-") and "-linux-" in name)


def files(tree: str) -> Iterator[tuple[str, os.stat_result]]:
    """Every file and folder of a tree that a copy would hold, in a fixed order; byte code aside."""
    yield tree, os.stat(tree)
    for folder, folders, files in os.walk(tree):
        folders[:] = sorted(name for name in folders if not _left_out(name) and name != "__pycache__")
        for name in (*folders, *sorted(files)):
            path = os.path.join(folder, name)
            if os.path.exists(path):
                yield path, os.stat(path)


def stage(runtime: Runtime, candidates: list[str]) -> Runtime:
    """A copy of `runtime` in the first candidate folder that is safe; the same copy serves every later start."""
    reasons: list[str] = []
    for candidate in candidates:
        try:
            make_safe(candidate)
            trees, own = runtime.trees(), [(runtime.program, "")]
            copied = staged(candidate, f"python-{digest_of(trees)}", trees)
            program = staged(candidate, f"program-{digest_of(own)}", own)
        except (OSError, Unusable, shutil.Error) as error:
            reasons.append(f"{candidate}: {error}")
        else:
            return runtime.below(copied, program)
    raise Unusable(
        "no folder to stage the interpreter in that other users can read but not write: " + "; ".join(reasons)
    )


def digest_of(trees: list[tuple[str, str]], before: str = "") -> str:
    """Names and sizes of all files of `trees`, and when they were changed, as 32 hexadecimal digits; `before`: a digest
    that this one continues."""
    digest = hashlib.sha256((_STAGE_VERSION + before).encode())
    for source, _ in trees:
        for path, status in files(source):
            what = "folder" if stat.S_ISDIR(status.st_mode) else f"{status.st_size} {status.st_mtime_ns}"
            digest.update(f"{path}\0{what}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:32]


def staged(
    candidate: str, name: str, trees: list[tuple[str, str]], finish: Callable[[str], None] = lambda copy: None
) -> str:
    """The folder `name` below `candidate` that holds copies of `trees` (source, relative target); made, and then
    finished by `finish`, when it is not there."""
    target = os.path.join(candidate, name)
    if not os.path.isdir(target):
        _remove_abandoned(candidate)
        _copy(trees, target, finish)
    return target


def _remove_abandoned(candidate: str) -> None:
    """Deletes partial copies whose maker was killed."""
    for name in os.listdir(candidate):
        _, _, rest = name.partition(".")
        pid, _, kind = rest.partition(".")
        if kind == "partial" and not os.path.exists(f"/proc/{pid}"):
            shutil.rmtree(os.path.join(candidate, name), ignore_errors=True)


def make_safe(folder: str) -> None:
    """Creates `folder`, or accepts one that only we can write and everyone can enter; so are all folders above it."""
    if not _open_path(os.path.join(folder, "x")):
        raise Unusable("lies under a folder that others cannot enter")
    previous = os.umask(0o022)
    try:
        os.makedirs(folder, 0o755, exist_ok=True)
    finally:
        os.umask(previous)
    status = os.lstat(folder)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise Unusable(
            f"is not a folder that only uid {os.geteuid()} can write (owner {status.st_uid}, mode {status.st_mode:o})"
        )
    parent = os.path.realpath(folder)
    while parent != "/":
        parent = os.path.dirname(parent)
        status = os.stat(parent)
        shared = status.st_mode & 0o022 and not status.st_mode & stat.S_ISVTX
        if status.st_uid not in (0, os.geteuid()) or shared:
            raise Unusable(f"{parent} can be written by others (owner {status.st_uid}, mode {status.st_mode:o})")


def _copy(trees: list[tuple[str, str]], target: str, finish: Callable[[str], None]) -> None:
    """Copies into a temporary folder beside `target` and renames, so that no start ever sees half a copy."""
    temporary = f"{target}.{os.getpid()}.partial"
    candidate = os.path.dirname(target)

    def place(source: str, copy: str) -> None:
        if os.path.commonpath((source, candidate)) == candidate:  # a copy of ours already, with its mode
            os.link(source, copy)
        else:
            shutil.copy2(source, copy)

    def left_out(_: str, names: list[str]) -> set[str]:
        return {name for name in names if _left_out(name)}

    previous = os.umask(0o022)
    try:
        for source, relative in trees:
            copy = os.path.join(temporary, relative).rstrip("/")
            os.makedirs(os.path.dirname(copy), exist_ok=True)
            if os.path.isdir(source):
                shutil.copytree(source, copy, ignore=left_out, copy_function=place)
            else:
                place(source, copy)
        for folder, _, files in os.walk(temporary):
            for path in (folder, *(os.path.join(folder, name) for name in files)):
                os.chmod(path, os.stat(path).st_mode & 0o755 | (0o555 if os.path.isdir(path) else 0o444))
        finish(temporary)
        os.rename(temporary, target)
    except OSError:
        if not os.path.isdir(target):  # else another start was faster: its copy is as good
            raise
    finally:
        os.umask(previous)
        shutil.rmtree(temporary, ignore_errors=True)


def prepare(request: dict[str, Any]) -> dict[str, Any]:
    """`{"program", "otherUid": bool, "candidates": [folders]}` to where all of it lies, on the host and in a jail."""
    # A worker writes no byte code, and would compile all of ours at each start. Where it cannot be written it does.
    compileall.compile_dir(os.path.join(request["program"], "varft_sandbox"), quiet=2)
    runtime = find(request["program"])
    if request["otherUid"] and not readable_by_others(runtime):
        runtime = stage(runtime, request["candidates"])
    return {
        "trees": [
            *({"source": source, "inside": f"{_INSIDE}/{relative}"} for source, relative in runtime.trees()),
            {"source": runtime.program, "inside": f"{_INSIDE}/sandbox"},
        ],
        "outside": runtime.described(),
        "inside": runtime.below(_INSIDE, f"{_INSIDE}/sandbox").described(),
    }


if __name__ == "__main__":
    try:
        print(json.dumps(prepare(json.loads(sys.argv[1]))))
    except (OSError, Unusable) as error:
        sys.exit(str(error))
