"""Hooks of accelerate and diffusers that move weights to a device and back; separate, as both are slow to import."""

from collections.abc import Mapping
from typing import Any

import torch
from accelerate.hooks import CpuOffload, add_hook_to_module
from diffusers.hooks.group_offloading import apply_group_offloading

CPU = torch.device("cpu")


class Turn(CpuOffload):
    """Move a part to the device before it computes, after all others have left it.

    diffusers' codecs call it in `encode` and `decode`, too (`apply_forward_hook`).

    Args:
        module: the part.
        device: the device that computes.
        turns: hooks of all parts, by name; more are added later.
    """

    def __init__(self, module: torch.nn.Module, device: torch.device, turns: Mapping[str, "Turn"]) -> None:
        super().__init__(device)
        self.module, self.turns = module, turns

    def pre_forward(self, module: torch.nn.Module, *args: Any, **kwargs: Any) -> Any:
        for other in self.turns.values():
            if other is not self:
                other.leave()
        return super().pre_forward(module, *args, **kwargs)

    def leave(self) -> None:
        """Move the part's weights back to the CPU."""
        torch.nn.Module.to(self.module, CPU)

    def init_hook(self, module: torch.nn.Module) -> torch.nn.Module:
        return torch.nn.Module.to(module, CPU)  # diffusers' own `to` logs a page on every call


def in_turn(module: torch.nn.Module, device: torch.device, turns: Mapping[str, Turn]) -> Turn:
    """Move a part to the device when it computes, and away when another one does."""
    turn = Turn(module, device, turns)
    add_hook_to_module(module, turn, append=True)
    return turn


def in_layers(module: torch.nn.Module, device: torch.device) -> bool:
    """Move each layer of a part to the device only while it computes.

    Returns:
        Whether that is possible: diffusers excludes parts whose layers compute their weights from other tensors.
    """
    if not getattr(module, "_supports_group_offloading", True):
        return False
    torch.nn.Module.to(module, CPU)
    apply_group_offloading(module, onload_device=device, offload_device=CPU, offload_type="leaf_level")
    return True
