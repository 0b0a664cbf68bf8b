"""Loads a checkpoint's processor without torchvision: PIL image processor, no video processor.

PIL also where torchvision is installed, so that the same image gives the same patches on every machine.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import transformers
from transformers import AutoConfig, AutoTokenizer
from transformers.image_processing_utils import BaseImageProcessor
from transformers.models.auto.processing_auto import PROCESSOR_MAPPING, processor_class_from_name
from transformers.processing_utils import ProcessorMixin

from .errors import VarftError

SUPPORTED_PARTS = {"image_processor", "tokenizer", "video_processor"}


def load_processor(path: Path) -> ProcessorMixin:
    """The checkpoint's processor, its video part None.

    Raises `checkpoint.unsupported` for one that needs more than image and text.
    """
    processor_class = _processor_class(path)
    parts = processor_class.get_attributes()
    if not set(parts) <= SUPPORTED_PARTS or "image_processor" not in parts:
        raise VarftError(
            "checkpoint.unsupported",
            f"{path}: {processor_class.__name__} needs {sorted(parts)}, the worker can load {sorted(SUPPORTED_PARTS)}",
            hint="Use an image-text-to-text checkpoint.",
        )
    loaded: dict[str, Any] = {
        "image_processor": load_image_processor(path),
        "tokenizer": AutoTokenizer.from_pretrained(path, local_files_only=True),
        "video_processor": None,
    }
    settings, _ = processor_class.get_processor_dict(path)

    def check_argument_for_proper_class(self: ProcessorMixin, name: str, argument: Any) -> Any:
        return None if argument is None else processor_class.check_argument_for_proper_class(self, name, argument)

    # The same class, except that it accepts the absence of a video processor, which would need torchvision.
    body = {"check_argument_for_proper_class": check_argument_for_proper_class, "__init__": processor_class.__init__}
    images_only = type(processor_class.__name__, (processor_class,), body)
    return images_only.from_args_and_dict([loaded[part] for part in parts], settings)


def load_image_processor(path: Path) -> BaseImageProcessor:
    """The PIL variant of the checkpoint's image processor where transformers has one."""
    settings, _ = BaseImageProcessor.get_image_processor_dict(path)
    name = settings.get("image_processor_type") or settings.get("feature_extractor_type") or ""
    base = name.removesuffix("Fast").removesuffix("Pil").replace("FeatureExtractor", "ImageProcessor")
    for candidate in (f"{base}Pil", base):
        image_class = getattr(transformers, candidate, None)
        if image_class is not None and not getattr(image_class, "is_dummy", False):
            return image_class.from_pretrained(path)
    raise VarftError(
        "checkpoint.unsupported",
        f"{path}: transformers {transformers.__version__} has no image processor {name!r} without torchvision",
        hint="Name the image processor in preprocessor_config.json, or install torchvision beside torch.",
    )


def _processor_class(path: Path) -> type[ProcessorMixin]:
    sources = (
        ProcessorMixin.get_processor_dict,
        BaseImageProcessor.get_image_processor_dict,
    )
    for read in sources:
        try:
            name = read(path)[0].get("processor_class")
        except OSError:
            continue
        if name is not None:
            found = processor_class_from_name(name)
            if found is not None:
                return found
    config = AutoConfig.from_pretrained(path, local_files_only=True)
    if type(config) in PROCESSOR_MAPPING:
        return PROCESSOR_MAPPING[type(config)]
    raise VarftError("checkpoint.unsupported", f"{path}: transformers knows no processor for {config.model_type!r}")
