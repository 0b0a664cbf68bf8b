"""Builds a root folder for workers that have no mount namespace: the interpreter, its packages, the libraries they
link, five devices, and /work. A process whose root it is cannot even ask whether a path of the host exists.

`python -m varft_sandbox.root_folder '<json>'`, as root, with `{"trees": [{"source", "inside"}], "python": path inside,
"environment": {..}, "uid", "candidates": [folders]}`; prints `{"root": path}`, or `{"reason": text}` where it cannot be
had. Built once and shared by all workers, who cannot write to it.
"""

import contextlib
import ctypes
import json
import os
import re
import shutil
import stat
import struct
import subprocess
import sys
import time
from typing import Any

from . import runtime
from .enter_root import enter

_WORK = "work"
"""Holds a folder for each worker, which the others cannot find: nobody may list it."""
_DEVICES = ("null", "zero", "full", "random", "urandom")
_UNUSED_SECONDS = 86_400
# Pillow lays out text by the first; threads end by the second.
_OPENED_BY_NAME = ("libfribidi.so.0", "libgcc_s.so.1")
_LOCALES = ("/usr/lib/locale/C.utf8", "/usr/lib/locale/C.UTF-8")
"""What `LANG` names (`src/sandbox/runtime.ts`), where the C library has not built it in."""
_TRIED = "import cv2, numpy, PIL.Image, ctypes"
_FAILURES = (OSError, subprocess.SubprocessError, shutil.Error, runtime.Unusable)


class DoesNotRun(runtime.Unusable):
    """The interpreter lacks something inside, wherever the root folder lies."""


_Trees = list[tuple[str, str]]
"""Path on the host, and where it lies below the root folder."""


def prepare(request: dict[str, Any]) -> str:
    """Path of the root folder. Raises one of `_FAILURES`."""
    _change_root_once()
    trees = [(tree["source"], tree["inside"].lstrip("/")) for tree in request["trees"]]
    reasons: list[str] = []
    for candidate in request["candidates"]:
        try:
            runtime.make_safe(candidate)
            _remove_unused(candidate)
            digest = runtime.digest_of(trees)
            libraries = _libraries(os.path.join(candidate, f"libraries-{digest}.json"), trees, request)
            digest = runtime.digest_of(libraries, digest)
            root = runtime.staged(candidate, f"root-{digest}", [*trees, *libraries], lambda new: _finish(new, request))
            os.utime(root)
        except DoesNotRun:
            raise
        except _FAILURES as error:
            reasons.append(f"{candidate}: {error}")
        else:
            return root
    raise runtime.Unusable("no root folder can be built: " + "; ".join(reasons))


