"""Measure the free memory of a device."""

import psutil
import torch

LEFT = 0.9
"""Fraction of the free memory that is used; the rest is for other programs and torch's own caches."""
WORKING = 1.2
"""Assumed memory of a computing network, relative to its weights: 1.2 leaves a fifth for activations."""


def free_memory(device: torch.device) -> int:
    """Return the free bytes of a device.

    On the CPU, and on Apple's `mps`, which shares the CPU's memory, this is what is available without swapping. On
    other devices it is the driver's free memory plus what torch has reserved but does not use.
    """
    if device.type in ("cpu", "mps"):
        return psutil.virtual_memory().available
    backend = getattr(torch, device.type)
    free, _ = backend.mem_get_info(device)
    return free + backend.memory_reserved(device) - backend.memory_allocated(device)


def total_memory(device: torch.device) -> int:
    """Return the total bytes of a device."""
    if device.type in ("cpu", "mps"):
        return psutil.virtual_memory().total
    return getattr(torch, device.type).mem_get_info(device)[1]


def graphics_card() -> torch.device | None:
    """Return torch's accelerator, if there is one."""
    return torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
