"""Runs a command where user namespaces are forbidden: `without_namespaces.py [--fixed-root] COMMAND...`, as root or
as a user; `--fixed-root`: without CAP_SYS_CHROOT besides.

Enters one user namespace (mapping all uids for root, our own for a user) whose limit of further ones is 0. Exit code 77
when this machine offers no user namespace to begin with.
"""

import ctypes
import os
import sys

CLONE_NEWUSER = 0x10000000
PR_CAPBSET_DROP = 24
CAP_SYS_CHROOT = 18
SKIP = 77


def main(command: list[str]) -> int:
    fixed_root = command[0] == "--fixed-root"
    command = command[fixed_root:]
    uid = os.getuid()
    text = "0 0 65536" if uid == 0 else f"0 {uid} 1"
    entered_read, entered_write = os.pipe()
    mapped_read, mapped_write = os.pipe()
    child = os.fork()
    if child == 0:
        if ctypes.CDLL(None).unshare(CLONE_NEWUSER) != 0:
            os._exit(SKIP)
        os.write(entered_write, b"x")
        os.read(mapped_read, 1)
        with open("/proc/sys/user/max_user_namespaces", "w") as file:
            file.write("0")
        if fixed_root and ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_SYS_CHROOT, 0, 0, 0) != 0:
            os._exit(1)
        os.execvp(command[0], command)
    os.close(entered_write)
    if os.read(entered_read, 1) == b"x":
        if uid != 0:
            write(f"/proc/{child}/setgroups", "deny")
        write(f"/proc/{child}/uid_map", text)
        write(f"/proc/{child}/gid_map", text if uid == 0 else f"0 {os.getgid()} 1")
        os.write(mapped_write, b"x")
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
