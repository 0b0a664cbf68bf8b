"""Tier `namespaces`: builds the jail that bubblewrap would build, by our own calls, then runs a command in it.

`python -m varft_sandbox.jail '<json>'` with `{"uid", "binds": [{"source", "inside"}], "command": [..], "environment":
{..}}`; `uid` is the host uid to become when we are root, else null. The jail: a user namespace in which we are uid
1000 (on the host: an unprivileged uid), a root folder of read-only binds without /proc, /sys, /etc, /home, an empty
network, and one capability, CAP_SYS_ADMIN over that namespace only, with which each supervisor mounts its snippet's
folder. A snippet has none.
"""

import json
import os
import socket
import stat
import sys
from typing import Any

from . import kernel

JAIL_ID = 1000
_SCRATCH = "/tmp"  # any folder that exists: a tmpfs covers it until the root has been changed
_NAMESPACES = (
    kernel.CLONE_NEWUSER
    | kernel.CLONE_NEWNS
    | kernel.CLONE_NEWPID
    | kernel.CLONE_NEWIPC
    | kernel.CLONE_NEWUTS
    | kernel.CLONE_NEWNET
)


def main(configuration: dict[str, Any]) -> None:
    """Becomes `command` as pid 1 of the jail; the calling process stays outside, waits for it and ends as it ends."""
    host, uid = os.getppid(), configuration["uid"]
    if uid is not None:
        os.setgroups([])
    _unshare_mapped(os.getuid() if uid is None else uid, os.getgid() if uid is None else uid)
    os.setresgid(JAIL_ID, JAIL_ID, JAIL_ID)
    os.setresuid(JAIL_ID, JAIL_ID, JAIL_ID)
    kernel.die_with_parent(host)  # only now: a change of uid would undo it
    inside = os.fork()
    if inside == 0:
        try:
            kernel.die_with_parent(None)
            _build_root(configuration["binds"])
            socket.sethostname("sandbox")
            kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
            kernel.drop_capabilities(keep=1 << kernel.CAP_SYS_ADMIN, across_exec=True)
            command = configuration["command"]
            os.execve(command[0], command, configuration["environment"])
        finally:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
    _, status = os.waitpid(inside, 0)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def _unshare_mapped(host_uid: int, host_gid: int) -> None:
    """Enters the namespaces with uid and gid `JAIL_ID` mapped to the given ones, by a helper that stays outside to
    write the maps."""
    target = os.getpid()
    entered_read, entered_write = os.pipe()
    helper = os.fork()
    if helper == 0:
        code = 1
        try:
            os.close(entered_write)
            if os.read(entered_read, 1) == b"x":
                for name, text in (
                    ("setgroups", "deny"),
                    ("uid_map", f"{JAIL_ID} {host_uid} 1"),
                    ("gid_map", f"{JAIL_ID} {host_gid} 1"),
                ):
                    with open(f"/proc/{target}/{name}", "w") as file:
                        file.write(text)
                code = 0
        except OSError as error:
            print(f"cannot map uid {host_uid} into a user namespace: {error}", file=sys.stderr)
        finally:
            os._exit(code)
    os.close(entered_read)
    try:
        kernel.unshare(_NAMESPACES)
        os.write(entered_write, b"x")
    except OSError as error:
        raise SystemExit(f"cannot create a user namespace: {error}") from error
    finally:
        os.close(entered_write)
        _, status = os.waitpid(helper, 0)
    if status != 0:
        raise SystemExit(1)


def _build_root(binds: list[dict[str, str]]) -> None:
    """Replaces the root folder by an empty read-only one that holds `binds`, /work and /tmp."""
    kernel.mount("none", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("tmpfs", _SCRATCH, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=0755,size=4m")
    os.chdir(_SCRATCH)
    os.mkdir("new", 0o755)
    os.mkdir("old", 0o755)
    kernel.pivot_root(_SCRATCH, f"{_SCRATCH}/old")  # sources below the scratch folder come back into sight
    os.chdir("/")
    kernel.mount("tmpfs", "/new", "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=0755,size=4m")
    for bind in binds:
        _bind(f"/old{bind['source']}", f"/new{bind['inside']}")
    for folder in ("/new/work", "/new/tmp"):
        os.mkdir(folder, 0o700)
    kernel.mount(
        "none", "/new", "", kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY | kernel.MS_NOSUID | kernel.MS_NODEV
    )
    kernel.unmount("/old")
    os.chdir("/new")
    kernel.pivot_root(".", ".")
    kernel.unmount(".")
    os.chdir("/")


def _bind(source: str, target: str) -> None:
    """Shows `source` at `target`, read-only; nothing when there is none. A link is copied as a link."""
    try:
        status = os.lstat(source)
    except FileNotFoundError:
        return
    os.makedirs(os.path.dirname(target), 0o755, exist_ok=True)
    if stat.S_ISLNK(status.st_mode):
        os.symlink(os.readlink(source), target)
        return
    if stat.S_ISDIR(status.st_mode):
        os.mkdir(target, 0o755)
    else:
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    kernel.mount(source, target, "", kernel.MS_BIND | kernel.MS_REC)
    kernel.make_read_only(target, device=stat.S_ISCHR(status.st_mode))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
