"""The folder in which one snippet works: its own tmpfs where we may mount, else a watched folder on the host's disk.

`python -m varft_sandbox.workspace '{"folder": PATH}'` removes what a killed worker left.
"""

import contextlib
import json
import os
import signal
import stat
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator

from . import kernel
from .zygote import Child

_MAX_FILES = 512
_TEMPORARY_MB = 16
_BLOCK = 512
_STOP_TRIES = 20
_STOP_SECONDS = 0.0002

processes: int | None = None
"""Descriptor of /proc, where folders are watched; `worker.py` sets it. The root folder may hold no /proc."""


class Workspace(ABC):
    """Some of it happens in the supervisor, some in the snippet's process before that is confined."""

    path: str
    needs_watching: bool
    """The room is not enforced by the kernel, so `overfull` must be asked regularly."""

    @abstractmethod
    def prepare(self, disk_bytes: int) -> None:
        """In the supervisor: makes ready for a snippet that may fill this much."""

    @abstractmethod
    def enter_ahead(self) -> None:
        """In the snippet's process, before it has an order."""

    @abstractmethod
    def enter(self, disk_bytes: int) -> None:
        """In the snippet's process: makes the folder, empty, its current one."""

    @abstractmethod
    def overfull(self, child: Child) -> str | None:
        """In the supervisor: why the running snippet must be stopped, or None. Where the kernel enforces the room,
        always None."""

    @abstractmethod
    def remove(self) -> None:
        """In the supervisor, after the snippet."""


class MountedWorkspace(Workspace):
    """A tmpfs in mount and IPC namespaces of the snippet's own; all of it vanishes with the snippet and the
    supervisor's descriptor of it."""

    path = "/work"
    needs_watching = False

    def prepare(self, disk_bytes: int) -> None:
        """Nothing to do: only the snippet's process can mount what only it shall see."""

    def enter_ahead(self) -> None:
        kernel.unshare(kernel.CLONE_NEWNS | kernel.CLONE_NEWIPC)
        self._mount("/tmp", _TEMPORARY_MB << 20)

    def enter(self, disk_bytes: int) -> None:
        self._mount(self.path, disk_bytes)
        os.chdir(self.path)

    def _mount(self, path: str, size: int) -> None:
        flags = kernel.MS_NOSUID | kernel.MS_NODEV
        kernel.mount("tmpfs", path, "tmpfs", flags, f"size={size},nr_inodes={_MAX_FILES},mode=0700")

    def overfull(self, child: Child) -> str | None:
        return None

    def remove(self) -> None:
        """Nothing to do."""


class WatchedFolder(Workspace):
    """A folder whose size the supervisor measures while the snippet runs. Below `parent`; or `parent` itself where
    that is a file system of its own, which then serves one snippet and can be neither renamed nor removed."""

    needs_watching = True

    def __init__(self, parent: str) -> None:
        self._own_filesystem = os.path.ismount(parent)
        self.path = parent if self._own_filesystem else os.path.join(parent, "work")
        self._disk_bytes = 0

    def prepare(self, disk_bytes: int) -> None:
        self._disk_bytes = disk_bytes
        if not self._own_filesystem:
            self.remove()  # what a killed predecessor left
            os.mkdir(self.path, 0o700)

    def enter_ahead(self) -> None:
        """Nothing to do."""

    def enter(self, disk_bytes: int) -> None:
        os.chdir(self.path)

    def overfull(self, child: Child) -> str | None:
        try:
            if self._own_filesystem:  # its counters include what has no name any more, and there is no /proc to ask
                files, size = _filled(self.path)
            else:
                with _held_still(child):
                    files, size = _usage(self.path, self._disk_bytes)
                size += _nameless_bytes(child.pid)
        except OSError as error:
            return f"a folder in the working folder cannot be watched ({error.strerror})"
        if files > _MAX_FILES:
            return f"more than {_MAX_FILES} files in the working folder"
        if size > self._disk_bytes:
            return f"more than {self._disk_bytes >> 20} MB in the working folder"
        if _maps_deleted_file(child.pid, self.path):
            return "a deleted file of the working folder is still mapped, and its size cannot be seen"
        return None

    def remove(self) -> None:
        if not self._own_filesystem and os.path.lexists(self.path):
            remove_tree(self.path)


