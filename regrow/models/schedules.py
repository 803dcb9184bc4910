"""Convert diffusers' scheduler configs to the levels a network was trained on, and its prediction type.

The betas are those of diffusers' schedulers, in float64 instead of float32. A file may hold keys of other scheduler
classes: a key is read only if the class that wrote the file uses it.
"""

import math
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float64
from torch import Tensor

from regrow.core.crash import Crash
from regrow.core.denoiser import PredictionType
from regrow.core.edm import Edm
from regrow.core.levels import Schedule
from regrow.core.schedules import Consistency, Flow, VariancePreserving
from regrow.messages.message import say
from regrow.models.errors import ModelError
from regrow.models.folder import reason

MOST_LABELS = 1_000_000
"""Maximum number of levels of a table: a thousand times as many as in any published one."""
BETA_SCHEDULES = ("linear", "scaled_linear", "squaredcos_cap_v2")
_PREDICTIONS: dict[str, PredictionType] = {"epsilon": "epsilon", "sample": "sample", "v_prediction": "v"}
# the classes that read set_alpha_to_one, with its default; all others end at alpha 1
_SET_ALPHA_TO_ONE = {
    "DDIMScheduler": True,
    "DDIMParallelScheduler": True,
    "TCDScheduler": True,
    "PNDMScheduler": False,
}
_IGNORE_ZERO_SNR = {
    "DEISMultistepScheduler",
    "DPMSolverSinglestepScheduler",
    "HeunDiscreteScheduler",
    "KDPM2AncestralDiscreteScheduler",
    "KDPM2DiscreteScheduler",
    "LMSDiscreteScheduler",
    "PNDMScheduler",
}
_EDM = {"CosineDPMSolverMultistepScheduler"}
_CRASH = {"IPNDMScheduler"}
# the classes whose constructors have these defaults
_DEFAULT_BETAS = {"beta_schedule": "linear", "beta_start": 0.0001, "beta_end": 0.02}
_HAVE_DEFAULT_BETAS = {
    "DDIMScheduler",
    "DDPMScheduler",
    "DEISMultistepScheduler",
    "DPMSolverMultistepScheduler",
    "DPMSolverSinglestepScheduler",
    "EulerAncestralDiscreteScheduler",
    "EulerDiscreteScheduler",
    "LMSDiscreteScheduler",
    "PNDMScheduler",
    "UniPCMultistepScheduler",
}


def schedule_from_config(
    config: Mapping[str, Any], where: str | Path = "scheduler_config.json", by_size: bool = False
) -> tuple[Schedule, PredictionType]:
    """Return the schedule and the prediction type that a `scheduler_config.json` describes.

    `clip_sample` and `thresholding` are not read: a step that clips x0 cannot be inverted. Neither are the spacing and
    the sigmas (`use_karras_sigmas`, ...), which choose a path through the levels and not the levels. Euler and
    DPM-Solver replace an alpha-bar of 0 by 2^-24; this is not copied, as the network was trained with 0.

    Args:
        config: has `_class_name` and the keys that this class uses.
        where: the file, for messages.
        by_size: whether the family itself handles `use_dynamic_shifting` and `shift_terminal`
            (`families.shared.shift_by_size`); with the first in the file, the returned schedule is then unshifted.

    Raises:
        ModelError: betas are missing or of an unknown kind, the prediction type is unknown, or the values make no
            schedule.
    """
    name = str(config.get("_class_name", "of no class"))
    prediction = config.get("prediction_type", "epsilon")
    try:
        labels = int(config.get("num_train_timesteps", 1000))
        if name.startswith("FlowMatch"):
            return _flow(config, labels, float(config.get("shift", 1.0)), where, by_size), "flow"
        if prediction == "flow_prediction" and config.get("use_flow_sigmas"):
            return _flow(config, labels, float(config.get("flow_shift", 1.0)), where), "flow"
        if name in _CRASH:
            return _crash(config, where), "v"
        if name in _EDM:
            return _edm(config, where), _PREDICTIONS[prediction]
        if prediction not in _PREDICTIONS:
            known = ", ".join([*_PREDICTIONS, "flow_prediction with use_flow_sigmas"])
            raise ModelError(say("prediction_type_unknown", given=prediction, where=where, known=known))
        if config.get("timestep_type") == "continuous":
            raise ModelError(say("continuous_timesteps", where=where))
        if not 1 < labels <= MOST_LABELS:
            raise ValueError(say("timesteps_out_of_range", most=MOST_LABELS, given=labels))
        table = torch.cumprod(1 - _betas(config, name, labels, where), dim=0)
        if config.get("rescale_betas_zero_snr") and name not in _IGNORE_ZERO_SNR:
            table = _zero_terminal_snr(table)
        offset = int(config.get("steps_offset") or 0)
        if name == "LCMScheduler":  # its steps jump to x0
            distilled = int(config.get("original_inference_steps", 50))
            return Consistency(table, 1.0, offset, distilled), _PREDICTIONS[prediction]
        to_one = name not in _SET_ALPHA_TO_ONE or config.get("set_alpha_to_one", _SET_ALPHA_TO_ONE[name])
        schedule = VariancePreserving(table, 1.0 if to_one else float(table[0]), offset)
    except ModelError:
        raise
    except (ArithmeticError, LookupError, TypeError, ValueError, RuntimeError) as error:
        raise ModelError(say("schedule_unusable", where=where, reason=reason(error))) from error
    return schedule, _PREDICTIONS[prediction]


