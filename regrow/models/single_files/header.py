"""What a weight file says before any weight is read: the names, shapes and types of its tensors."""

import json
import pickle
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, NoReturn

from regrow.models.errors import ModelError
from regrow.models.folder import check_fetched, mend, reason

SUFFIXES = (".safetensors", ".gguf", ".ckpt", ".pt", ".pth", ".bin")
"""Of files that may be a checkpoint."""
PICKLED = (".ckpt", ".pt", ".pth", ".bin")
_MOST = 100_000_000
"""Bytes that a header may have: safetensors' own bound."""
_FIRST_BYTES = (
    (b"PK\x03\x04", "is a ZIP archive: unpack it; or, if torch wrote it, it is a pickle: let its name end in .ckpt"),
    (b"\x80\x02}", "is a pickle by another name: let that end in .ckpt"),
    (b"GGUF", "is a GGUF file by another name: let that end in .gguf"),
    (b"<", "is a page of a site in place of the file: log in there or accept its terms, and download it again"),
    (b"\xff\xd8\xff", "is a picture (JPEG), and no checkpoint"),
    (b"\x89PNG", "is a picture (PNG), and no checkpoint"),
    (b"RIFF", "is a sound or a picture (RIFF), and no checkpoint"),
    (b"fLaC", "is a sound (FLAC), and no checkpoint"),
)
"""How files begin that take the place of a checkpoint, and what each is."""


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

    def side(self, name: str, axis: int) -> int:
        """Return the length of a tensor along an axis; 0 where there is no such tensor, or it has no such axis."""
        shape = self.shapes.get(name, ())
        return shape[axis] if -len(shape) <= axis < len(shape) else 0

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
    suffix = path.suffix.lower()
    if suffix == ".gguf":
        return _gguf(path)
    if suffix in PICKLED:
        return _pickle(path, allow_pickle)
    from safetensors import safe_open

    try:
        with safe_open(path, "numpy") as file:  # which checks that the tensors fill the file, without a gap
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except Exception as error:  # the library's own, or the system's
        _refuse(path, error)
    return Header(path, shapes)


def _refuse(path: Path, error: Exception) -> NoReturn:
    """Say what a file is that safetensors does not read."""
    with path.open("rb") as file:
        head = file.read(16)
    if not head:
        raise ModelError(f"{path} is empty (0 bytes): {mend(path)}.") from error
    if what := next((what for begins, what in _FIRST_BYTES if head.startswith(begins)), ""):
        raise ModelError(f"{path} {what}.") from error
    if missing := _missing(path):
        raise ModelError(f"{path} was cut short: its last {missing} bytes are missing: {mend(path)}.") from error
    raise ModelError(f"{path} is damaged, or is no safetensors file ({reason(error)}): {mend(path)}.") from error


def _missing(path: Path) -> int:
    """Return how many bytes a file lacks of what its header says; 0 where that cannot be read."""
    try:
        with path.open("rb") as file:
            length = struct.unpack("<Q", file.read(8))[0]
            if length > _MOST:
                return 0
            header: dict[str, Any] = json.loads(file.read(length))
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
        return max(0, 8 + length + max(ends, default=0) - path.stat().st_size)
    except Exception:  # bytes that are no header break whatever they meet first
        return 0


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
    except pickle.UnpicklingError as error:  # whose text tells the reader to let any program run
        raise ModelError(
            f"{path} is damaged, or holds more than tensors, which is not read: take the .safetensors file of the same "
            "model."
        ) from error
    except Exception as error:
        raise ModelError(f"{path} cannot be read as tensors alone ({reason(error)}): {mend(path)}.") from error
    while isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    content = content.get("string_to_param", content) if isinstance(content, dict) else {}  # AUTOMATIC1111's embeddings
    return {name: tensor for name, tensor in content.items() if isinstance(name, str) and torch.is_tensor(tensor)}


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
