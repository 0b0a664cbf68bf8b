"""Entry point of a sandbox worker: `python -s -S -P -B -m varft_sandbox.worker '<json>'`.

Requests come on stdin, responses go to stdout. The JSON is `{"confinement", "readable": [paths], "folder": path,
"announce": bool, "machine": {..}, "processes": descriptor}`; `announce`: say when warm; `machine`: as in `machine.py`;
`processes`: of /proc, where that is out of sight (`enter_root.py`), else null; `confinement` says who confines a
snippet beyond its limits:

    mounts    a jail that is built already, in which each snippet's process mounts its folder (`folder` is null)
    jail      a jail that is built already and serves one snippet, in `folder`; the worker then ends
    landlock  this process, by Landlock rules: `readable` and `folder` are all that it may reach
    none      nobody here: whoever started the worker has confined it, or has accepted that nobody does
"""

import json
import os
import sys
from typing import Any

from . import kernel, landlock, machine, supervisor, workspace


def main(configuration: dict[str, Any]) -> int:
    confinement, readable, folder = (configuration[key] for key in ("confinement", "readable", "folder"))
    machine.pretend(configuration["machine"])
    workspace.processes = configuration["processes"] or _open_processes()
    requests, responses = _take_pipes()
    os.umask(0o077)
    if confinement in ("mounts", "jail"):
        # In a pid namespace whose first process we are: the parent is out of sight.
        kernel.die_with_parent(None)
        kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
        # For the mounts and pid namespaces of what is forked.
        kernel.drop_capabilities(keep=1 << kernel.CAP_SYS_ADMIN if confinement == "mounts" else 0)
    elif confinement == "landlock":
        _enter_landlock(readable, folder)
    else:
        kernel.die_with_parent(os.getppid())
    return supervisor.serve(
        confinement,
        requests=requests,
        responses=responses,
        readable=readable,
        folder=folder,
        announce=configuration["announce"],
    )


def _take_pipes() -> tuple[int, int]:
    """Moves the pipes away from 0 and 1, so that a stray print or input() of a library cannot reach them."""
    requests, responses = os.dup(0), os.dup(1)
    null = os.open("/dev/null", os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    os.close(null)
    return requests, responses


def _open_processes() -> int | None:
    try:
        return os.open("/proc", os.O_PATH | os.O_DIRECTORY)
    except OSError:
        return None  # a jail without it


def _enter_landlock(readable: list[str], folder: str) -> None:
    version = landlock.abi()
    if version == 0:
        raise SystemExit(
            "this kernel has no Landlock (it needs Linux >= 5.13 with landlock in the list of security modules)"
        )
    kernel.die_with_parent(os.getppid())
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    kernel.drop_capabilities()
    # The supervisor looks at /proc for files that a snippet deleted but still fills; the snippet's own rules
    # leave /proc out, and its descriptors too.
    landlock.restrict(
        version, [*readable, "/dev/null"], [folder], (workspace.processes,) if workspace.processes else ()
    )


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
