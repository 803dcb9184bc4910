"""What a weight file says before any weight is read: the names, shapes and types of its tensors."""

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from regrow.models.errors import ModelError
from regrow.models.folder import check_fetched, mend, reason

SUFFIXES = (".safetensors", ".gguf", ".ckpt", ".pt", ".pth", ".bin")
"""Of files that may be a checkpoint."""
PICKLED = (".ckpt", ".pt", ".pth", ".bin")
_MOST = 256 << 20
"""Bytes that a header may have: safetensors' own bound is 100 MB."""


@dataclass(frozen=True)
class Header:
    """Names of the tensors in a file.

    Attributes:
        path: of the file.
        shapes: by name.
    """

    path: Path
    shapes: Mapping[str, tuple[int, ...]]

    def __contains__(self, name: str) -> bool:
        return name in self.shapes

    def __iter__(self) -> Iterator[str]:
        return iter(self.shapes)

    def has(self, *parts: str) -> bool:
        """Return whether any name holds one of these texts."""
        return any(part in name for name in self.shapes for part in parts)

    def begins(self, *prefixes: str) -> bool:
        """Return whether any name begins with one of these texts."""
        return any(name.startswith(prefixes) for name in self.shapes)

    def count(self, *prefixes: str) -> int:
        """Return how many numbers lie in the tensors whose names begin with one of these."""
        return sum(prod(shape) for name, shape in self.shapes.items() if name.startswith(prefixes))


def read_header(path: Path, allow_pickle: bool = False) -> Header:
    """Read the names of a file's tensors.

    Args:
        path: of a `.safetensors` or `.gguf` file, or of a pickle.
        allow_pickle: whether a pickle may be opened, by torch's loader that builds nothing but tensors.

    Raises:
        ModelError: it is missing, damaged, of another kind, or a pickle and these are not allowed.
    """
    check_fetched(path)
    if path.suffix == ".gguf":
        return _gguf(path)
    if path.suffix in PICKLED:
        return _pickle(path, allow_pickle)
    try:
        with path.open("rb") as file:
            length = struct.unpack("<Q", file.read(8))[0]
            if length > _MOST:
                raise ValueError(f"a header of {length} bytes")
            header: dict[str, Any] = json.loads(file.read(length))
        header.pop("__metadata__", None)
        shapes = {name: tuple(entry["shape"]) for name, entry in header.items()}
        end = max((entry["data_offsets"][1] for entry in header.values()), default=0)
    except Exception as error:  # bytes that are no header break whatever they meet first
        raise ModelError(f"{path} is damaged, or is no safetensors file ({reason(error)}): {mend(path)}.") from error
    if (missing := 8 + length + end - path.stat().st_size) > 0:
        raise ModelError(f"{path} was cut short: its last {missing} bytes are missing: {mend(path)}.")
    return Header(path, shapes)


def _pickle(path: Path, allow_pickle: bool) -> Header:
    if not allow_pickle:
        raise ModelError(
            f"{path} is a pickle, which can run any program when it is read; take the .safetensors file of the same "
            "model, or use --allow-pickle if you trust where it comes from."
        )
    shapes = {name: tuple(tensor.shape) for name, tensor in unpickled(path).items()}
    return Header(path, shapes)


def unpickled(path: Path) -> dict[str, Any]:
    """Return the tensors of a pickle by name, mapped from the disk where its form allows it.

    Raises:
        ModelError: it is damaged, or holds what torch's safe loader does not build.
    """
    import torch

    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        while isinstance(content.get("state_dict"), dict):
            content = content["state_dict"]
        content = content.get("string_to_param", content)  # AUTOMATIC1111's embeddings
        return {name: tensor for name, tensor in content.items() if isinstance(tensor, torch.Tensor)}
    except Exception as error:
        raise ModelError(f"{path} cannot be read as tensors alone ({reason(error)}): {mend(path)}.") from error


def _gguf(path: Path) -> Header:
    try:
        from gguf import GGUFReader
    except ImportError:
        raise ModelError(
            f"{path} is a GGUF file, which the package gguf reads: pip install 'regrow[quantised]'."
        ) from None
    try:
        reader = GGUFReader(path)
        # sizes stand in GGUF from the innermost outwards
        shapes = {tensor.name: tuple(int(side) for side in reversed(tensor.shape)) for tensor in reader.tensors}
    except Exception as error:
        raise ModelError(f"{path} is damaged, or is no GGUF file ({reason(error)}): {mend(path)}.") from error
    return Header(path, shapes)
