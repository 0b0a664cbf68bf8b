"""What every request meets first: Host, token, protocol version, body size; and how an error becomes a response."""

from __future__ import annotations

import hmac
import json
import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .errors import ErrorShape, VarftError
from .version import PROTOCOL_VERSION

MAX_JSON_BYTES = 256 * 2**20
MAX_IMAGE_BYTES = 64 * 2**20
MAX_WAIT_SECONDS = 60.0

STATUS = {
    "engine.bad_request": 400,
    "engine.unauthorized": 401,
    "engine.bad_host": 403,
    "engine.unknown_endpoint": 404,
    "engine.unknown_operation": 404,
    "images.missing": 409,
    "engine.restarted": 409,
    "engine.operation_conflict": 409,
    "engine.operation_forgotten": 410,
    "engine.body_too_large": 413,
    "engine.version_mismatch": 426,
    "engine.internal": 500,
    "engine.stopping": 503,
}
"""HTTP status by code; every other typed error is 422. Clients go by the code."""


def json_response(content: bytes, status: int = 200) -> Response:
    return Response(content, status, media_type="application/json")


def error_response(error: ErrorShape) -> Response:
    return json_response(json.dumps({"error": error}).encode(), STATUS.get(error["code"], 422))


class Guard:
    """Checks Host, token and protocol version before anything reads a body.

    Errors below it become `{error: ErrorShape}`.
    """

    def __init__(self, app: ASGIApp, instance_id: str, token: str, loopback: bool) -> None:
        """`instance_id` goes into every answer, so that a client notices another life behind the same address.

        `loopback`: bound to a loopback address, so only its names are accepted as Host.
        """
        self._app = app
        self._instance_id = instance_id
        self._token = token
        self._loopback = loopback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)

        async def send_signed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), (b"x-varft-instance", self._instance_id.encode())]
            await send(message)

        try:
            self._check(request)
        except VarftError as error:
            await error_response(error.shape())(scope, receive, send_signed)
            return
        await self._app(scope, receive, send_signed)

    def _check(self, request: Request) -> None:
        host = request.headers.get("host", "")
        name = re.sub(r":\d+$", "", host).strip("[]").lower()
        if self._loopback and name not in {"127.0.0.1", "localhost", "::1"}:
            # A web page that rebinds its own name to 127.0.0.1 still sends that name.
            raise VarftError(
                "engine.bad_host",
                f"Host is {host!r}, but the worker listens on loopback only",
                hint="Use http://127.0.0.1:PORT.",
            )
        if request.url.path == "/v1/health":
            return
        sent = request.headers.get("authorization", "")
        if not hmac.compare_digest(sent.encode(), f"Bearer {self._token}".encode()):
            raise VarftError(
                "engine.unauthorized",
                "the bearer token is missing or is not this worker's",
                hint="Set the same VARFT_ENGINE_TOKEN for the worker and for its client.",
            )
        version = request.headers.get("x-varft-protocol")
        if version != PROTOCOL_VERSION:
            raise VarftError(
                "engine.version_mismatch",
                f"the client speaks protocol {version!r}, the worker {PROTOCOL_VERSION!r}",
                hint="Install the same version of visual-arft on both sides.",
                details={"client": version, "worker": PROTOCOL_VERSION},
            )


async def read_body(request: Request, limit: int) -> bytes:
    """The body. Raises `engine.body_too_large` as soon as it is known to be."""
    chunks: list[bytes] = []
    size = 0
    announced = request.headers.get("content-length", "0")
    if announced.isdigit():
        size = int(announced)
    if size <= limit:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                break
            chunks.append(chunk)
    if size > limit:
        raise VarftError(
            "engine.body_too_large",
            f"the body has {size} bytes or more, the limit is {limit}",
            hint="Send fewer rows per request.",
            details={"limit": limit},
        )
    return b"".join(chunks)
