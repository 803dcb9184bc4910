"""Room for a part: those that nobody changed are released where memory does not hold it beside them."""

from typing import TYPE_CHECKING

import torch

from regrow.models.errors import ModelError
from regrow.models.memory.free import LEFT, free_memory
from regrow.models.memory.placement import FLOAT8

if TYPE_CHECKING:
    from regrow.models.parts import Parts


def part_size(parts: "Parts", name: str) -> int:
    """Return the bytes that the weights of a part take once it is opened; 0 for what has none, or lost its files."""
    # the numbers in quantised weights are no count of bytes; those in pickles are not counted
    packed = [path for path in parts.openers[name].files if path.suffix in (".gguf", ".bin", ".ckpt", ".pt", ".pth")]
    try:
        if packed:
            return sum(path.stat().st_size for path in packed)
        dtype = FLOAT8 if name == parts.placement.float8 else parts.dtype
        return dtype.itemsize * parts.weights(name)
    except (ModelError, OSError):  # what is wrong with its files is said when it is opened
        return 0


def releasable(parts: "Parts") -> list[str]:
    """Return the opened networks that may be released, the one unused for longest first."""
    return [
        name
        for name, part in parts.opened.items()
        if isinstance(part, torch.nn.Module)
        and name not in parts.kept
        and not any(parameter.requires_grad for parameter in part.parameters())
    ]


def make_room(parts: "Parts", needed: int, device: torch.device, but: str = "") -> None:
    """Release parts, the one unused for longest first, until so many bytes are free on a device.

    Args:
        parts: of a checkpoint.
        needed: bytes.
        device: where they are needed.
        but: a part that stays.
    """
    for name in releasable(parts):
        if needed <= LEFT * free_memory(device):
            return
        if name != but:
            parts.release(name)
