"""What a snippet is told about the machine, as constants: outside a UTS namespace `uname` names the host."""

import os
from collections.abc import Callable

HOST_NAME = "sandbox"
"""As in `jail.py` and for bubblewrap."""


def pretend(described: dict[str, str]) -> None:
    """Makes `os.uname`, and so `platform`, and `socket.gethostname` answer from `described` (`sysname`, `release`,
    `version`, `machine`) without asking the kernel, which refuses (`seccomp.py`).

    To be called before anything asks: an answer would stay in this process's memory, where its forks can look for it.
    """
    import _socket
    import posix
    import socket

    answer = os.uname_result(
        (described["sysname"], HOST_NAME, described["release"], described["version"], described["machine"])
    )
    uname: Callable[[], os.uname_result] = lambda: answer  # noqa: E731
    posix.uname = os.uname = uname
    _socket.gethostname = socket.gethostname = lambda: HOST_NAME
