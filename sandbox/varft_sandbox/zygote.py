"""The warm interpreter: imports what snippets import, then forks one supervisor after another. It never touches
request data."""

import gc
import importlib
import os
import sys
from collections.abc import Callable

from . import confine, framing, landlock, seccomp, supervisor
from .workspace import MountedWorkspace, WatchedFolder, Workspace

PROTOCOL = 1
_WARM = """
    cv2 numpy numpy.random numpy.linalg numpy.fft numpy.ma numpy.polynomial PIL.Image PIL.ImageOps
    PIL.ImageEnhance PIL.ImageFilter PIL.ImageDraw PIL.ImageFont PIL.ImageChops PIL.ImageStat PIL.ImageMath
    colorsys math random json re time itertools functools collections statistics datetime io base64 shutil
    tempfile pathlib glob copy string traceback
""".split()
_DISCONNECTED = 3


def serve(*, requests: int, responses: int, readable: list[str], folder: str | None) -> int:
    """Announces itself, then answers requests until the host closes the pipe; returns the process's exit code.

    `folder` is the worker's own folder in the Landlock tier, None where each supervisor mounts its own.
    """
    _warm_up()
    version = None if folder is None else landlock.abi()
    base = confine.address_space_in_use()
    confinement = confine.Confinement(seccomp.snippet_filter(version), version, tuple(readable), base)
    parent = os.getpid()
    gc.collect()
    gc.freeze()  # keeps the collector from touching, and so copying, every page of every fork

    def make_workspace() -> Workspace:
        return MountedWorkspace() if folder is None else WatchedFolder(folder)

    framing.write_frame(responses, {"ready": PROTOCOL, "baseMb": base >> 20, "landlockAbi": version})
    while True:
        code = _supervise(parent, lambda: supervisor.serve_one(confinement, make_workspace(), requests, responses))
        if code != 0:
            # The pipes may hold half a frame: nothing that follows could be trusted.
            return 0 if code == _DISCONNECTED else 1


def _supervise(parent: int, serve_one: Callable[[], None]) -> int:
    """Forks a supervisor and waits for it, reaping whatever else ends meanwhile; its exit code (negative: signal)."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            supervisor.start(parent)
            serve_one()
            code = 0
        except framing.Disconnected:
            code = _DISCONNECTED
        except BaseException:  # noqa: BLE001
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(code)
    while True:
        ended, status = os.wait()
        if ended == pid:
            return os.waitstatus_to_exitcode(status)


def _warm_up() -> None:
    for name in _WARM:
        importlib.import_module(name)
    import cv2
    from PIL import Image

    cv2.setNumThreads(1)
    Image.init()
