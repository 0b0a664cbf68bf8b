"""Runs a command inside a root folder that `root_folder.py` built: so a root host without namespaces hides its paths.

`python -m varft_sandbox.enter_root '<json>'` with `{"root", "uid", "processes": number, "command": [..], "environment":
{..}}`. Of the host the command keeps the standard streams and, under the number `processes`, a handle of /proc: whoever
watches a snippet needs it, and the snippet does not get it.
"""

import json
import os
import sys
from typing import Any

from . import kernel


def main(configuration: dict[str, Any]) -> None:
    processes = configuration["processes"]
    os.dup2(os.open("/proc", os.O_PATH | os.O_DIRECTORY), processes)
    os.set_inheritable(processes, True)
    os.closerange(3, processes)
    os.closerange(processes + 1, 1 << 20)
    enter(configuration["root"], configuration["uid"])
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    command = configuration["command"]
    os.execve(command[0], command, configuration["environment"])


def enter(root: str, uid: int) -> None:
    """Changes the root folder, then becomes `uid`, which may not change it again."""
    os.chroot(root)
    os.chdir("/")
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
