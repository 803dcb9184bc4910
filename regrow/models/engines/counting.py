"""Count what a network of a config holds and computes, by torch on tensors without content."""

import importlib
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

Shapes = Sequence[Any] | Mapping[str, Any] | str | None
"""Of one input: sides of a tensor, sequences or mappings of such, "mask" and sides of one, or None for no input."""


def empty_module(kind: str, config: Mapping[str, Any]) -> nn.Module:
    """Build a module without weights.

    Args:
        kind: its class with its module, as `diffusers.UNet2DModel`; a class of transformers gets a config of its own.
        config: that it is built from; what is left out is the class's default.

    Raises:
        ValueError: there is no such class, or the config makes no module.
    """
    module, _, name = kind.rpartition(".")
    try:
        made = getattr(importlib.import_module(module), name)
        with torch.device("meta"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return made(made.config_class(**config)) if module == "transformers" else made(**config)
    except Exception as error:  # diffusers and transformers raise whatever the config's values break
        raise ValueError(f"No {kind} can be built from {dict(config)} ({type(error).__name__}: {error}).") from error


def count_parameters(module: nn.Module) -> int:
    """Return how many weights a module has; shared ones count once."""
    return sum(parameter.numel() for parameter in module.parameters())


def count_flops(module: nn.Module, inputs: Mapping[str, Shapes]) -> float:
    """Return the flops of a call without gradients; a multiplication and an addition are two.

    Args:
        module: on the meta device.
        inputs: by the argument's name.
    """
    arguments = {name: _empty(shapes) for name, shapes in inputs.items()}
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module.eval()(**arguments)
    return float(counter.get_total_flops())


def _empty(shapes: Shapes) -> Any:
    if shapes is None:
        return None
    if isinstance(shapes, Mapping):
        return {name: _empty(each) for name, each in shapes.items()}
    if isinstance(shapes[0], int):
        return torch.zeros(tuple(shapes), device="meta")
    if shapes[0] == "mask":
        return torch.ones(tuple(shapes[1:]), dtype=torch.bool, device="meta")
    return tuple[Tensor, ...](_empty(each) for each in shapes)