def _edm(config: Mapping[str, Any], where: str | Path) -> Edm:
    if config.get("sigma_data", 1.0) != 1 or config.get("prediction_type") != "v_prediction":
        raise ModelError(say("edm_network_unsupported", where=where))
    return Edm(float(config.get("sigma_min", 0.3)), float(config.get("sigma_max", 500.0)))


def _crash(config: Mapping[str, Any], where: str | Path) -> Crash:
    if config.get("trained_betas") is not None:
        raise ModelError(say("betas_with_ipndm", where=where))
    return Crash()


def _flow(config: Mapping[str, Any], labels: int, shift: float, where: str | Path, by_size: bool = False) -> Flow:
    for key in ("use_dynamic_shifting", "invert_sigmas", "shift_terminal"):
        if config.get(key) and not (by_size and key != "invert_sigmas"):
            raise ModelError(say("schedule_setting_unsupported", where=where, key=key))
    return Flow(labels, 1.0 if config.get("use_dynamic_shifting") else shift)


def _betas(config: Mapping[str, Any], name: str, labels: int, where: str | Path) -> Float64[Tensor, " labels"]:
    if config.get("trained_betas") is not None:
        return torch.tensor(config["trained_betas"], dtype=torch.float64)
    settings = {**(_DEFAULT_BETAS if name in _HAVE_DEFAULT_BETAS else {}), **config}
    kind = settings.get("beta_schedule")
    if kind == "squaredcos_cap_v2":
        return _cosine_betas(labels)
    if kind is None or settings.get("beta_start") is None or settings.get("beta_end") is None:
        raise ModelError(say("betas_missing", where=where, name=name))
    start, end = float(settings["beta_start"]), float(settings["beta_end"])
    if kind == "linear":
        return torch.linspace(start, end, labels, dtype=torch.float64)
    if kind == "scaled_linear":  # Rombach et al. 2022, arXiv 2112.10752: linear in the root
        return torch.linspace(start**0.5, end**0.5, labels, dtype=torch.float64) ** 2
    raise ModelError(say("beta_schedule_unknown", kind=kind, where=where, known=", ".join(BETA_SCHEDULES)))


def _cosine_betas(labels: int) -> Float64[Tensor, " labels"]:
    """Nichol & Dhariwal 2021, arXiv 2102.09672, eq. 17, betas capped at 0.999."""
    alpha_bar = [math.cos((k / labels + 0.008) / 1.008 * math.pi / 2) ** 2 for k in range(labels + 1)]
    betas = [min(1 - after / before, 0.999) for before, after in pairwise(alpha_bar)]
    return torch.tensor(betas, dtype=torch.float64)


def _zero_terminal_snr(alphas_cumprod: Float64[Tensor, " labels"]) -> Float64[Tensor, " labels"]:
    """Lin et al. 2023, arXiv 2305.08891, algorithm 1: alpha shifted to end at 0, scaled to start where it did."""
    alpha = alphas_cumprod.sqrt()
    return ((alpha - alpha[-1]) * (alpha[0] / (alpha[0] - alpha[-1]))).square()
