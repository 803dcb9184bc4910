"""Our levels against diffusers' own tables."""

from itertools import product
from typing import Any

import pytest
import torch
from diffusers import (
    DDIMScheduler,
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    PNDMScheduler,
    UniPCMultistepScheduler,
)

from regrow.core.schedules import Flow, VariancePreserving
from regrow.models.model import ModelError
from regrow.models.schedules import schedule_from_config

CLASSES = (
    DDIMScheduler,
    DDPMScheduler,
    PNDMScheduler,
    EulerDiscreteScheduler,
    DPMSolverMultistepScheduler,
    UniPCMultistepScheduler,
)
SETTINGS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "linear": {"beta_schedule": "linear", "beta_start": 0.0002, "beta_end": 0.01},
    "scaled_linear": {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012},
    "cosine": {"beta_schedule": "squaredcos_cap_v2", "num_train_timesteps": 400},
    "trained": {"trained_betas": [0.01, 0.02, 0.05, 0.3], "num_train_timesteps": 4},
    "zero snr": {"rescale_betas_zero_snr": True},
}


def read(config: dict[str, Any]) -> VariancePreserving:
    schedule = schedule_from_config(config)[0]
    assert isinstance(schedule, VariancePreserving)
    return schedule


@pytest.mark.parametrize(
    ("kind", "settings"), list(product(CLASSES, SETTINGS)), ids=lambda value: getattr(value, "__name__", value)
)
def test_the_table_is_theirs(kind: Any, settings: str) -> None:
    # PNDM ignores rescale_betas_zero_snr even where its file has it, and so must we
    theirs = kind.from_config(SETTINGS[settings])
    config = {**theirs.config, **SETTINGS[settings], "_class_name": kind.__name__}
    ours = read(config)
    assert ours.labels == len(theirs.alphas_cumprod)
    torch.testing.assert_close(ours.alphas_cumprod.float(), theirs.alphas_cumprod, atol=2e-6, rtol=0)


@pytest.mark.parametrize("to_one", [True, False])
@pytest.mark.parametrize("kind", [DDIMScheduler, PNDMScheduler])
def test_the_clean_end_is_theirs(kind: Any, to_one: bool) -> None:
    theirs = kind(set_alpha_to_one=to_one)
    ours = read({"_class_name": kind.__name__, "set_alpha_to_one": to_one})
    assert ours.clean_alpha_cumprod == pytest.approx(float(theirs.final_alpha_cumprod), abs=1e-7)


@pytest.mark.parametrize(
    ("name", "stray", "clean_is_one"),
    [
        ("DDIMScheduler", {}, True),
        ("PNDMScheduler", {}, False),
        ("DDPMScheduler", {"set_alpha_to_one": False}, True),
        ("EulerDiscreteScheduler", {"set_alpha_to_one": False}, True),
    ],
)
def test_set_alpha_to_one_counts_only_where_the_class_has_it(
    name: str, stray: dict[str, Any], clean_is_one: bool
) -> None:
    assert (read({"_class_name": name, **stray}).clean.alpha == 1) == clean_is_one


@pytest.mark.parametrize(("theirs", "ours"), [("epsilon", "epsilon"), ("sample", "sample"), ("v_prediction", "v")])
def test_prediction_types(theirs: str, ours: str) -> None:
    assert schedule_from_config({"_class_name": "DDIMScheduler", "prediction_type": theirs})[1] == ours


def test_steps_offset() -> None:
    assert read({"_class_name": "PNDMScheduler", "steps_offset": 1}).offset == 1


def test_an_unknown_class_needs_betas_only() -> None:
    betas = {"beta_schedule": "linear", "beta_start": 0.001, "beta_end": 0.02}
    assert read({"_class_name": "NewScheduler", **betas}).labels == 1000
    with pytest.raises(ModelError, match=r"gives no betas; regrow needs beta_schedule, beta_start and beta_end"):
        read({"_class_name": "NewScheduler"})


@pytest.mark.parametrize("wrong", [{"shift": -1.0}, {"shift": 0.0}, {"num_train_timesteps": 0}])
def test_a_flow_that_goes_nowhere_is_refused(wrong: dict[str, float]) -> None:
    config = {**FlowMatchEulerDiscreteScheduler().config, "_class_name": "FlowMatchEulerDiscreteScheduler", **wrong}
    with pytest.raises(ModelError):
        schedule_from_config(config)


@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_flow_matching(shift: float) -> None:
    theirs = FlowMatchEulerDiscreteScheduler(shift=shift)
    schedule, prediction = schedule_from_config({**theirs.config, "_class_name": "FlowMatchEulerDiscreteScheduler"})
    assert prediction == "flow"
    assert schedule == Flow(1000, shift)
    labels = torch.tensor([schedule.label(level) for level in schedule.grid(1000)[:-1]])
    torch.testing.assert_close(labels, theirs.timesteps, atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"prediction_type": "score"}, "Unknown prediction_type 'score' in here.json; regrow knows epsilon"),
        ({"beta_schedule": "sigmoid"}, "Unknown beta_schedule 'sigmoid' in here.json; regrow knows linear"),
        ({"beta_start": "much"}, "here.json describes no usable noise schedule"),
        ({"num_train_timesteps": 1}, "here.json describes no usable noise schedule"),
        ({"trained_betas": [0.1, 2.0]}, "here.json describes no usable noise schedule"),
        ({"timestep_type": "continuous"}, "here.json has continuous timesteps"),
        (
            {"_class_name": "FlowMatchEulerDiscreteScheduler", "use_dynamic_shifting": True},
            "here.json asks for use_dynamic_shifting, which regrow does not support",
        ),
    ],
)
def test_errors_are_one_sentence(config: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelError) as caught:
        schedule_from_config({"_class_name": "DDIMScheduler", **config}, "here.json")
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)
