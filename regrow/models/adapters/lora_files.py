"""Add LoRA files (Hu et al. 2021, arXiv 2106.09685) to the weights of an opened checkpoint.

diffusers reads them in its own layout, in peft's, and in kohya's for the families whose layer names it knows there.
"""

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from regrow.media.files import file_hash
from regrow.messages.message import say
from regrow.models.adapters.embedding_files import EmbeddingFile, check_finite
from regrow.models.errors import ModelError
from regrow.models.folder import mend, reason
from regrow.models.folder_forms.quantised import is_quantised
from regrow.models.pipelines import prompt_pipeline
from regrow.models.single_files.folders import addition_named
from regrow.models.single_files.header import Header, read_header
from regrow.models.single_files.kinds import kind_of
from regrow.models.single_files.other_kinds import LORA

if TYPE_CHECKING:
    from regrow.models.model import Model

UP = ("lora_B.weight", "lora_up.weight", "lora.up.weight", "lora_linear_layer.up.weight")
"""Name endings of a layer's second matrix (B), by layout."""
DOWN = ("lora_A.weight", "lora_down.weight", "lora.down.weight", "lora_linear_layer.down.weight")
"""Name endings of a layer's first matrix (A), in the same order."""
MAGNITUDES = (".dora_scale", ".lora_magnitude_vector", ".lora_magnitude_vector.weight")
"""Name endings of DoRA's magnitude vector (Liu et al. 2024, arXiv 2402.09353)."""
OTHER_LAYERS = (".hada_w", ".lokr_w", ".oft_", ".glora_", ".boft_")
"""Parts of the names of LyCORIS layers, which are no product of two matrices (github.com/KohakuBlueleaf/LyCORIS)."""


@dataclass(frozen=True)
class LoraFile:
    """A LoRA file and its scale.

    Attributes:
        path: the file.
        scale: 1 = as it was trained.
    """

    path: Path
    scale: float = 1.0

    @classmethod
    def of(cls, text: str, places: Sequence[Path] = ()) -> "LoraFile":
        """Read `FILE` or `FILE:SCALE`.

        Args:
            text: the path or the name of the file, with or without a scale.
            places: folders to search by name.

        Raises:
            ModelError: the scale is no number from -10 to 10, or there is no such file.
        """
        name, colon, scale = text.rpartition(":")
        try:
            found = cls(Path(name), float(scale)) if colon else cls(Path(text))
        except ValueError:  # the colon is part of the name
            found = cls(Path(text))
        if not -10 <= found.scale <= 10:
            raise ModelError(say("lora_scale_out_of_range", text=text))
        path = found.path.expanduser()
        if not path.is_file():
            path = addition_named(str(path), places, LORA) or path
        if not path.is_file():
            raise ModelError(say("no_lora_file", path=path))
        return cls(path, found.scale)

    @property
    def facts(self) -> dict[str, Any]:
        """Name, hash and scale, for recipes."""
        return {"file": self.path.name, "hash": file_hash(self.path), "scale": self.scale}


def combined_hash(content: str, loras: Sequence[LoraFile], embeddings: Sequence[EmbeddingFile] = ()) -> str:
    """Combine a checkpoint's content hash with the hashes of its LoRA and embedding files."""
    said = "".join(f"{lora.facts['hash']}:{lora.scale!r}" for lora in loras)
    said += "".join(f"{embedding.facts['hash']}:{embedding.word}" for embedding in embeddings)
    return hashlib.blake2b(f"{content}{said}".encode(), digest_size=32).hexdigest() if said else content


def add_lora_files(model: "Model", loras: Sequence[LoraFile]) -> None:
    """Add LoRA files to the weights of a checkpoint that was just opened.

    Raises:
        ModelError: the family takes no LoRA files, or a file is not one or is for another model.
    """
    if not loras:
        return
    if not model.lora_pipeline:
        raise ModelError(say("loras_not_read", name=model.name, family=model.family))
    names = [name for name in model.parts if name == model.NETWORK or name.startswith("text_encoder")]
    model.parts.keep(*names)
    pipeline = prompt_pipeline(model.lora_pipeline, model.parts, names)
    modules = [model.parts[name] for name in names]
    adapters = [f"lora_{i}" for i in range(len(loras))]
    for lora, adapter in zip(loras, adapters, strict=True):
        _load(pipeline, modules, lora, adapter, model.name)
    pipeline.set_adapters(adapters, [lora.scale for lora in loras])
    if not any(map(is_quantised, modules)):  # quantised weights cannot be fused: their adapters stay separate layers
        parts = [name for name in pipeline._lora_loadable_modules if name in names]
        pipeline.fuse_lora(components=parts, adapter_names=adapters)
        pipeline.unload_lora_weights()
    for module in modules:
        module.eval().requires_grad_(False)
    model.loras = tuple(loras)


def _count_layers(header: Header) -> int:
    """Return how many layers a LoRA file holds.

    Raises:
        ModelError: it holds none, layers of another kind, or only one of a layer's two matrices: diffusers would fill
            the other with random numbers.
    """
    if any(mark in name for name in header for mark in OTHER_LAYERS):
        raise ModelError(say("lora_is_lycoris", path=header.path))
    ends = [*zip(UP, DOWN, strict=True), *zip(DOWN, UP, strict=True)]
    others = {name: name.removesuffix(end) + other for name in header for end, other in ends if name.endswith(end)}
    if not others:
        kind = kind_of(header)
        what = say("what_is_whole_checkpoint", path=header.path) if kind.layout else f"{kind.title}. {kind.next_step}"
        raise ModelError(say("no_lora_but", path=header.path, what=what))
    if alone := next((name for name, other in others.items() if other not in header), None):
        raise ModelError(
            say("lora_half_missing", path=header.path, missing=others[alone], present=alone, mend=mend(header.path))
        )
    return len(others) // 2


def _load(pipeline: Any, modules: Sequence[torch.nn.Module], lora: LoraFile, adapter: str, name: str) -> None:
    from safetensors.torch import load_file

    from regrow.models.load_part import quiet

    if lora.path.suffix.lower() != ".safetensors":
        raise ModelError(say("lora_no_safetensors", path=lora.path))
    header = read_header(lora.path)
    state = load_file(lora.path)
    check_finite(lora.path, state)
    held = _count_layers(header)
    try:
        with quiet(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Already found a `peft_config`")  # of the previous file
            pipeline.load_lora_weights(state, adapter_name=adapter)
        parts = [part for module in modules for part in module.modules()]
        taken = sum(adapter in getattr(part, "lora_B", ()) for part in parts)
    except Exception as problem:  # wrong shapes and names raise many exception types in diffusers and peft
        raise ModelError(say("lora_does_not_fit", path=lora.path, name=name, reason=reason(problem))) from problem
    scaled = sum(name.endswith(MAGNITUDES) for name in header)
    read = sum(adapter in getattr(part, "lora_magnitude_vector", ()) for part in parts)
    if scaled not in (0, held) or scaled > read:
        raise ModelError(say("lora_dora_unreadable", path=lora.path, scaled=scaled, held=held, read=read))
    if taken < held:
        raise ModelError(say("lora_of_other_model", path=lora.path, held=held, taken=taken, name=name))