@contextlib.contextmanager
def _held_still(child: Child) -> Iterator[None]:
    """Stops the child meanwhile: folders that are renamed while they are listed would never be counted."""
    child.signal(signal.SIGSTOP)
    try:
        for _ in range(_STOP_TRIES):
            # A thread that is still inside a call stops at its end: one call moves one name.
            time.sleep(_STOP_SECONDS)
            if not any(_runs(thread) for thread in _threads(child.pid)):
                break
        yield
    finally:
        child.signal(signal.SIGCONT)


def _runs(thread: str) -> bool:
    try:
        with open(os.open(f"{thread}/stat", os.O_RDONLY, dir_fd=processes), "rb") as file:
            return file.read().rpartition(b") ")[2][:1] in b"RSD"
    except OSError:
        return False  # it has just ended


def _filled(path: str) -> tuple[int, int]:
    """Files and bytes in use on the file system of `path`."""
    counters = os.statvfs(path)
    return counters.f_files - counters.f_ffree, (counters.f_blocks - counters.f_bfree) * counters.f_frsize


def _usage(root: str, enough: int) -> tuple[int, int]:
    """Files and bytes on disk below `root`; stops counting once either is over its limit. Raises for what cannot be
    listed."""
    files, size, pending = 0, 0, [root]
    while pending and files <= _MAX_FILES and size <= enough:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    files += 1
                    if files > _MAX_FILES:
                        break
                    status = entry.stat(follow_symlinks=False)
                    size += status.st_blocks * _BLOCK // max(1, status.st_nlink)
                    if stat.S_ISDIR(status.st_mode):
                        pending.append(entry.path)
        except (FileNotFoundError, NotADirectoryError):
            continue  # it vanished meanwhile
    return files, size


def _nameless_bytes(child: int) -> int:
    """Bytes of files that the child has deleted but still holds open."""
    sizes: dict[int, int] = {}
    for thread in _threads(child):
        try:
            folder = os.open(f"{thread}/fd", os.O_RDONLY | os.O_DIRECTORY, dir_fd=processes)
        except OSError:
            continue  # it has just ended
        try:
            for name in os.listdir(folder):
                status = os.stat(name, dir_fd=folder)
                if stat.S_ISREG(status.st_mode) and status.st_nlink == 0:
                    sizes[status.st_ino] = status.st_blocks * _BLOCK
        except OSError:
            pass  # so it has now
        finally:
            os.close(folder)
    return sum(sizes.values())


def _threads(child: int) -> list[str]:
    """Below /proc, the child's threads: the first of them may have left, and then has neither descriptors nor
    mappings to show."""
    try:
        folder = os.open(f"{child}/task", os.O_RDONLY | os.O_DIRECTORY, dir_fd=processes)
    except OSError:
        return []  # it has just ended
    try:
        return [f"{child}/task/{name}" for name in os.listdir(folder)]
    finally:
        os.close(folder)


def _maps_deleted_file(child: int, folder: str) -> bool:
    """Whether the child holds a deleted file of `folder` by a mapping, for which it needs no descriptor."""
    text = b""
    for thread in _threads(child):
        try:
            with open(os.open(f"{thread}/maps", os.O_RDONLY, dir_fd=processes), "rb") as file:
                text = file.read()
        except OSError:
            continue  # it has just ended
        if text:
            break  # the same for all
    own = f" {folder}/".encode()
    return b" (deleted)\n" in text and any(line.endswith(b" (deleted)") and own in line for line in text.split(b"\n"))


def remove_tree(root: str) -> None:
    """Deletes the folder `root` however deep it is and whatever it holds, following no link and never recursing.

    Walks by descriptor: a folder is emptied by moving its subfolders up into `root`, so no path grows long.
    """
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        pending: list[str] = []
        _empty(folder, folder, pending)
        while pending:
            name = pending.pop()
            inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            try:
                _empty(inner, folder, pending)
            finally:
                os.close(inner)
            os.rmdir(name, dir_fd=folder)
    finally:
        os.close(folder)
    os.rmdir(root)


def _empty(folder: int, root: int, pending: list[str]) -> None:
    """Deletes the files of `folder` and moves its subfolders into `root` under names of their own, noted in
    `pending`."""
    for index, name in enumerate(os.listdir(folder)):
        if not stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            os.unlink(name, dir_fd=folder)
            continue
        os.chmod(name, 0o700, dir_fd=folder)  # its mode may forbid even its owner
        moved = f"{folder}-{len(pending)}-{index}-{time.monotonic_ns()}"
        os.rename(name, moved, src_dir_fd=folder, dst_dir_fd=root)
        pending.append(moved)


if __name__ == "__main__":
    remove_tree(json.loads(sys.argv[1])["folder"])
