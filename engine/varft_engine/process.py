"""The worker as a process: socket, model, ready line, signals, exit code.

stdout carries exactly one JSON line, `{"ready": ...}` or `{"error": ErrorShape}`; stderr is the log.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import json
import logging
import os
import secrets
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TextIO

import uvicorn
from starlette.types import ASGIApp

from .errors import VarftError
from .operations import TorchThread
from .server import Engine, Worker, application
from .version import PROTOCOL_VERSION

log = logging.getLogger("varft.engine")

TOKEN_VARIABLE = "VARFT_ENGINE_TOKEN"
GRACE_SECONDS = 5


@dataclass(frozen=True)
class Address:
    """Where to listen. Port 0 means any free one."""

    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """True when only this machine can connect."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def take_token() -> str:
    """The token from the environment, removed from it, so that no child process inherits it.

    Raises `engine.no_token`.
    """
    token = os.environ.pop(TOKEN_VARIABLE, "")
    if len(token) < 16:
        raise VarftError(
            "engine.no_token",
            f"{TOKEN_VARIABLE} is not set or has fewer than 16 characters",
            hint=f"Set {TOKEN_VARIABLE} to a random string for the worker and for its client.",
        )
    return token


def bind(address: Address) -> socket.socket:
    """A bound socket, before the model is loaded, so that a taken port is told at once.

    Raises `engine.port_taken`, `engine.bad_address`.
    """
    details = {"host": address.host, "port": address.port}
    try:
        family, kind, protocol, _, target = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(target)
        # Linux lets two sockets bind one port until one listens. Callers wait in the backlog while the model loads.
        listener.listen(128)
        return listener
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise VarftError(
                "engine.port_taken",
                f"port {address.port} on {address.host} is taken by another process",
                hint="Choose another port, or 0 for any free one.",
                details=details,
            ) from error
        raise VarftError(
            "engine.bad_address",
            f"cannot listen on {address.host}:{address.port}: {error.strerror or error}",
            hint="Use --host 127.0.0.1 and a port above 1023.",
            details=details,
        ) from error


class Server(uvicorn.Server):
    """uvicorn with our own signal handling, since it would end by the signal, and a call once it accepts requests."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()


def serve(build: Callable[[], Engine], address: Address, *, supervised: bool, stdout: TextIO) -> None:
    """Loads the model with `build` and serves it until SIGTERM or `POST /v1/shutdown`.

    Returns once the running operation has ended.
    Raises what `bind`, `take_token` and `build` raise.
    """

    def prepare(life: Life, token: str) -> ASGIApp:
        engine = life.torch.call("load", build)
        info = life.torch.call("info", engine.info)
        worker = Worker(engine, life.torch, life.instance_id, info, life.stopped.set)
        return application(worker, token, address.loopback)

    serve_life(prepare, address, supervised=supervised, stdout=stdout)


@dataclass(frozen=True)
class Life:
    """One life of a process that serves: its torch thread, its name, and the event that ends it."""

    torch: TorchThread
    instance_id: str
    stopped: asyncio.Event


def serve_life(prepare: Callable[[Life, str], ASGIApp], address: Address, *, supervised: bool, stdout: TextIO) -> None:
    """Serves the application that `prepare(life, token)` makes, until SIGTERM or until the life is stopped.

    Raises what `bind`, `take_token` and `prepare` raise.
    """
    token = take_token()
    listener = bind(address)
    life = Life(TorchThread(), secrets.token_hex(8), asyncio.Event())
    torch, instance_id, stopped = life.torch, life.instance_id, life.stopped
    app = prepare(life, token)
    host, port = listener.getsockname()[:2]
    if not address.loopback:
        log.warning(
            "listening on %s: requests and the token travel unencrypted; prefer loopback and an SSH tunnel", host
        )

    def on_ready() -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, stopped.set)
        if not supervised:
            loop.add_signal_handler(signal.SIGINT, stopped.set)
        ready = {"host": host, "port": port, "instanceId": instance_id, "protocolVersion": PROTOCOL_VERSION}
        print(json.dumps({"ready": ready}), file=stdout, flush=True)
        log.info("life %s serves on %s port %d", instance_id, host, port)

    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = Server(config, on_ready)

    async def run() -> None:
        serving = asyncio.ensure_future(server.serve([listener]))
        told = asyncio.ensure_future(stopped.wait())
        await asyncio.wait({serving, told}, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        log.info("stopping after the running operation")
        torch.stop()
        await asyncio.to_thread(torch.join)
        server.should_exit = True
        await serving

    if supervised:
        # Ctrl-C reaches the whole process group; the supervisor decides what it means for us.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(run())
