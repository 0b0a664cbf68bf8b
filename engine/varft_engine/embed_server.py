"""The HTTP face of the embedding process: `GET /v1/health`, `GET /v1/info`, `POST /v1/embed`.

`POST /v1/embed {texts: [N strings]}` -> `{vectors: base64 float32 [N * D], dimension: D}`. Not here: torch.
"""

from __future__ import annotations

import base64
import json
from typing import Protocol

import numpy as np
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from .errors import VarftError
from .guard import Guard, json_response, read_body
from .operations import TorchThread
from .server import gone, on_any, on_http, on_left, on_typed, outcome_response
from .version import PROTOCOL_VERSION, WORKER_VERSION

MOST_TEXTS = 1024
MOST_BYTES = 16 * 2**20


class Embedding(Protocol):
    """What the server asks of `embed.Embedder`."""

    dimension: int
    max_tokens: int

    def embed(self, texts: list[str]) -> np.ndarray: ...


def texts_of(body: bytes) -> list[str]:
    """The texts of a request. Raises `engine.bad_request` naming the field."""
    try:
        request = json.loads(body)
    except ValueError as error:
        raise VarftError("engine.bad_request", f"the body is not JSON: {error}") from error
    if not isinstance(request, dict) or set(request) != {"texts"}:
        raise VarftError("engine.bad_request", "expected {texts: [...]} and no other key")
    texts = request["texts"]
    if not isinstance(texts, list) or not 1 <= len(texts) <= MOST_TEXTS:
        got = len(texts) if isinstance(texts, list) else type(texts).__name__
        raise VarftError("engine.bad_request", f"texts: expected 1 to {MOST_TEXTS} strings, got {got}")
    for index, text in enumerate(texts):
        if not isinstance(text, str):
            raise VarftError("engine.bad_request", f"texts[{index}]: expected a string, got {type(text).__name__}")
    return texts


def application(embedding: Embedding, torch: TorchThread, instance_id: str, token: str, loopback: bool) -> ASGIApp:
    """The application of one life of the process."""

    async def health(_: Request) -> Response:
        busy, seconds = torch.busy
        body = {"ok": not torch.stopping, "instanceId": instance_id, "protocolVersion": PROTOCOL_VERSION}
        return json_response(json.dumps({**body, "busy": busy, "busySeconds": round(seconds, 3)}).encode())

    async def info(_: Request) -> Response:
        body = {
            "protocolVersion": PROTOCOL_VERSION,
            "instanceId": instance_id,
            "workerVersion": WORKER_VERSION,
            "dimension": embedding.dimension,
            "maxTokens": embedding.max_tokens,
        }
        return json_response(json.dumps(body).encode())

    async def embed(request: Request) -> Response:
        # A lone surrogate is legal JSON and no text.
        texts = [text.encode("utf-8", "replace").decode() for text in texts_of(await read_body(request, MOST_BYTES))]

        def work(_: object) -> dict[str, object]:
            vectors = embedding.embed(texts).astype("<f4")
            return {"vectors": base64.b64encode(vectors.tobytes()).decode(), "dimension": embedding.dimension}

        return outcome_response(await torch.plain("embed", work, lambda: gone(request)))

    routes = [
        Route("/v1/health", health, methods=["GET"]),
        Route("/v1/info", info, methods=["GET"]),
        Route("/v1/embed", embed, methods=["POST"]),
    ]
    handlers = {VarftError: on_typed, HTTPException: on_http, ClientDisconnect: on_left, Exception: on_any}
    return Guard(Starlette(routes=routes, exception_handlers=handlers), instance_id, token, loopback)
