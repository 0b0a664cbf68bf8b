"""Sentence embeddings against plain transformers on a tiny random BERT, and the process that serves them."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer, BertConfig, BertModel, BertTokenizer
from varft_engine.embed import Embedder
from varft_engine.embed_server import MOST_TEXTS, texts_of
from varft_engine.errors import VarftError
from varft_engine.version import PROTOCOL_VERSION

WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] who painted the night watch in amsterdam a b c ! ? ##s".split()
TEXTS = ["Who painted the Night Watch?", "amsterdam", "the a b c a b c night watch watches in amsterdam !", ""]
TOKEN = "a-token-of-the-embedding-test"


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT of two layers with its tokenizer, as transformers writes them."""
    folder = tmp_path_factory.mktemp("bert")
    (folder / "vocab.txt").write_text("\n".join(WORDS), encoding="utf-8")
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=24,
        initializer_range=0.5,
    )
    BertModel(config).save_pretrained(folder)
    BertTokenizer.from_pretrained(folder).save_pretrained(folder)
    return folder


def plainly(folder: Path, texts: list[str], **options: Any) -> np.ndarray:
    """The published recipe of all-MiniLM-L6-v2: a padded batch, mean over the mask, normalised."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    encoded = tokenizer(texts, padding=True, return_tensors="pt", **options)
    with torch.no_grad():
        hidden = model(**encoded)[0]
    mask = encoded["attention_mask"].unsqueeze(-1).expand(hidden.size()).float()
    mean = torch.sum(hidden * mask, 1) / torch.clamp(mask.sum(1), min=1e-9)
    return torch.nn.functional.normalize(mean, p=2, dim=1).numpy()


def test_equals_plain_transformers_with_padding_and_has_length_one(bert: Path) -> None:
    vectors = Embedder(str(bert)).embed(TEXTS)
    assert vectors.shape == (4, 16) and vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, plainly(bert, TEXTS), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    # Different texts differ, or the comparison above would show nothing.
    assert float(vectors[0] @ vectors[1]) < 0.999


def test_a_vector_does_not_depend_on_its_neighbours_bit_by_bit(bert: Path) -> None:
    embedder = Embedder(str(bert))
    assert (embedder.embed(TEXTS)[1] == embedder.embed(["amsterdam"])[0]).all()


def test_long_texts_are_cut_where_the_folder_says_or_the_positions_end(bert: Path) -> None:
    long = " ".join(["night"] * 100)
    by_positions = Embedder(str(bert))
    assert by_positions.max_tokens == 24
    expected = plainly(bert, [long], truncation=True, max_length=24)
    np.testing.assert_allclose(by_positions.embed([long]), expected, atol=1e-6)
    (bert / "sentence_bert_config.json").write_text('{"max_seq_length": 8}')
    try:
        short = Embedder(str(bert))
        np.testing.assert_allclose(
            short.embed([TEXTS[2]]), plainly(bert, [TEXTS[2]], truncation=True, max_length=8), atol=1e-6
        )
    finally:
        (bert / "sentence_bert_config.json").unlink()


def test_another_pooling_is_refused_and_the_mean_accepted(bert: Path) -> None:
    (bert / "1_Pooling").mkdir()
    config = bert / "1_Pooling" / "config.json"
    config.write_text('{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}')
    with pytest.raises(VarftError) as refusal:
        Embedder(str(bert))
    assert refusal.value.code == "checkpoint.unsupported"
    config.write_text('{"word_embedding_dimension": 16, "pooling_mode_mean_tokens": true}')
    Embedder(str(bert))


@pytest.mark.parametrize("model", ["./nowhere", "/nowhere/at/all", "nowhere", "no-such-owner/no-such-encoder"])
def test_a_model_that_is_not_there_is_named(model: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(VarftError) as refusal:
        Embedder(model)
    assert refusal.value.code == "checkpoint.not_found"
    assert model in refusal.value.message


def test_a_folder_that_is_no_encoder_is_named(tmp_path: Path) -> None:
    with pytest.raises(VarftError) as refusal:
        Embedder(str(tmp_path))
    assert refusal.value.code == "checkpoint.unreadable"


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"texts": []}', b'{"texts": "a"}', b'{"texts": ["a", 1]}', b'{"texts": ["a"], "more": 1}',
     json.dumps({"texts": ["a"] * (MOST_TEXTS + 1)}).encode()],
)  # fmt: skip
def test_a_bad_request_is_refused(body: bytes) -> None:
    with pytest.raises(VarftError) as refusal:
        texts_of(body)
    assert refusal.value.code == "engine.bad_request"


@pytest.fixture(scope="module")
def served(bert: Path) -> Iterator[int]:
    """The port of the process that a user's run would start."""
    environment = {**os.environ, "VARFT_ENGINE_TOKEN": TOKEN, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "varft_engine", "embed", "--model", str(bert)],
        cwd=Path(__file__).parent.parent,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    yield int(json.loads(process.stdout.readline())["ready"]["port"])
    process.terminate()
    assert process.wait() == 0


def ask(port: int, body: Any, token: str = TOKEN) -> tuple[int, Any]:
    headers = {"authorization": f"Bearer {token}", "x-varft-protocol": PROTOCOL_VERSION}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/embed", json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def test_the_process_serves_what_the_encoder_gives(served: int, bert: Path) -> None:
    status, body = ask(served, {"texts": [*TEXTS, "\ud800"]})
    vectors = np.frombuffer(base64.b64decode(body["vectors"]), "<f4").reshape(-1, body["dimension"])
    assert status == 200 and vectors.shape == (5, 16)
    assert (vectors[:4] == Embedder(str(bert)).embed(TEXTS)).all()


def test_the_process_wants_its_token_and_a_good_body(served: int) -> None:
    status, body = ask(served, {"texts": ["a"]}, token="another-token-entirely")
    assert (status, body["error"]["code"]) == (401, "engine.unauthorized")
    status, body = ask(served, {"texts": [1]})
    assert (status, body["error"]["code"]) == (400, "engine.bad_request")


def test_a_missing_model_is_one_typed_line_on_stdout() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "varft_engine", "embed", "--model", "./nowhere"],
        cwd=Path(__file__).parent.parent,
        env={**os.environ, "VARFT_ENGINE_TOKEN": TOKEN},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 6
    assert json.loads(done.stdout)["error"]["code"] == "checkpoint.not_found"
    assert TOKEN not in done.stdout + done.stderr
