"""Where the weights of opened parts are while nothing is computed with them, and in what they are stored."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import torch

from regrow.models.errors import ModelError
from regrow.models.memory.names import DtypeName, Offload

if TYPE_CHECKING:
    from regrow.models.memory.hooks import Turn
    from regrow.models.model import Model

    AnyModel = TypeVar("AnyModel", bound=Model)

FLOAT8 = torch.float8_e4m3fn
"""In which `--dtype float8` stores weights (Micikevicius et al. 2022, arXiv 2209.05433)."""


def dtype_named(name: DtypeName) -> torch.dtype:
    """Return what `--dtype` names, as `open_model` takes it."""
    return torch.float32 if name == "auto" else FLOAT8 if name == "float8" else getattr(torch, name)


@dataclass(frozen=True, eq=False)
class Placement:
    """How parts are placed once they are opened.

    Attributes:
        offload: `none` leaves weights on the device. `parts` has those of one part there at a time, the one that
            computes; `layers` those of one layer. All others wait in the machine's memory.
        float8: the part whose weights are stored in float8 and brought to bfloat16 layer by layer; "" for none.
        turns: of the parts that come to the device in turn, by name.
    """

    offload: Offload = "none"
    float8: str = ""
    turns: dict[str, "Turn"] = field(default_factory=dict)

    def place(self, name: str, module: torch.nn.Module, device: torch.device) -> None:
        """Put an opened part where it is to be, in place.

        Raises:
            ModelError: its weights are quantised, so that float8 has no place in them.
        """
        if name == self.float8:
            _store_in_float8(name, module)
        if self.offload == "none":
            torch.nn.Module.to(module, device)  # diffusers' own logs a page on every call
            return
        from regrow.models.memory.hooks import in_layers, in_turn

        if self.offload == "layers" and in_layers(module, device):
            return
        self.turns[name] = in_turn(module, device, self.turns)

    def forget(self, name: str) -> None:
        """Forget a part that is released."""
        self.turns.pop(name, None)


def _store_in_float8(name: str, module: Any) -> None:
    if getattr(module, "hf_quantizer", None) is not None:
        raise ModelError(f"The weights of {name} are quantised already: leave --dtype float8 out.")
    module.enable_layerwise_casting(FLOAT8, torch.bfloat16)


def placed(model: "AnyModel", device: str | torch.device, placement: Placement) -> "AnyModel":
    """Place the parts of a model that was just opened on a device.

    Raises:
        ModelError: there is no device of this name, nothing to offload from, or quantised weights to store in float8.
    """
    try:
        torch.empty(0, device=device)
        _check_offload(torch.device(device), placement.offload)
        model.parts.place(device, placement)
        return model
    except (RuntimeError, AssertionError) as problem:  # torch has both for a device that is not there
        first = str(problem).splitlines()[0].rstrip(".")
        raise ModelError(f"--device {device} cannot be used here ({first}); leave it out for the CPU.") from problem


def _check_offload(device: torch.device, offload: Offload) -> None:
    if offload != "none" and device.type == "cpu":
        raise ModelError(
            f"--offload {offload} keeps weights in the machine's memory until a graphics card computes with them, and "
            "here the CPU computes, in that memory: leave --offload out, or name the card, as in --device cuda. On the "
            "CPU, parts that do not fit together are opened in turn by themselves."
        )
