"""Which engine computes a network: torch, or OpenVINO where it is installed and pays."""

import warnings
from typing import TypeVar

import torch

from regrow.models.engines.names import EngineName, Precision
from regrow.models.engines.network import network_of
from regrow.models.engines.openvino import OpenVino
from regrow.models.engines.openvino_runtime import computes, fastest, installed
from regrow.models.errors import ModelError
from regrow.models.model import Model

AnyModel = TypeVar("AnyModel", bound=Model)

PAYS_FROM = 5_000_000
"""Weights of a network from which on `auto` takes OpenVINO. The embedded models have 10 million: there it takes a
third of the time of a call; converting costs seconds once, loading less than one ever after (docs/speed.md)."""


def with_engine(model: AnyModel, wanted: EngineName, precision: Precision | None = None) -> AnyModel:
    """The model, computed by the wanted engine.

    Args:
        model: an opened checkpoint.
        wanted: `auto` takes openvino where it is installed, the model is on the CPU in float32 and its network is
            large enough to pay for the compilation; if that fails, torch, with a warning.
        precision: that OpenVINO computes in; the fastest of this CPU if not given.

    Raises:
        ModelError: openvino is wanted and cannot be had.
    """
    fits = model.device.type == "cpu" and model.dtype == torch.float32
    able = fits and installed() and model.engine_graph
    if wanted == "torch" or (wanted == "auto" and not (able and model.parts.weights(model.NETWORK) >= PAYS_FROM)):
        return model.using(None)
    if not installed():
        raise ModelError("OpenVINO is not installed: pip install openvino, or leave --engine openvino out.")
    if not fits:
        raise ModelError(
            f"OpenVINO takes a model on the CPU in float32, and {model.name} is on {model.device} in "
            f"{str(model.dtype).removeprefix('torch.')}; leave --device and --dtype out, or --engine openvino."
        )
    try:
        return model.using(OpenVino(network_of(model), precision or fastest()))
    except ModelError as error:
        if wanted == "openvino":
            raise
        warnings.warn(f"{error} The network is computed by torch instead.", stacklevel=2)
        return model.using(None)


def as_recorded(model: AnyModel, engine: str) -> AnyModel:
    """The model, computed by what a recipe names.

    Args:
        model: an opened checkpoint.
        engine: `Model.computed_by` of that time.

    Raises:
        ModelError: it cannot be had here.
    """
    if engine == model.computed_by:
        return model
    library, _, precision = engine.partition(" ")
    if library == "torch":
        return model.using(None)
    if library != "openvino" or precision not in ("float32", "bfloat16"):
        raise ModelError(f"This was computed by {engine!r}, which regrow does not know; add --engine torch.")
    if not installed() or not computes(precision):
        lacks = f"this CPU has no {precision}" if installed() else "OpenVINO is not installed here"
        raise ModelError(f"This was computed by {engine}, and {lacks}; add --engine torch for nearly the same.")
    return with_engine(model, "openvino", precision)
