"""The same starting noise through diffusers' pipelines and through ours: the same latents.

Both compute in float32; theirs also keeps the schedule in float32, ours in float64. 1e-4, absolute in the latent,
leaves room for that and for nothing else: a label or a level that is off by one, or another end of the path, changes
latents by 1e-2 and more. Only the random pixel network is measured in units of its result's spread: it finds no noise,
so x / alpha grows to a spread of 174, and float32 rounds it accordingly.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import (
    DDIMPipeline,
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    HeunDiscreteScheduler,
    StableDiffusionPipeline,
)
from torch import Tensor

from regrow.core.denoiser import Denoiser
from regrow.core.levels import Level
from regrow.core.noise import noise
from regrow.core.solvers import DPMpp2M, Step, ddim, heun, last, solve
from regrow.models.model import Model
from regrow.models.open import open_model

STEPS = 20
TOLERANCE = 1e-4
STABLE_DIFFUSION = ("sd1", "sd2", "sd-tiny", "sd-zero-snr")
Checkpoint = Callable[[str], Path]


def pipeline(folder: Path, scheduler: Any = DDIMScheduler, **changes: Any) -> StableDiffusionPipeline:
    pipe = StableDiffusionPipeline.from_pretrained(folder, safety_checker=None)
    pipe.scheduler = scheduler.from_config(pipe.scheduler.config, **changes)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def start(model: Model) -> Tensor:
    return noise(model.latent_shape(*model.size), seeds=(11, 12))


def theirs(pipe: StableDiffusionPipeline, model: Model, x: Tensor, guidance: float) -> Tensor:
    height, width = model.size
    return pipe(  # pyright: ignore[reportAttributeAccessIssue]
        prompt=["a cat", "a dog"],
        negative_prompt=["a hat", "a fog"] if guidance != 1 else None,
        guidance_scale=guidance,
        num_inference_steps=STEPS,
        latents=x,
        height=height,
        width=width,
        output_type="latent",
    ).images


def denoiser(model: Model, guidance: float) -> Denoiser:
    return model.denoiser(model.condition(["a cat", "a dog"]), model.condition(["a hat", "a fog"]), guidance)


def difference(a: Tensor, b: Tensor, case: str) -> float:
    """Largest absolute difference, also printed with the spread of `b` (pytest -s)."""
    worst = float((a - b).abs().max())
    print(f"{case}: largest difference {worst:.1e}, spread {float(b.std()):.2f}")
    return worst


def walked_by(pipe: Any, model: Model) -> list[Level]:
    return [*(model.schedule.level(float(t)) for t in pipe.scheduler.timesteps), model.schedule.clean]


# with guidance the network is evaluated without it as well
@pytest.mark.parametrize(("name", "guidance"), [("sd1", 1.0), *((name, 7.5) for name in STABLE_DIFFUSION)])
def test_ddim_on_a_trailing_grid(checkpoint: Checkpoint, name: str, guidance: float) -> None:
    model = open_model(checkpoint(name))
    x = start(model)
    expected = theirs(pipeline(checkpoint(name), timestep_spacing="trailing"), model, x, guidance)
    ours = last(solve(ddim, denoiser(model, guidance), x, model.schedule.grid(STEPS, "trailing")))
    assert difference(ours, expected, f"ddim trailing {name} guidance {guidance}") < TOLERANCE


@pytest.mark.parametrize(("name", "guidance"), [("sd1", 7.5), ("sd2", 7.5)])
def test_ddim_in_float64(checkpoint: Checkpoint, name: str, guidance: float) -> None:
    """Without rounding in the network what is left is theirs in the schedule."""
    model = open_model(checkpoint(name), dtype=torch.float64)
    x = start(model).double()
    pipe = pipeline(checkpoint(name), timestep_spacing="trailing").to(torch.float64)
    expected = theirs(pipe, model, x, guidance)
    ours = last(solve(ddim, denoiser(model, guidance), x, model.schedule.grid(STEPS, "trailing")))
    assert ours.dtype == expected.dtype == torch.float64
    difference(ours, expected, f"ddim trailing {name} guidance {guidance} float64")
    assert (ours - expected).abs().max() < TOLERANCE


@pytest.mark.parametrize(("name", "guidance"), [("sd1", 7.5), ("sd2", 7.5)])
def test_ddim_on_their_leading_timesteps(checkpoint: Checkpoint, name: str, guidance: float) -> None:
    model = open_model(checkpoint(name))
    x = start(model)
    pipe = pipeline(checkpoint(name), timestep_spacing="leading")
    expected = theirs(pipe, model, x, guidance)
    ours = last(solve(ddim, denoiser(model, guidance), x, walked_by(pipe, model)))
    assert difference(ours, expected, f"ddim leading {name} guidance {guidance}") < TOLERANCE


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of theirs, under numpy 2
@pytest.mark.parametrize(
    ("scheduler", "step", "settings"),
    [
        (
            DPMSolverMultistepScheduler,
            DPMpp2M,
            {
                "algorithm_type": "dpmsolver++",
                "solver_order": 2,
                "lower_order_final": True,
                "final_sigmas_type": "zero",
                "timestep_spacing": "trailing",
            },
        ),
        (HeunDiscreteScheduler, lambda: heun, {"timestep_spacing": "trailing"}),
    ],
    ids=["dpmpp_2m", "heun"],
)
@pytest.mark.parametrize("name", ["sd-tiny", "sd2"])
def test_second_order_solvers(
    checkpoint: Checkpoint, name: str, scheduler: Any, step: Callable[[], Step], settings: dict[str, Any]
) -> None:
    model = open_model(checkpoint(name))
    x = start(model)
    pipe = pipeline(checkpoint(name), scheduler, **settings)
    pipe.scheduler.set_timesteps(STEPS)
    timesteps = sorted({float(t) for t in pipe.scheduler.timesteps}, reverse=True)  # Heun's come twice
    levels = [*(model.schedule.level(t) for t in timesteps), Level(1.0, 0.0)]
    # Karras' schedulers scale the noise by sigma / alpha and never leave that scale
    expected = theirs(pipe, model, x, 3.0)
    scale = float(pipe.scheduler.init_noise_sigma)
    top = levels[0]
    begin = x if scale == 1 else x * scale * top.alpha
    ours = last(solve(step(), denoiser(model, 3.0), begin, levels))
    assert difference(ours, expected, f"{scheduler.__name__} {name} guidance 3") < TOLERANCE


def test_pixel_ddim(checkpoint: Checkpoint) -> None:
    model = open_model(checkpoint("ddpm"))
    pipe = DDIMPipeline.from_pretrained(checkpoint("ddpm"))
    pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config, timestep_spacing="trailing")
    pipe.set_progress_bar_config(disable=True)
    after: list[Tensor] = []  # every step, as the pipeline itself clamps its result and hides what differs
    step = pipe.scheduler.step

    def recorded(*arguments: Any, **keywords: Any) -> Any:
        result = step(*arguments, **keywords)
        after.append(result.prev_sample)
        return result

    pipe.scheduler.step = recorded
    generators = [torch.Generator().manual_seed(seed) for seed in (11, 12)]
    pipe(batch_size=2, generator=generators, num_inference_steps=STEPS, output_type="np")
    x = last(solve(ddim, model.denoiser(model.condition([""])), start(model), model.schedule.grid(STEPS)))
    assert difference(x, after[-1], "ddim trailing ddpm pixels") / float(after[-1].std()) < TOLERANCE


@pytest.mark.parametrize("name", STABLE_DIFFUSION)
def test_the_unet_is_told_their_labels(checkpoint: Checkpoint, name: str) -> None:
    """An off-by-one label (k + 1 of a latent at k) shows here, whatever it does to the picture."""
    labels: dict[str, list[float]] = {"ours": [], "theirs": []}

    def record(who: str) -> Callable[..., None]:
        return lambda module, arguments, keywords: labels[who].append(float(torch.as_tensor(arguments[1]).flatten()[0]))

    model = open_model(checkpoint(name))
    pipe = pipeline(checkpoint(name), timestep_spacing="trailing")
    model.network.register_forward_pre_hook(record("ours"), with_kwargs=True)
    pipe.unet.register_forward_pre_hook(record("theirs"), with_kwargs=True)
    theirs(pipe, model, start(model), 1.0)
    last(solve(ddim, denoiser(model, 1.0), start(model), model.schedule.grid(STEPS, "trailing")))
    assert labels["ours"] == labels["theirs"]
    assert labels["ours"] == [999.0 - 50 * k for k in range(STEPS)]