def _change_root_once() -> None:
    """Raises `Unusable` where the root folder cannot be changed."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        number = 0
        try:
            os.chroot("/")
        except OSError as error:
            number = error.errno or 1
        finally:
            os.write(write_end, bytes([number]))
            os._exit(0)
    number = os.read(read_end, 1)[0]
    os.waitpid(pid, 0)
    if number:
        raise runtime.Unusable(f"the root folder cannot be changed: {os.strerror(number)}")


def _libraries(listed: str, trees: _Trees, request: dict[str, Any]) -> _Trees:
    """The dynamic loader and every system library that a file of `trees` links; kept in the file `listed`, because
    finding them takes a third of a second."""
    if os.path.exists(listed):
        with open(listed) as file:
            known = [(source, inside) for source, inside in json.load(file)]
        if all(os.path.exists(source) for source, _ in known):
            os.utime(listed)
            return known
    python = next(source for source, inside in trees if f"/{inside}" == request["python"])
    loader = _loader_of(python)
    found = {loader: loader.lstrip("/")}
    objects = [path for source, _ in trees for path, _ in runtime.files(source) if re.search(r"\.so(\.|$)", path)]
    environment = {"LD_LIBRARY_PATH": ":".join(request["libraryFolders"])}
    for path in (python, *objects):
        done = subprocess.run([loader, "--list", path], env=environment, capture_output=True, text=True, check=False)
        for name, library in re.findall(r"^\s*(\S+) => (/.*) \(0x", done.stdout, re.MULTILINE):
            own = any(f"{library}/".startswith(f"{tree}/") for tree, _ in trees)
            if not own and library not in found:
                found[library] = f"lib/{os.path.basename(name)}"
    found |= {path: f"lib/{name}" for name in _OPENED_BY_NAME for path in _opened(name)}
    found |= {path: path.lstrip("/") for path in _LOCALES if os.path.exists(path)}
    temporary = f"{listed}.{os.getpid()}"
    with open(temporary, "w") as file:
        json.dump(list(found.items()), file)
    os.rename(temporary, listed)
    return list(found.items())


def _opened(name: str) -> list[str]:
    """Where the loader finds a library by its name; nowhere when the host lacks it."""
    try:
        ctypes.CDLL(name)
    except OSError:
        return []
    with open("/proc/self/maps") as file:
        return list({path for path in re.findall(r"/.*", file.read()) if os.path.basename(path).startswith(name)})


def _loader_of(program: str) -> str:
    """The dynamic loader that an ELF program names (PT_INTERP)."""
    with open(program, "rb") as file:
        head = file.read(64)
        table, size, count = *struct.unpack_from("<Q", head, 32), *struct.unpack_from("<HH", head, 54)
        for index in range(count):
            file.seek(table + index * size)
            kind, _, offset, _, _, length = struct.unpack("<IIQQQQ", file.read(40))
            if kind == 3:
                file.seek(offset)
                return file.read(length).rstrip(b"\0").decode()
    raise runtime.Unusable(f"{program} names no dynamic loader")


def _finish(root: str, request: dict[str, Any]) -> None:
    for folder, mode in ((_WORK, 0o711), ("dev", 0o755)):
        os.mkdir(os.path.join(root, folder))
        os.chmod(os.path.join(root, folder), mode)
    for name in _DEVICES:
        _make_device(f"/dev/{name}", os.path.join(root, "dev", name))
    command = [request["python"], "-s", "-S", "-P", "-B", "-c", _TRIED]

    def inside() -> None:
        enter(root, request["uid"])

    done = subprocess.run(command, env=request["environment"], preexec_fn=inside, capture_output=True, text=True)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise DoesNotRun(f"the interpreter does not run inside: {last}")


def _make_device(source: str, target: str) -> None:
    """A device node like `source`. Where none can be made or opened: nothing, but for /dev/null an empty file, which
    reads alike."""
    try:
        os.mknod(target, stat.S_IFCHR | 0o666, os.stat(source).st_rdev)
        os.chmod(target, 0o666)
        os.close(os.open(target, os.O_RDONLY))
    except OSError:
        if os.path.lexists(target):
            os.unlink(target)
        if source == "/dev/null":
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o444))


def _remove_unused(candidate: str) -> None:
    """Deletes what was made for other versions and not used for a day: lists, and root folders that no worker lies
    in."""
    for name in os.listdir(candidate):
        path = os.path.join(candidate, name)
        kind = re.fullmatch(r"(root|libraries)-[0-9a-f]+(?:\.json)?", name)
        with contextlib.suppress(FileNotFoundError):  # another start deletes it too
            if kind is None or time.time() - os.stat(path).st_mtime < _UNUSED_SECONDS:
                continue
            if kind[1] == "libraries":
                os.unlink(path)
            elif not os.listdir(os.path.join(path, _WORK)):
                abandoned = f"{path}.{os.getpid()}.partial"
                os.rename(path, abandoned)
                shutil.rmtree(abandoned, ignore_errors=True)


if __name__ == "__main__":
    try:
        answer = {"root": prepare(json.loads(sys.argv[1]))}
    except _FAILURES as error:
        answer = {"reason": str(error)}
    print(json.dumps(answer))
