"""Choose the engine of a network: OpenVINO where it is installed and faster, else torch."""

import warnings
from typing import TypeVar

import torch

from regrow.messages.message import say
from regrow.models.engines.names import EngineName, Precision
from regrow.models.engines.network import network_of
from regrow.models.engines.openvino import OpenVino
from regrow.models.engines.openvino_runtime import computes, fastest, installed
from regrow.models.errors import ModelError
from regrow.models.model import Model

AnyModel = TypeVar("AnyModel", bound=Model)

PAYS_FROM = 5_000_000
"""Smallest number of weights for which `auto` takes OpenVINO. With the embedded models' 10 million, a call takes a
third of the time; converting costs seconds once, loading less than one afterwards (docs/explain/speed.md)."""


def with_engine(model: AnyModel, wanted: EngineName, precision: Precision | None = None) -> AnyModel:
    """Return the model with the wanted engine.

    Args:
        model: an opened checkpoint.
        wanted: `auto` takes openvino where it is installed, the model is on the CPU in float32 and its network is
            large enough to pay for the compilation; if that fails, torch, with a warning.
        precision: OpenVINO's precision; the fastest on this CPU if not given.

    Raises:
        ModelError: openvino is wanted, but cannot be used.
    """
    fits = model.device.type == "cpu" and model.dtype == torch.float32
    able = fits and installed() and model.engine_graph
    if wanted == "torch" or (wanted == "auto" and not (able and model.parts.weights(model.NETWORK) >= PAYS_FROM)):
        return model.using(None)
    if not installed():
        raise ModelError(say("openvino_missing"))
    if not fits:
        raise ModelError(
            say(
                "openvino_needs_cpu",
                name=model.name,
                device=model.device,
                dtype=str(model.dtype).removeprefix("torch."),
            )
        )
    try:
        return model.using(OpenVino(network_of(model), precision or fastest()))
    except ModelError as error:
        if wanted == "openvino":
            raise
        warnings.warn(say("engine_failed", problem=error), stacklevel=2)
        return model.using(None)


def as_recorded(model: AnyModel, engine: str) -> AnyModel:
    """Return the model with the engine that a recipe names.

    Args:
        model: an opened checkpoint.
        engine: `Model.computed_by` when the recipe was written.

    Raises:
        ModelError: it cannot be used here.
    """
    if engine == model.computed_by:
        return model
    library, _, precision = engine.partition(" ")
    if library == "torch":
        return model.using(None)
    if library != "openvino" or precision not in ("float32", "bfloat16"):
        raise ModelError(say("engine_unknown", engine=engine))
    if not installed() or not computes(precision):
        lacks = say("cpu_lacks_precision", precision=precision) if installed() else say("openvino_not_here")
        raise ModelError(say("engine_missing_here", engine=engine, lacks=lacks))
    return with_engine(model, "openvino", precision)
