"""Scheduler configs of diffusers -> the levels a network was trained on, and what it predicts.

The betas are those of diffusers' schedulers, in float64 instead of float32. Each class reads its own keys and
leaves the others lying in the file, so a key counts only where the class that wrote it honours it.
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
from regrow.models.errors import ModelError
from regrow.models.folder import reason

MOST_LABELS = 1_000_000
"""Levels that a table may have: a thousand times those of any that was published."""
BETA_SCHEDULES = ("linear", "scaled_linear", "squaredcos_cap_v2")
_PREDICTIONS: dict[str, PredictionType] = {"epsilon": "epsilon", "sample": "sample", "v_prediction": "v"}
# the classes that end at set_alpha_to_one, with its default; every other class ends at alpha 1
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
# the classes whose constructors supply these where the file does not
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
    """Read the contents of a `scheduler_config.json`.

    `clip_sample` and `thresholding` are not read: a step that clips its x0 cannot be walked back. Neither are the
    spacing and the sigmas (`use_karras_sigmas`, ...), which choose a path through the levels and not the levels.
    Euler's and DPM-Solver's stand-in of 2^-24 for an alpha-bar of 0 is not copied: the network was trained with 0.

    Args:
        config: with `_class_name` and the keys that this class honours.
        where: the file, for messages.
        by_size: whether the family shifts a flow's levels by the latent's size itself (`shared.shift_by_size` of
            `families`), where the file has `use_dynamic_shifting` or `shift_terminal`; the schedule is then not
            shifted by the first.

    Raises:
        ModelError: no betas, or an unknown kind of them; an unknown prediction type; values that make no schedule.
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
            raise ModelError(f"Unknown prediction_type {prediction!r} in {where}; regrow knows {known}.")
        if config.get("timestep_type") == "continuous":
            raise ModelError(f"{where} has continuous timesteps (EDM), which regrow does not support.")
        if not 1 < labels <= MOST_LABELS:
            raise ValueError(f"num_train_timesteps must be from 2 to {MOST_LABELS}, got {labels}")
        table = torch.cumprod(1 - _betas(config, name, labels, where), dim=0)
        if config.get("rescale_betas_zero_snr") and name not in _IGNORE_ZERO_SNR:
            table = _zero_terminal_snr(table)
        offset = int(config.get("steps_offset") or 0)
        if name == "LCMScheduler":  # which jumps to x0 and ends there
            distilled = int(config.get("original_inference_steps", 50))
            return Consistency(table, 1.0, offset, distilled), _PREDICTIONS[prediction]
        to_one = name not in _SET_ALPHA_TO_ONE or config.get("set_alpha_to_one", _SET_ALPHA_TO_ONE[name])
        schedule = VariancePreserving(table, 1.0 if to_one else float(table[0]), offset)
    except ModelError:
        raise
    except (ArithmeticError, LookupError, TypeError, ValueError, RuntimeError) as error:
        raise ModelError(f"{where} describes no usable noise schedule ({reason(error)}).") from error
    return schedule, _PREDICTIONS[prediction]


def _edm(config: Mapping[str, Any], where: str | Path) -> Edm:
    if config.get("sigma_data", 1.0) != 1 or config.get("prediction_type") != "v_prediction":
        raise ModelError(f"{where} describes an EDM network without v or with a sigma_data other than 1.")
    return Edm(float(config.get("sigma_min", 0.3)), float(config.get("sigma_max", 500.0)))


def _crash(config: Mapping[str, Any], where: str | Path) -> Crash:
    if config.get("trained_betas") is not None:
        raise ModelError(f"{where} lists trained_betas, which regrow does not support with IPNDMScheduler.")
    return Crash()


def _flow(config: Mapping[str, Any], labels: int, shift: float, where: str | Path, by_size: bool = False) -> Flow:
    for key in ("use_dynamic_shifting", "invert_sigmas", "shift_terminal"):
        if config.get(key) and not (by_size and key != "invert_sigmas"):
            raise ModelError(f"{where} asks for {key}, which regrow does not support.")
    return Flow(labels, 1.0 if config.get("use_dynamic_shifting") else shift)


def _betas(config: Mapping[str, Any], name: str, labels: int, where: str | Path) -> Float64[Tensor, " labels"]:
    if config.get("trained_betas") is not None:
        return torch.tensor(config["trained_betas"], dtype=torch.float64)
    settings = {**(_DEFAULT_BETAS if name in _HAVE_DEFAULT_BETAS else {}), **config}
    kind = settings.get("beta_schedule")
    if kind == "squaredcos_cap_v2":
        return _cosine_betas(labels)
    if kind is None or settings.get("beta_start") is None or settings.get("beta_end") is None:
        raise ModelError(
            f"{where} ({name}) gives no betas; regrow needs beta_schedule, beta_start and beta_end, or trained_betas."
        )
    start, end = float(settings["beta_start"]), float(settings["beta_end"])
    if kind == "linear":
        return torch.linspace(start, end, labels, dtype=torch.float64)
    if kind == "scaled_linear":  # Rombach et al. 2022, arXiv 2112.10752: linear in the root
        return torch.linspace(start**0.5, end**0.5, labels, dtype=torch.float64) ** 2
    raise ModelError(f"Unknown beta_schedule {kind!r} in {where}; regrow knows {', '.join(BETA_SCHEDULES)}.")


def _cosine_betas(labels: int) -> Float64[Tensor, " labels"]:
    """Nichol & Dhariwal 2021, arXiv 2102.09672, eq. 17, betas capped at 0.999."""
    alpha_bar = [math.cos((k / labels + 0.008) / 1.008 * math.pi / 2) ** 2 for k in range(labels + 1)]
    betas = [min(1 - after / before, 0.999) for before, after in pairwise(alpha_bar)]
    return torch.tensor(betas, dtype=torch.float64)


def _zero_terminal_snr(alphas_cumprod: Float64[Tensor, " labels"]) -> Float64[Tensor, " labels"]:
    """Lin et al. 2023, arXiv 2305.08891, algorithm 1: alpha shifted to end at 0, scaled to start where it did."""
    alpha = alphas_cumprod.sqrt()
    return ((alpha - alpha[-1]) * (alpha[0] / (alpha[0] - alpha[-1]))).square()
