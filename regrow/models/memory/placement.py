"""Choose where the weights of opened parts are kept while unused, and in which precision."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import torch

from regrow.messages.message import say
from regrow.models.errors import ModelError
from regrow.models.memory.names import DtypeName, Offload

if TYPE_CHECKING:
    from regrow.models.memory.hooks import Turn
    from regrow.models.model import Model

    AnyModel = TypeVar("AnyModel", bound=Model)

FLOAT8 = torch.float8_e4m3fn
"""Storage dtype of `--dtype float8` (Micikevicius et al. 2022, arXiv 2209.05433)."""


def dtype_named(name: DtypeName) -> torch.dtype:
    """Return the torch dtype for a name of `--dtype`, as `open_model` takes it."""
    return torch.float32 if name == "auto" else FLOAT8 if name == "float8" else getattr(torch, name)


@dataclass(frozen=True, eq=False)
class Placement:
    """How parts are placed once they are opened.

    Attributes:
        offload: `none` keeps all weights on the device; `parts` only those of the part that computes; `layers` only
            those of the layer that computes. All others are kept in the CPU's memory.
        float8: the part whose weights are stored in float8 and cast to bfloat16 layer by layer; "" for none.
        turns: hooks of the parts that take turns on the device, by name.
    """

    offload: Offload = "none"
    float8: str = ""
    turns: dict[str, "Turn"] = field(default_factory=dict)

    def place(self, name: str, module: torch.nn.Module, device: torch.device) -> None:
        """Place an opened part, in place.

        Raises:
            ModelError: its weights are quantised, so they cannot be stored in float8.
        """
        if name == self.float8:
            _store_in_float8(name, module)
        if self.offload == "none":
            torch.nn.Module.to(module, device)  # diffusers' own `to` logs a page on every call
            return
        from regrow.models.memory.hooks import in_layers, in_turn

        if self.offload == "layers" and in_layers(module, device):
            return
        self.turns[name] = in_turn(module, device, self.turns)

    def forget(self, name: str) -> None:
        """Forget a released part."""
        self.turns.pop(name, None)


def _store_in_float8(name: str, module: Any) -> None:
    if getattr(module, "hf_quantizer", None) is not None:
        raise ModelError(say("float8_of_quantised", name=name))
    module.enable_layerwise_casting(FLOAT8, torch.bfloat16)


def placed(model: "AnyModel", device: str | torch.device, placement: Placement) -> "AnyModel":
    """Place the parts of a model that was just opened on a device.

    Raises:
        ModelError: there is no such device, offloading on the CPU, or quantised weights to store in float8.
    """
    try:
        torch.empty(0, device=device)
        _check_offload(torch.device(device), placement.offload)
        model.parts.place(device, placement)
        return model
    except (RuntimeError, AssertionError) as problem:  # torch raises both for a missing device
        first = str(problem).splitlines()[0].rstrip(".")
        raise ModelError(say("device_unusable", device=device, reason=first)) from problem


def _check_offload(device: torch.device, offload: Offload) -> None:
    if offload != "none" and device.type == "cpu":
        raise ModelError(say("offload_on_cpu", offload=offload))
