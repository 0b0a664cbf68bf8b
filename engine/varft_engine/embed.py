"""Sentence embeddings: the mean of the last hidden states over the attention mask, scaled to length 1.

`v = m / max(|m|, 1e-12)`, `m = sum_t mask_t h_t / sum_t mask_t` (Reimers and Gurevych 2019, arXiv 1908.10084; the
setting of all-MiniLM-L6-v2). One text at a time: a vector is a function of weights and text, not of its neighbours.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

from .errors import VarftError

WEIGHTS = ["*.json", "*.txt", "*.model", "*.safetensors", "1_Pooling/*"]


def model_folder(model: str) -> Path:
    """The folder itself, or the cached (or, with HF_HUB_OFFLINE=0, downloaded) snapshot of a hub id.

    Raises `checkpoint.not_found`.
    """
    if Path(model).is_dir():
        return Path(model)
    hint = "Give a folder with config.json, or a hub id that was downloaded before; HF_HUB_OFFLINE=0 allows a download."
    if model.startswith((".", "/", "~")) or model.count("/") != 1:
        raise VarftError("checkpoint.not_found", f"no sentence encoder at {model}", hint=hint, details={"model": model})
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(model, allow_patterns=WEIGHTS))
    except Exception as error:
        raise VarftError(
            "checkpoint.not_found",
            f"sentence encoder {model}: not in the cache, and not downloaded: {str(error)[:200]}",
            hint=hint,
            details={"model": model, "offline": os.environ.get("HF_HUB_OFFLINE")},
        ) from error


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return found if isinstance(found, dict) else {}


def _refuse_other_pooling(folder: Path) -> None:
    """Raises `checkpoint.unsupported` where the folder asks for another pooling than the mean."""
    asked = [
        name
        for name, on in _json(folder / "1_Pooling" / "config.json").items()
        if name.startswith("pooling_mode_") and on is True
    ]
    if asked not in ([], ["pooling_mode_mean_tokens"]):
        raise VarftError(
            "checkpoint.unsupported",
            f"{folder} pools by {', '.join(asked)}, this worker by the mean over tokens",
            hint="Use all-MiniLM-L6-v2 or another encoder with mean pooling.",
        )


class Embedder:
    """A sentence encoder, loaded."""

    def __init__(self, model: str, *, device: str = "cpu", threads: int = 1) -> None:
        """Loads a folder or a hub id in float32. Raises `checkpoint.*`."""
        folder = model_folder(model)
        _refuse_other_pooling(folder)
        torch.set_num_threads(threads)
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(folder)
            self._model = AutoModel.from_pretrained(folder, dtype=torch.float32).to(device).eval()
        except (OSError, ValueError, KeyError) as error:
            raise VarftError(
                "checkpoint.unreadable",
                f"{folder} holds no sentence encoder: {str(error)[:300]}",
                hint="It must hold config.json, the tokenizer's files and model.safetensors.",
            ) from error
        positions = getattr(self._model.config, "max_position_embeddings", 512)
        asked = _json(folder / "sentence_bert_config.json").get("max_seq_length", 256)
        self.max_tokens = min(int(asked), int(positions))
        """Longer texts are cut, as sentence-transformers does; 256 for all-MiniLM-L6-v2."""
        self.dimension = int(self._model.config.hidden_size)
        self.device = device

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors [N, D] float32. Raises `engine.nonfinite_result`."""
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            vectors[row] = self._one(text)
        if not np.isfinite(vectors).all():
            raise VarftError(
                "engine.nonfinite_result", "an embedding is not finite", hint="Check the encoder's weights."
            )
        return vectors

    @torch.inference_mode()
    def _one(self, text: str) -> np.ndarray:
        encoded = self._tokenizer(text, truncation=True, max_length=self.max_tokens, return_tensors="pt")
        hidden = self._model(**encoded.to(self.device)).last_hidden_state[0]
        mask = encoded["attention_mask"][0].to(hidden.dtype).unsqueeze(-1)
        mean = (hidden * mask).sum(dim=0) / mask.sum().clamp(min=1e-9)
        return torch.nn.functional.normalize(mean, dim=0, eps=1e-12).cpu().numpy()
