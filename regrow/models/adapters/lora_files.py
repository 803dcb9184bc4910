"""LoRA files (Hu et al. 2021, arXiv 2106.09685) of others, added to the weights of an opened checkpoint.

diffusers reads them: its own layout, peft's, and kohya's where it knows how the checkpoint's family spells it there.
"""

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from regrow.media.files import file_hash
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
"""How the second matrix of a layer is called in the layouts."""
DOWN = ("lora_A.weight", "lora_down.weight", "lora.down.weight", "lora_linear_layer.down.weight")
"""How the first is, in the same order."""
MAGNITUDES = (".dora_scale", ".lora_magnitude_vector", ".lora_magnitude_vector.weight")
"""How the length of a layer's columns is called (Liu et al. 2024, arXiv 2402.09353)."""
OTHER_LAYERS = (".hada_w", ".lokr_w", ".oft_", ".glora_", ".boft_")
"""What names of layers hold that are no product of two matrices (github.com/KohakuBlueleaf/LyCORIS)."""


@dataclass(frozen=True)
class LoraFile:
    """A LoRA file and how much of it counts.

    Attributes:
        path: of the file.
        scale: 1 is as it was trained.
    """

    path: Path
    scale: float = 1.0

    @classmethod
    def of(cls, text: str, places: Sequence[Path] = ()) -> "LoraFile":
        """Read `FILE` or `FILE:SCALE`.

        Args:
            text: with the path of the file, or its name.
            places: folders in which it is looked for by its name.

        Raises:
            ModelError: the scale is no number from -10 to 10, or there is no such file.
        """
        name, colon, scale = text.rpartition(":")
        try:
            found = cls(Path(name), float(scale)) if colon else cls(Path(text))
        except ValueError:  # a colon of the name's own
            found = cls(Path(text))
        if not -10 <= found.scale <= 10:
            raise ModelError(f"The scale of a LoRA file must be from -10 to 10, and 1 is usual; got {text}.")
        path = found.path.expanduser()
        if not path.is_file():
            path = addition_named(str(path), places, LORA) or path
        if not path.is_file():
            raise ModelError(
                f"There is no LoRA file {path}; write --lora FILE or --lora FILE:0.8, or the name of one in a folder "
                "that was added (regrow models add FOLDER)."
            )
        return cls(path, found.scale)

    @property
    def facts(self) -> dict[str, Any]:
        """Name, hash and scale, for recipes."""
        return {"file": self.path.name, "hash": file_hash(self.path), "scale": self.scale}


def combined_hash(content: str, loras: Sequence[LoraFile], embeddings: Sequence[EmbeddingFile] = ()) -> str:
    """Return the hash of a checkpoint with LoRA and embedding files, from its own."""
    said = "".join(f"{lora.facts['hash']}:{lora.scale!r}" for lora in loras)
    said += "".join(f"{embedding.facts['hash']}:{embedding.word}" for embedding in embeddings)
    return hashlib.blake2b(f"{content}{said}".encode(), digest_size=32).hexdigest() if said else content


def add_lora_files(model: "Model", loras: Sequence[LoraFile]) -> None:
    """Add LoRA files to the weights of a checkpoint that was just opened.

    Raises:
        ModelError: its family takes none, a file is none, or is one of another model.
    """
    if not loras:
        return
    if not model.lora_pipeline:
        raise ModelError(f"LoRA files are not read for {model.name} ({model.family}): leave --lora out.")
    names = [name for name in model.parts if name == model.NETWORK or name.startswith("text_encoder")]
    model.parts.keep(*names)
    pipeline = prompt_pipeline(model.lora_pipeline, model.parts, names)
    modules = [model.parts[name] for name in names]
    adapters = [f"lora_{i}" for i in range(len(loras))]
    for lora, adapter in zip(loras, adapters, strict=True):
        _load(pipeline, modules, lora, adapter, model.name)
    pipeline.set_adapters(adapters, [lora.scale for lora in loras])
    if not any(map(is_quantised, modules)):  # nothing can be added to these: the layers stay beside them
        parts = [name for name in pipeline._lora_loadable_modules if name in names]
        pipeline.fuse_lora(components=parts, adapter_names=adapters)
        pipeline.unload_lora_weights()
    for module in modules:
        module.eval().requires_grad_(False)
    model.loras = tuple(loras)


def _count_layers(header: Header) -> int:
    """Return how many layers a LoRA file holds.

    Raises:
        ModelError: none, layers of another form, or one of a layer's two matrices without the other, which diffusers
            would fill with random numbers.
    """
    if any(mark in name for name in header for mark in OTHER_LAYERS):
        raise ModelError(
            f"{header.path} holds layers of LyCORIS (LoHa, LoKr, ...), which are not read: take a plain LoRA."
        )
    ends = [*zip(UP, DOWN, strict=True), *zip(DOWN, UP, strict=True)]
    others = {name: name.removesuffix(end) + other for name in header for end, other in ends if name.endswith(end)}
    if not others:
        kind = kind_of(header)
        what = (
            f"a whole checkpoint. Open it by --model {header.path}."
            if kind.layout
            else f"{kind.title}. {kind.next_step}"
        )
        raise ModelError(f"{header.path} is no LoRA file, but {what}")
    if alone := next((name for name, other in others.items() if other not in header), None):
        raise ModelError(
            f"{header.path} lacks {others[alone]}, which belongs to {alone}: it is damaged: {mend(header.path)}."
        )
    return len(others) // 2


def _load(pipeline: Any, modules: Sequence[torch.nn.Module], lora: LoraFile, adapter: str, name: str) -> None:
    from safetensors.torch import load_file

    from regrow.models.load_part import quiet

    if lora.path.suffix.lower() != ".safetensors":
        raise ModelError(f"{lora.path} is no .safetensors file, the only kind of LoRA file that is read: convert it.")
    header = read_header(lora.path)
    state = load_file(lora.path)
    check_finite(lora.path, state)
    held = _count_layers(header)
    try:
        with quiet(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Already found a `peft_config`")  # of the file before it
            pipeline.load_lora_weights(state, adapter_name=adapter)
        parts = [part for module in modules for part in module.modules()]
        taken = sum(adapter in getattr(part, "lora_B", ()) for part in parts)
    except Exception as problem:  # diffusers and peft raise whatever shapes and names break
        raise ModelError(f"{lora.path} does not fit {name} ({reason(problem)}): it is of another model.") from problem
    scaled = sum(name.endswith(MAGNITUDES) for name in header)
    read = sum(adapter in getattr(part, "lora_magnitude_vector", ()) for part in parts)
    if scaled not in (0, held) or scaled > read:
        raise ModelError(
            f"{lora.path} holds {scaled} layers with magnitudes (DoRA) of {held}, and diffusers reads {read} in this "
            "layout: take a plain LoRA."
        )
    if taken < held:
        raise ModelError(f"{lora.path} holds {held} layers, of which {taken} fit {name}: it is of another model.")
