"""The tiny checkpoint: same bytes for the same seed, ordinary to transformers, every string round-trips."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
from pathlib import Path

from engine_support import TEXTS, Transformers, png
from transformers import AutoModelForImageTextToText
from varft_engine.tiny import SPECIAL_TOKENS, build_tiny, main


def digests(folder: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    """Also in another process, whose hash seed differs."""
    first = digests(build_tiny(tmp_path / "a", seed=3, texts=TEXTS))
    program = (
        "import json, sys; from varft_engine.tiny import build_tiny;"
        "build_tiny(sys.argv[1], seed=3, texts=json.loads(sys.argv[2]))"
    )
    arguments = [sys.executable, "-c", program, str(tmp_path / "b"), json.dumps(TEXTS)]
    subprocess.run(arguments, check=True, cwd=Path(__file__).parents[1], timeout=120)
    assert digests(tmp_path / "b") == first
    other = digests(build_tiny(tmp_path / "c", seed=4, texts=TEXTS))
    assert {name for name in first if other[name] != first[name]} == {"model.safetensors"}


def test_the_command_line_hook(tmp_path: Path, capsys: object) -> None:
    (tmp_path / "texts.json").write_text(json.dumps(TEXTS))
    assert main(["--out", str(tmp_path / "m"), "--seed", "3", "--texts", str(tmp_path / "texts.json")]) == 0
    assert digests(tmp_path / "m") == digests(build_tiny(tmp_path / "a", seed=3, texts=TEXTS))


def test_shape(tiny: Path, plain: Transformers) -> None:
    network = AutoModelForImageTextToText.from_pretrained(tiny)
    assert type(network).__name__ == "Qwen2_5_VLForConditionalGeneration"
    assert network.lm_head.weight is network.model.language_model.embed_tokens.weight
    assert network.config.text_config.vocab_size == len(plain.tokenizer) <= 512
    inputs = plain.inputs([{"role": "user", "content": [{"type": "image"}]}], [png(1)])
    assert (inputs["input_ids"] == plain.processor.image_token_id).sum() == 16
    assert plain.tokenizer.convert_ids_to_tokens(range(len(SPECIAL_TOKENS))) == list(SPECIAL_TOKENS)


def test_every_string_round_trips(plain: Transformers) -> None:
    source = random.Random(0)
    for _ in range(200):
        points = [source.choice([source.randrange(32, 127), source.randrange(0xA0, 0xD7FF), 10]) for _ in range(20)]
        words = "".join(map(chr, points))
        assert plain.tokenizer.decode(plain.tokenizer(words)["input_ids"]) == words


def test_tags_digits_quotes_and_newlines_stand_alone(plain: Transformers) -> None:
    def pieces(words: str) -> list[str]:
        return [plain.tokenizer.decode([token]) for token in plain.tokenizer(words)["input_ids"]]

    assert pieces("427") == ["4", "2", "7"]
    assert pieces("<think>") == ["<think>"]
    for words in ("7</answer>", "'7'", "\n7", "x7"):
        assert "7" in pieces(words)
