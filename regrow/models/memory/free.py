"""How much memory is free where a model computes."""

import psutil
import torch

LEFT = 0.9
"""Share of what is free that is counted on: other programs, and what torch keeps for itself, have the rest."""
WORKING = 1.2
"""What a network takes at work, in its weights: an assumption, for what it computes in between."""


def free_memory(device: torch.device) -> int:
    """Return the bytes that are free on a device.

    On the CPU, and on Apple's `mps`, which shares the CPU's memory, that is what the system can give without swapping.
    On a card, what its driver calls free, and what torch holds there without use.
    """
    if device.type in ("cpu", "mps"):
        return psutil.virtual_memory().available
    backend = getattr(torch, device.type)
    free, _ = backend.mem_get_info(device)
    return free + backend.memory_reserved(device) - backend.memory_allocated(device)


def total_memory(device: torch.device) -> int:
    """Return the bytes that a device has, free or not."""
    if device.type in ("cpu", "mps"):
        return psutil.virtual_memory().total
    return getattr(torch, device.type).mem_get_info(device)[1]


def graphics_card() -> torch.device | None:
    """Return the device that torch computes on beside the CPU, if there is one."""
    return torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
