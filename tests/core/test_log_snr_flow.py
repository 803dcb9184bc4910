"""Levels of Stable Audio's flows: those of diffusers and of stable-audio-tools."""

import math

import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from diffusers.pipelines.stable_audio_3.pipeline_stable_audio_3 import logsnr_sigma_schedule

from regrow.core.log_snr_flow import LogSnrFlow


@pytest.mark.parametrize("steps", [1, 2, 8, 100])
@pytest.mark.parametrize("shift", [1.0, 2.5])
def test_a_grid_is_diffusers_own(steps: int, shift: float) -> None:
    scheduler = FlowMatchEulerDiscreteScheduler(num_train_timesteps=7, shift=shift)
    scheduler.set_timesteps(sigmas=logsnr_sigma_schedule(steps, -6.2, 2.0))
    schedule = LogSnrFlow(7, shift)
    levels = schedule.grid(steps)
    torch.testing.assert_close(torch.tensor([level.sigma for level in levels]), scheduler.sigmas)
    torch.testing.assert_close(torch.tensor([schedule.label(level) for level in levels[:-1]]), scheduler.timesteps)
    assert all(level.alpha + level.sigma == pytest.approx(1) for level in levels)
    assert schedule.grid(steps, "log_snr") == levels


def test_levels_are_even_in_log_snr_between_the_ends() -> None:
    inner = [level.log_snr / 2 for level in LogSnrFlow(1, low=-6, high=2).grid(8)[1:-1]]
    assert inner == pytest.approx([-5, -4, -3, -2, -1, 0, 1])


def test_what_makes_no_grid_is_refused() -> None:
    for low, high in ((2, -6), (1, 1), (-math.inf, 2)):
        with pytest.raises(ValueError, match="needs low < high"):
            LogSnrFlow(1, low=low, high=high)
    with pytest.raises(ValueError, match="A flow schedule needs at least one label and a shift above 0"):
        LogSnrFlow(0)
    with pytest.raises(ValueError, match="steps must be between 1 and 1000"):
        LogSnrFlow(1).grid(1001)
