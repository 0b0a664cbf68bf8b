"""Semantics of the queue and of operations, without a model: what runs once, what is cancelled, what a stop does."""

from __future__ import annotations

import asyncio
import json
import math
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from varft_engine.errors import VarftError
from varft_engine.operations import Operation, Operations, TorchThread

PATIENCE = 30.0


def run(scenario: Callable[[TorchThread, Operations], Coroutine[Any, Any, None]], keep: int = 64) -> None:
    """Runs one scenario on its own loop, torch thread and operations."""

    async def main() -> None:
        torch = TorchThread()
        try:
            await scenario(torch, Operations(torch, "life", keep))
        finally:
            torch.stop()
            await asyncio.to_thread(torch.join)

    asyncio.run(main())


async def finished(operations: Operations, operation: Operation) -> dict[str, Any]:
    await operations.wait(operation, PATIENCE)
    return json.loads(operation.encoded())


async def never() -> None:
    await asyncio.Event().wait()


def test_an_operation_sent_twice_runs_once() -> None:
    runs: list[int] = []

    async def scenario(_: TorchThread, operations: Operations) -> None:
        first = operations.begin("a", b"same", "step", lambda: runs.append(1))
        second = operations.begin("a", b"same", "step", lambda: runs.append(2))
        assert second is first
        assert (await finished(operations, first))["status"] == "done"
        third = operations.begin("a", b"same", "step", lambda: runs.append(3))
        assert (await finished(operations, third))["status"] == "done"
        assert runs == [1]

    run(scenario)


def test_another_request_under_a_used_id_is_refused() -> None:
    async def scenario(_: TorchThread, operations: Operations) -> None:
        operations.begin("a", b"one", "step", lambda: None)
        with pytest.raises(VarftError) as refusal:
            operations.begin("a", b"two", "step", lambda: None)
        assert refusal.value.code == "engine.operation_conflict"

    run(scenario)


def test_a_forgotten_result_is_said_and_its_operation_never_runs_again() -> None:
    runs: list[str] = []

    async def scenario(_: TorchThread, operations: Operations) -> None:
        for name in ("a", "b", "c"):
            await finished(operations, operations.begin(name, b"", "step", lambda name=name: runs.append(name)))
        with pytest.raises(VarftError) as refusal:
            operations.begin("a", b"", "step", lambda: runs.append("again"))
        assert refusal.value.code == "engine.operation_forgotten"
        assert json.loads(operations.find("c").encoded())["status"] == "done"
        assert runs == ["a", "b", "c"]

    run(scenario, keep=2)


def test_jobs_run_in_order_of_arrival_on_one_thread() -> None:
    seen: list[tuple[int, int]] = []

    async def scenario(_: TorchThread, operations: Operations) -> None:
        jobs = [
            operations.begin(str(k), b"", "step", lambda k=k: seen.append((k, threading.get_ident())))
            for k in range(20)
        ]
        await finished(operations, jobs[-1])
        assert [k for k, _ in seen] == list(range(20))
        assert len({thread for _, thread in seen}) == 1
        assert threading.get_ident() not in {thread for _, thread in seen}

    run(scenario)


def test_a_typed_error_arrives_whole_and_any_other_without_its_traceback() -> None:
    def typed() -> None:
        raise VarftError("engine.prompt_mismatch", "token 3: 5, not 6", hint="Look.", details={"token": 3})

    def untyped() -> None:
        raise ZeroDivisionError("by zero")

    async def scenario(_: TorchThread, operations: Operations) -> None:
        known = await finished(operations, operations.begin("a", b"", "step", typed))
        assert known["status"] == "failed"
        assert known["error"] == {
            "code": "engine.prompt_mismatch",
            "message": "token 3: 5, not 6",
            "hint": "Look.",
            "details": {"token": 3},
            "retryable": False,
        }
        unknown = await finished(operations, operations.begin("b", b"", "step", untyped))
        assert unknown["error"]["code"] == "engine.internal"
        assert "ZeroDivisionError: by zero" in unknown["error"]["message"]
        assert "Traceback" not in json.dumps(unknown)
        after = await finished(operations, operations.begin("c", b"", "step", lambda: {"still": "alive"}))
        assert after["result"] == {"still": "alive"}

    run(scenario)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_result_that_json_cannot_say_is_a_typed_error(value: float) -> None:
    async def scenario(_: TorchThread, operations: Operations) -> None:
        operation = operations.begin("a", b"", "forward_backward", lambda: {"loss": value})
        assert (await finished(operations, operation))["error"]["code"] == "engine.nonfinite_result"

    run(scenario)


def test_a_caller_that_leaves_cancels_its_call_and_the_next_one_runs() -> None:
    left = threading.Event()

    def endless(cancelled: Callable[[], bool]) -> None:
        while not cancelled():
            left.wait(0.01)

    async def scenario(torch: TorchThread, _: Operations) -> None:
        async def leaves() -> None:
            while torch.busy[0] != "sample":
                await asyncio.sleep(0.01)

        assert await torch.plain("sample", endless, leaves) is None
        outcome = await torch.plain("sample", lambda _: "served", never)
        assert outcome is not None and outcome.result == b'"served"'

    run(scenario)


def test_a_caller_that_leaves_the_queue_is_never_run() -> None:
    release = threading.Event()
    ran: list[str] = []

    async def scenario(torch: TorchThread, operations: Operations) -> None:
        first = operations.begin("a", b"", "step", release.wait)
        waiting = asyncio.ensure_future(torch.plain("sample", lambda _: ran.append("sample"), never))
        await asyncio.sleep(0)
        waiting.cancel()
        release.set()
        await finished(operations, first)
        last = operations.begin("b", b"", "step", lambda: None)
        await finished(operations, last)
        assert ran == []

    run(scenario)


def test_a_wait_ends_when_its_time_is_over() -> None:
    release = threading.Event()

    async def scenario(_: TorchThread, operations: Operations) -> None:
        operation = operations.begin("a", b"", "step", release.wait)
        await operations.wait(operation, 0.01)
        assert json.loads(operation.encoded())["status"] in {"queued", "running"}
        release.set()
        assert (await finished(operations, operation))["status"] == "done"

    run(scenario)


def test_a_stop_finishes_what_runs_and_refuses_the_rest() -> None:
    release, started = threading.Event(), threading.Event()

    def running() -> str:
        started.set()
        release.wait()
        return "finished"

    async def scenario(torch: TorchThread, operations: Operations) -> None:
        first = operations.begin("a", b"", "step", running)
        second = operations.begin("b", b"", "step", lambda: "must not run")
        await asyncio.to_thread(started.wait)
        torch.stop()
        with pytest.raises(VarftError) as refusal:
            operations.begin("c", b"", "step", lambda: None)
        assert refusal.value.code == "engine.stopping"
        assert (await finished(operations, second))["error"]["code"] == "engine.stopping"
        release.set()
        assert (await finished(operations, first))["result"] == "finished"

    run(scenario)


def test_an_unknown_operation_names_the_life_that_does_not_know_it() -> None:
    async def scenario(_: TorchThread, operations: Operations) -> None:
        with pytest.raises(VarftError) as refusal:
            operations.find("z")
        assert refusal.value.code == "engine.unknown_operation"
        assert refusal.value.details == {"operationId": "z", "instanceId": "life"}

    run(scenario)
