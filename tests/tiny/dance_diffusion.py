"""Dance Diffusion."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from checkpoints import edit_json, livelier
from diffusers import IPNDMScheduler, UNet1DModel
from diffusers.pipelines.deprecated.dance_diffusion.pipeline_dance_diffusion import DanceDiffusionPipeline
from jaxtyping import Float
from torch import Tensor

from tiny.tiny import Tiny

SAMPLES, RATE = 1024, 16_000
TIME = 16  # numbers of the embedded time: of every network when the published ones were made


def dance_diffusion(folder: Path) -> Path:
    """Like harmonai/maestro-150k: stereo at 16 kHz, v on a cosine, the time as 16 channels beside the wave.

    Its published config is of diffusers 0.5, which knew no `time_embedding_dim`.
    """
    torch.manual_seed(29)
    net = UNet1DModel(
        sample_size=SAMPLES,
        sample_rate=RATE,
        extra_in_channels=TIME,
        time_embedding_dim=TIME,
        block_out_channels=(32, 32, 32),
    )
    DanceDiffusionPipeline(livelier(net, 1.2), IPNDMScheduler(num_train_timesteps=100)).save_pretrained(folder)  # pyright: ignore[reportArgumentType]
    edit_json(folder / "unet" / "config.json", time_embedding_dim=None)
    return folder


class FirstOrderIPNDM(IPNDMScheduler):
    """IPNDM's own steps of first order, with the network's own x0 where there is nothing but noise.

    At t = 1 the published class divides 0 by 1e-8 and so drops what the network returned.
    """

    def step(self, model_output: Tensor, timestep: Any, sample: Tensor, return_dict: bool = True) -> Any:
        self.ets = []
        first = float(self.alphas[0] if self._step_index is None else self.alphas[self._step_index])
        made = super().step(model_output, timestep, sample, return_dict)
        if first == 0:
            made.prev_sample = self.betas[1] * sample - self.alphas[1] * model_output
        return made


def pipeline(folder: Path, scheduler: type[IPNDMScheduler]) -> DanceDiffusionPipeline:
    """Return diffusers' own pipeline with a scheduler of this class."""
    net = UNet1DModel.from_pretrained(folder / "unet", time_embedding_dim=TIME)
    pipe = DanceDiffusionPipeline(net, IPNDMScheduler())  # pyright: ignore[reportArgumentType]
    pipe.scheduler = scheduler()
    pipe.set_progress_bar_config(disable=True)
    return pipe


def latents(
    folder: Path,
    prompts: Sequence[str],
    negatives: Sequence[str] | None,
    guidance: float,
    steps: int,
    start: Float[Tensor, "b c n"],
) -> Float[Tensor, "b c n"]:
    """Run network and scheduler as Dance Diffusion's pipeline does, from a given start and without its last clamp."""
    assert not any(prompts)
    assert negatives is None
    assert guidance == 1
    pipe = pipeline(folder, FirstOrderIPNDM).to(start.dtype)
    pipe.scheduler.set_timesteps(steps)
    x = start
    for t in pipe.scheduler.timesteps.to(start.dtype):
        with torch.no_grad():
            x = pipe.scheduler.step(pipe.unet(x, t).sample, t, x).prev_sample
    return x


TINY = {"dance-diffusion": Tiny(dance_diffusion, latents, (2, 2, SAMPLES), takes_words=False)}
