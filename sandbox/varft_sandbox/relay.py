"""Tier `bubblewrap-per-snippet`: starts one jail after another, for hosts where a jail cannot mount anything itself.

`python -m varft_sandbox.relay '<json>'` with `{"first", "next": [..], "environment": {..}}`: the command lines of the
first jail and of every later one. Each inherits the pipes, serves one snippet and ends. This process, outside the
jails, never reads a request or a response.
"""

import json
import os
import subprocess
import sys
from typing import Any

from . import kernel, supervisor


def main(configuration: dict[str, Any]) -> int:
    kernel.die_with_parent(os.getppid())
    kernel.adopt_orphans()
    command = configuration["first"]
    while True:
        code = _run(command, configuration["environment"])
        if code != 0:
            return 0 if code == supervisor.DISCONNECTED else 1
        command = configuration["next"]


def _run(command: list[str], environment: dict[str, str]) -> int:
    """Exit code of the command, after reaping whatever else ended meanwhile."""
    jail = subprocess.Popen(command, env=environment).pid
    while True:
        ended, status = os.wait()
        if ended == jail:
            return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
