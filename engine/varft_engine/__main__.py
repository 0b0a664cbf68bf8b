"""`python -m varft_engine serve | embed | tiny | version`: worker, sentence embeddings, tiny model, versions."""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import platform
import sys
from collections.abc import Callable
from importlib import metadata
from typing import Any, NoReturn, TextIO

from .errors import VarftError
from .version import PROTOCOL_VERSION, WORKER_VERSION

log = logging.getLogger("varft.engine")


class Parser(argparse.ArgumentParser):
    """argparse whose mistakes are typed errors like all others."""

    def error(self, message: str) -> NoReturn:
        raise VarftError("config.bad_argument", f"{self.prog}: {message}", hint=self.format_usage().strip())


def serve_parser() -> Parser:
    """Arguments of `serve`. The token is no argument: it comes in the environment variable VARFT_ENGINE_TOKEN."""
    parser = Parser(prog="varft_engine serve", description="Serve one model to one trainer.", allow_abbrev=False)
    parser.add_argument("--model", required=True, help="Hugging Face folder, or one that `export` wrote")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of torch")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--lora-rank", type=int, help="train a LoRA adapter of this rank instead of the weights")
    parser.add_argument("--lora-alpha", type=float, help="its scale is alpha / rank")
    parser.add_argument("--lora-targets", help="names of layers, with commas (default: all linear layers)")
    parser.add_argument("--lora-vision", action="store_true", help="adapt layers of the vision tower too")
    parser.add_argument("--freeze-vision", action="store_true", help="do not train the vision tower")
    parser.add_argument("--gradient-checkpointing", action="store_true", help="less memory for more computation")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 means any free one")
    parser.add_argument(
        "--supervised", action="store_true", help="exit when stdin ends; leave Ctrl-C to the supervisor"
    )
    return parser


def training_choice(arguments: argparse.Namespace) -> Any:
    """What of the model is trained, as `Trained`. Raises `config.bad_argument`, `engine.bad_lora`."""
    from .lora import LoraSettings
    from .trained import Trained

    rank, alpha, names = arguments.lora_rank, arguments.lora_alpha, arguments.lora_targets
    if (rank is None) != (alpha is None) or (rank is None and (names is not None or arguments.lora_vision)):
        raise VarftError(
            "config.bad_argument",
            "LoRA needs both --lora-rank and --lora-alpha",
            hint="For example --lora-rank 16 --lora-alpha 32; without LoRA give none of its arguments.",
        )
    targets = None if names is None else tuple(names.split(","))
    lora = None if rank is None else LoraSettings(rank, alpha, targets, arguments.lora_vision)
    return Trained(lora, arguments.freeze_vision, arguments.gradient_checkpointing)


def embed_parser() -> Parser:
    """Arguments of `embed`; the token comes as for `serve`."""
    parser = Parser(prog="varft_engine embed", description="Serve a sentence encoder.", allow_abbrev=False)
    parser.add_argument("--model", required=True, help="folder or hub id of an encoder such as all-MiniLM-L6-v2")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of torch")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 means any free one")
    parser.add_argument(
        "--supervised", action="store_true", help="exit when stdin ends; leave Ctrl-C to the supervisor"
    )
    return parser


def not_installed(error: ImportError) -> VarftError:
    """`engine.not_installed`, naming the module that this Python lacks."""
    return VarftError(
        "engine.not_installed",
        f"this Python cannot run the worker: {error} ({sys.executable})",
        hint="Run `npm run setup`, or set VARFT_ENGINE_PYTHON to a Python that has engine/requirements.lock and torch.",
    )


def serve(argv: list[str], stdout: TextIO) -> None:
    """Runs the worker until it is told to stop."""
    arguments = serve_parser().parse_args(argv)
    if arguments.supervised:
        from .lifetime import die_with_parent

        die_with_parent()
    try:
        from .process import Address
        from .process import serve as serve_process
    except ImportError as error:
        raise not_installed(error) from error

    def build() -> Any:
        # Only now: importing torch takes seconds, and a taken port or a missing token is told before.
        try:
            from .engine import Engine

            trained = training_choice(arguments)
        except ImportError as error:
            raise not_installed(error) from error
        return Engine(
            arguments.model,
            device=arguments.device,
            dtype=arguments.dtype,
            threads=arguments.threads,
            seed=arguments.seed,
            trained=trained,
        )

    address = Address(arguments.host, arguments.port)
    serve_process(build, address, supervised=arguments.supervised, stdout=stdout)


def embed(argv: list[str], stdout: TextIO) -> None:
    """Runs the embedding process until it is told to stop."""
    arguments = embed_parser().parse_args(argv)
    if arguments.supervised:
        from .lifetime import die_with_parent

        die_with_parent()
    try:
        from .embed_server import application
        from .process import Address, Life, serve_life
    except ImportError as error:
        raise not_installed(error) from error
    address = Address(arguments.host, arguments.port)

    def prepare(life: Life, token: str) -> Any:
        def build() -> Any:
            try:
                from .embed import Embedder
            except ImportError as error:
                raise not_installed(error) from error
            return Embedder(arguments.model, device=arguments.device, threads=arguments.threads)

        embedder = life.torch.call("load", build)
        return application(embedder, life.torch, life.instance_id, token, address.loopback)

    serve_life(prepare, address, supervised=arguments.supervised, stdout=stdout)


def private_stdout() -> TextIO:
    """The real stdout for our one line; file descriptor 1 becomes stderr, so that no library can write into it."""
    sys.stdout.flush()
    own = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return own


def run_server(serve: Callable[[list[str], TextIO], None], argv: list[str]) -> int:
    """`serve` or `embed` as a process: what stops it from starting is one JSON line and an exit code by boundary."""
    stdout = private_stdout()
    try:
        serve(argv, stdout)
        return 0
    except VarftError as error:
        failure = error
    except Exception as error:
        log.exception("the worker failed to start")
        failure = VarftError(
            "engine.internal",
            f"the worker failed to start: {type(error).__name__}: {str(error)[:500]}",
            hint="Read the traceback in the worker's log; please report it.",
        )
    log.error("%s: %s", failure.code, failure.message)
    print(json.dumps({"error": failure.shape()}), file=stdout, flush=True)
    return failure.exit_code


def versions() -> dict[str, str]:
    """Version of this package, of Python and of what the worker stands on; a missing one is absent."""
    found = {"varft_engine": WORKER_VERSION, "protocol": PROTOCOL_VERSION, "python": platform.python_version()}
    for name in ("torch", "transformers", "peft", "tokenizers", "safetensors", "starlette", "uvicorn"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def main(argv: list[str]) -> int:
    """Dispatches; returns the exit code."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    command, rest = (argv[0], argv[1:]) if argv else ("", [])
    if command == "serve":
        return run_server(serve, rest)
    if command == "embed":
        return run_server(embed, rest)
    if command == "tiny":
        from . import tiny

        return tiny.main(rest)
    if command == "version":
        print(json.dumps(versions()))
        return 0
    print(f"usage: python -m varft_engine serve|embed|tiny|version (got {command!r})", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
