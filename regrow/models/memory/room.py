"""Make room for a part by releasing unmodified parts that do not fit into memory with it."""

from typing import TYPE_CHECKING

import torch

from regrow.models.errors import ModelError
from regrow.models.memory.free import LEFT, free_memory
from regrow.models.memory.placement import FLOAT8

if TYPE_CHECKING:
    from regrow.models.parts import Parts


def part_size(parts: "Parts", name: str) -> int:
    """Return the bytes of a part's weights once it is opened; 0 if it has no weights, or its files are missing."""
    # neither quantised nor pickled weights can be counted from a header
    packed = [path for path in parts.openers[name].files if path.suffix in (".gguf", ".bin", ".ckpt", ".pt", ".pth")]
    try:
        if packed:
            return sum(path.stat().st_size for path in packed)
        dtype = FLOAT8 if name == parts.placement.float8 else parts.dtype
        return dtype.itemsize * parts.weights(name)
    except (ModelError, OSError):  # opening it will report what is wrong with its files
        return 0


def releasable(parts: "Parts") -> list[str]:
    """Return the opened networks that may be released, the least recently used first."""
    return [
        name
        for name, part in parts.opened.items()
        if isinstance(part, torch.nn.Module)
        and name not in parts.kept
        and not any(parameter.requires_grad for parameter in part.parameters())
    ]


def make_room(parts: "Parts", needed: int, device: torch.device, but: str = "") -> None:
    """Release parts, the least recently used first, until `needed` bytes are free on a device.

    Args:
        parts: a checkpoint's parts.
        needed: bytes.
        device: where they are needed.
        but: a part that is not released.
    """
    for name in releasable(parts):
        if needed <= LEFT * free_memory(device):
            return
        if name != but:
            parts.release(name)
