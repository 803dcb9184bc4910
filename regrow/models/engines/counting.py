"""Count a network's weights and flops from its config, on torch's meta device."""

import importlib
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from regrow.messages.message import say

Shapes = Sequence[Any] | Mapping[str, Any] | str | None
"""One input: a tensor's shape, sequences or mappings of such, "mask" followed by a shape, or None for no input."""


def empty_module(kind: str, config: Mapping[str, Any]) -> nn.Module:
    """Build a module without weights.

    Args:
        kind: its module and class, such as `diffusers.UNet2DModel`; for transformers the config is wrapped in its
            config class.
        config: its config; missing keys take the class's defaults.

    Raises:
        ValueError: there is no such class, or it cannot be built from the config.
    """
    module, _, name = kind.rpartition(".")
    try:
        made = getattr(importlib.import_module(module), name)
        with torch.device("meta"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return made(made.config_class(**config)) if module == "transformers" else made(**config)
    except Exception as error:  # bad config values raise many exception types in both libraries
        raise ValueError(
            say("object_not_built", kind=kind, settings=dict(config), type=type(error).__name__, problem=error)
        ) from error


def count_parameters(module: nn.Module) -> int:
    """Return the number of a module's weights; shared ones count once."""
    return sum(parameter.numel() for parameter in module.parameters())


def count_flops(module: nn.Module, inputs: Mapping[str, Shapes]) -> float:
    """Return the flops of a call without gradients; a multiply-add counts as two.

    Args:
        module: a module on the meta device.
        inputs: shapes by argument name.
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
