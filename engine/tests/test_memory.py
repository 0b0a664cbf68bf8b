"""Out of memory under a real limit of the kernel: a typed error that says what to lower, and a worker that goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import json, resource, sys
from engine_support import key, message, record_of, row, sample, text, update, gradients
from varft_engine.engine import Engine
from varft_engine.errors import VarftError

engine = Engine(sys.argv[1])
messages = [message("user", text("9" * 2000))]
record = record_of(engine, messages)
rows = [row(messages, record, [30 + i, 31, 32]) for i in range(40)]
update(engine, rows[:1])
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 150_000_000, resource.RLIM_INFINITY))

def attempt(work):
    try:
        work()
        return "done"
    except VarftError as error:
        return [error.code, error.retryable, error.hint, error.details]

update(engine, rows[:1])
print(json.dumps([
    attempt(lambda: update(engine, rows, maxTokensPerMicrobatch=10**6)),
    len(gradients(engine)),
    attempt(lambda: sample(engine, [(messages, [key(k) for k in range(400)])], maxTokens=100)),
    attempt(lambda: update(engine, rows[:2], maxTokensPerMicrobatch=1)),
    len(gradients(engine)) > 0,
]))
"""


def test_out_of_memory_is_typed_and_survived(tiny: Path) -> None:
    folder = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": f"{folder.parent}{os.pathsep}{folder}", "OMP_NUM_THREADS": "1"}
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tiny)], capture_output=True, text=True, env=environment, timeout=120
    )
    assert run.returncode == 0, run.stderr
    training, left, sampling, small, gathered = json.loads(run.stdout)
    assert training[:2] == ["engine.out_of_memory", False]
    assert "Lower maxTokensPerMicrobatch" in training[2] and "pixels.max" in training[2]
    assert training[3] == {"rows": 40, "maxTokensPerMicrobatch": 10**6}
    assert left == 0, "half-gathered gradients were kept"
    assert sampling[:2] == ["engine.out_of_memory", False] and "maxTokens" in sampling[2]
    assert sampling[3] == {"prompts": 1, "completions": 400, "maxTokens": 100}
    assert small == "done" and gathered
