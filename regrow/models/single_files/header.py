"""Read the names and shapes of a weight file's tensors, without reading weights."""

import json
import pickle
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, NoReturn
from zipfile import is_zipfile

from regrow.messages.message import say
from regrow.models.errors import ModelError
from regrow.models.folder import check_fetched, mend, reason

SUFFIXES = (".safetensors", ".gguf", ".ckpt", ".pt", ".pth", ".bin")
"""Suffixes of files that may be a checkpoint."""
PICKLED = (".ckpt", ".pt", ".pth", ".bin")
_MOST = 100_000_000
"""Most bytes of a header: safetensors' own limit."""
_FIRST_BYTES = (
    (b"PK\x03\x04", say("header_is_zip")),
    (b"\x80\x02}", say("header_is_pickle")),
    (b"GGUF", say("header_is_gguf")),
    (b"<", say("header_is_web_page")),
    (b"\xff\xd8\xff", say("header_is_jpeg")),
    (b"\x89PNG", say("header_is_png")),
    (b"RIFF", say("header_is_riff")),
    (b"fLaC", say("header_is_flac")),
)
"""First bytes of files that are not safetensors, with a message on each."""


@dataclass(frozen=True)
class Header:
    """Names and shapes of the tensors in a file.

    Attributes:
        path: the file.
        shapes: shapes by name.
    """

    path: Path
    shapes: Mapping[str, tuple[int, ...]]

    def __contains__(self, name: str) -> bool:
        return name in self.shapes

    def __iter__(self) -> Iterator[str]:
        return iter(self.shapes)

    def has(self, *parts: str) -> bool:
        """Return whether any name contains one of these texts."""
        return any(part in name for name in self.shapes for part in parts)

    def begins(self, *prefixes: str) -> bool:
        """Return whether any name begins with one of these texts."""
        return any(name.startswith(prefixes) for name in self.shapes)

    def side(self, name: str, axis: int) -> int:
        """Return the length of a tensor along an axis; 0 if there is no such tensor or axis."""
        shape = self.shapes.get(name, ())
        return shape[axis] if -len(shape) <= axis < len(shape) else 0

    def count(self, *prefixes: str) -> int:
        """Count the numbers in the tensors whose names begin with one of these texts."""
        return sum(prod(shape) for name, shape in self.shapes.items() if name.startswith(prefixes))


def read_header(path: Path, allow_pickle: bool = False) -> Header:
    """Read the names and shapes of a file's tensors.

    Args:
        path: a `.safetensors` or `.gguf` file, or a pickle.
        allow_pickle: whether a pickle may be opened, by torch's loader for tensors only.

    Raises:
        ModelError: it is missing, damaged, of another kind, or a pickle without `allow_pickle`.
    """
    check_fetched(path)
    suffix = path.suffix.lower()
    if suffix == ".gguf":
        return _gguf(path)
    if suffix in PICKLED:
        return _pickle(path, allow_pickle)
    from safetensors import safe_open

    try:
        with safe_open(path, "numpy") as file:  # also checks that the tensors fill the file without gaps
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except Exception as error:  # errors of the library, or of the system
        _refuse(path, error)
    return Header(path, shapes)


def _refuse(path: Path, error: Exception) -> NoReturn:
    """Raise an error that says which kind of file this is, as safetensors cannot read it."""
    with path.open("rb") as file:
        head = file.read(16)
    if not head:
        raise ModelError(say("weight_file_empty", path=path, mend=mend(path))) from error
    if what := next((what for begins, what in _FIRST_BYTES if head.startswith(begins)), ""):
        raise ModelError(say("weight_file_is_other", path=path, problem=what)) from error
    if missing := _missing(path):
        raise ModelError(say("weight_file_cut_short", path=path, missing=missing, mend=mend(path))) from error
    raise ModelError(say("safetensors_damaged", path=path, reason=reason(error), mend=mend(path))) from error


def _missing(path: Path) -> int:
    """Return how many bytes a file lacks by its header; 0 if the header cannot be read."""
    try:
        with path.open("rb") as file:
            length = struct.unpack("<Q", file.read(8))[0]
            if length > _MOST:
                return 0
            header: dict[str, Any] = json.loads(file.read(length))
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
        return max(0, 8 + length + max(ends, default=0) - path.stat().st_size)
    except Exception:  # bytes that are no header raise many exception types
        return 0


def _pickle(path: Path, allow_pickle: bool) -> Header:
    if not allow_pickle:
        raise ModelError(say("checkpoint_is_pickle", path=path))
    shapes = {name: tuple(tensor.shape) for name, tensor in unpickled(path).items()}
    return Header(path, shapes)


def unpickled(path: Path) -> dict[str, Any]:
    """Return the tensors of a pickle by name.

    Raises:
        ModelError: it is damaged, or holds objects that torch's safe loader refuses.
    """
    import torch

    try:
        mapped = is_zipfile(path)  # as torch writes them since 1.6; older ones are read whole
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except pickle.UnpicklingError as error:  # its own text advises an unsafe load
        raise ModelError(say("pickle_holds_more", path=path)) from error
    except Exception as error:
        raise ModelError(say("pickle_unreadable", path=path, reason=reason(error), mend=mend(path))) from error
    while isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    content = content.get("string_to_param", content) if isinstance(content, dict) else {}  # AUTOMATIC1111's embeddings
    return {name: tensor for name, tensor in content.items() if isinstance(name, str) and torch.is_tensor(tensor)}


def _gguf(path: Path) -> Header:
    try:
        from gguf import GGUFReader
    except ImportError:
        raise ModelError(say("gguf_missing", path=path)) from None
    try:
        reader = GGUFReader(path)
        # GGUF lists sizes from the innermost axis outwards
        shapes = {tensor.name: tuple(int(side) for side in reversed(tensor.shape)) for tensor in reader.tensors}
    except Exception as error:
        raise ModelError(say("gguf_damaged", path=path, reason=reason(error), mend=mend(path))) from error
    return Header(path, shapes)
