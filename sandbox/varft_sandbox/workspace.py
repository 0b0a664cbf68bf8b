"""The folder in which one snippet works: its own tmpfs where we may mount, else a watched folder on the host's disk.

`python -m varft_sandbox.workspace '{"folder": PATH}'` removes what a killed worker left.
"""

import json
import os
import stat
import sys
import time
from abc import ABC, abstractmethod

from . import kernel

_MAX_FILES = 512
_TEMPORARY_MB = 16
_BLOCK = 512

processes: int | None = None
"""Descriptor of /proc, where folders are watched; `worker.py` sets it. The root folder may hold no /proc."""


class Workspace(ABC):
    path: str
    needs_watching: bool
    """The room is not enforced by the kernel, so `overfull` must be asked regularly."""

    @abstractmethod
    def prepare(self, disk_bytes: int) -> None:
        """Makes the folder exist, empty, with this much room."""

    @abstractmethod
    def before_fork(self) -> int | None:
        """Prepares the next process; returns the parent it will see, None when it will be pid 1 of its own pid
        namespace."""

    @abstractmethod
    def overfull(self, child: int) -> str | None:
        """Why the running snippet must be stopped, or None. Where the kernel enforces the room, always None."""

    @abstractmethod
    def remove(self) -> None: ...


class MountedWorkspace(Workspace):
    """A tmpfs in mount, pid and IPC namespaces of its own; all of it vanishes with the last process inside."""

    path = "/work"
    needs_watching = False

    def __init__(self) -> None:
        kernel.unshare(kernel.CLONE_NEWNS | kernel.CLONE_NEWIPC)
        flags = kernel.MS_NOSUID | kernel.MS_NODEV
        kernel.mount("tmpfs", "/tmp", "tmpfs", flags, f"size={_TEMPORARY_MB}m,nr_inodes={_MAX_FILES},mode=0700")

    def prepare(self, disk_bytes: int) -> None:
        flags = kernel.MS_NOSUID | kernel.MS_NODEV
        kernel.mount("tmpfs", self.path, "tmpfs", flags, f"size={disk_bytes},nr_inodes={_MAX_FILES},mode=0700")

    def before_fork(self) -> int | None:
        # A pid namespace ends with its first process, and none can be made while in the last one: step back,
        # then make one.
        kernel.return_to_own_pid_namespace()
        kernel.unshare(kernel.CLONE_NEWPID)
        return None

    def overfull(self, child: int) -> str | None:
        return None

    def remove(self) -> None:
        """Nothing to do: the mounts end with this process."""


class WatchedFolder(Workspace):
    """A folder whose size the supervisor measures while the snippet runs (Landlock tier)."""

    needs_watching = True

    def __init__(self, parent: str) -> None:
        self.path = os.path.join(parent, "work")
        self._own_filesystem = os.path.ismount(parent)
        self._disk_bytes = 0

    def prepare(self, disk_bytes: int) -> None:
        self._disk_bytes = disk_bytes
        self.remove()  # what a killed predecessor left
        os.mkdir(self.path, 0o700)

    def before_fork(self) -> int | None:
        return os.getpid()

    def overfull(self, child: int) -> str | None:
        try:
            if self._own_filesystem:  # its counters include what has no name any more, and there is no /proc to ask
                files, size = _filled(self.path)
            else:
                files, size = _usage(self.path, self._disk_bytes)
                size += _nameless_bytes(child)
        except OSError as error:
            return f"a folder in the working folder cannot be watched ({error.strerror})"
        if files > _MAX_FILES:
            return f"more than {_MAX_FILES} files in the working folder"
        if size > self._disk_bytes:
            return f"more than {self._disk_bytes >> 20} MB in the working folder"
        if _maps_deleted_file(child, self.path):
            return "a deleted file of the working folder is still mapped, and its size cannot be seen"
        return None

    def remove(self) -> None:
        if os.path.lexists(self.path):
            remove_tree(self.path)


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
    total = 0
    try:
        folder = os.open(f"{child}/fd", os.O_RDONLY | os.O_DIRECTORY, dir_fd=processes)
    except OSError:
        return 0  # it has just ended
    try:
        for name in os.listdir(folder):
            status = os.stat(name, dir_fd=folder)
            if stat.S_ISREG(status.st_mode) and status.st_nlink == 0:
                total += status.st_blocks * _BLOCK
    except OSError:
        pass  # so it has now
    finally:
        os.close(folder)
    return total


def _maps_deleted_file(child: int, folder: str) -> bool:
    """Whether the child holds a deleted file of `folder` by a mapping, for which it needs no descriptor."""
    try:
        with open(os.open(f"{child}/maps", os.O_RDONLY, dir_fd=processes), "rb") as file:
            text = file.read()
    except OSError:
        return False  # it has just ended
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
