"""Entry point of a sandbox worker: `python -s -S -P -B -m varft_sandbox.worker '<json>'`, requests on stdin, responses on stdout.

The JSON: `{"tier", "readable": [paths], "folder": path | null, "uid": number | null}`. Builds or completes the tier's jail around this process, then serves.
"""

import json
import os
import sys
from typing import Any

from . import jail, kernel, landlock, zygote


def main(configuration: dict[str, Any]) -> int:
    tier, readable = configuration["tier"], configuration["readable"]
    requests, responses = _take_pipes()
    os.umask(0o077)
    if tier == "landlock":
        _enter_landlock(readable, configuration["folder"])
    elif tier == "namespaces":
        jail.enter(readable, configuration["uid"])
    elif tier == "bubblewrap":
        jail.complete()
    else:
        raise SystemExit(f"unknown tier {tier!r}")
    return zygote.serve(requests=requests, responses=responses, readable=readable, folder=configuration["folder"])


def _take_pipes() -> tuple[int, int]:
    """Moves the pipes away from 0 and 1, so that a stray print or input() of a library cannot reach them."""
    requests, responses = os.dup(0), os.dup(1)
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(2, 1)
    os.close(null)
    return requests, responses


def _enter_landlock(readable: list[str], folder: str) -> None:
    version = landlock.abi()
    if version == 0:
        raise SystemExit(
            "this kernel has no Landlock (it needs Linux >= 5.13 with landlock in the list of security modules)"
        )
    kernel.die_with_parent(os.getppid())
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    kernel.drop_capabilities()
    # The supervisor looks at /proc for files that a snippet deleted but still fills; the snippet's own rules leave /proc out.
    landlock.restrict(version, [*readable, "/proc", "/dev/null"], [folder])


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
