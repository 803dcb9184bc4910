"""The denoiser stage: a network and its text encoder, trained together on the latents of captioned pictures."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from regrow.core.denoiser import PredictionType, target
from regrow.core.levels import Schedule
from regrow.core.noise import derive_seed
from regrow.operations.fitting import Fit, FitState, fit

Captions = Callable[[int, int], str]
"""From the number of a sample and a seed to one of its captions."""


class Denoising(nn.Module):
    """What is trained: `(noisy latents, labels, token ids) -> network output`."""

    def __init__(self, unet: nn.Module, text_encoder: nn.Module) -> None:
        super().__init__()
        self.unet = unet
        self.text_encoder = text_encoder

    def forward(
        self, x_t: Float[Tensor, "b c h w"], labels: Float[Tensor, " b"], tokens: Tensor
    ) -> Float[Tensor, "b c h w"]:
        return self.unet(x_t, labels, self.text_encoder(tokens).last_hidden_state).sample

    def plain_parameters(self) -> tuple[nn.Parameter, ...]:
        """Embedding tables and the output layer, which are not maps between hidden features: AdamW's share."""
        tables = [m.get_parameter("weight") for m in self.text_encoder.modules() if isinstance(m, nn.Embedding)]
        return (*tables, self.unet.get_submodule("conv_out").get_parameter("weight"))


@dataclass(frozen=True)
class DenoiserStage:
    """What the denoiser learns from, and how.

    Attributes:
        latents: scaled latents, float16 `n c h w`.
        captions: see `Captions`.
        tokenize: prompts to token ids `b tokens`.
        schedule: its levels; labels are drawn evenly, one from each of `batch` equal shares of the path.
        prediction_type: what the network is trained to predict.
        batch: samples a step.
        seed: of sample choice, captions, levels and noise.
        drop: share of the captions replaced by the empty prompt, for classifier-free guidance.
    """

    latents: np.ndarray
    captions: Captions
    tokenize: Callable[[list[str]], Tensor]
    schedule: Schedule
    prediction_type: PredictionType
    batch: int = 32
    seed: int = 0
    drop: float = 0.1


def train_denoiser(module: Denoising, stage: DenoiserStage, settings: Fit, folder: Path) -> Iterator[FitState]:
    """Train `module` in place with the plain loss of its prediction type (min-SNR left words unlearned: LOG.md)."""

    def loss_at(step: int) -> Tensor:
        random = np.random.default_rng(derive_seed(stage.seed, "samples", step))
        chosen = random.integers(len(stage.latents), size=stage.batch).tolist()
        dropped = random.random(stage.batch) < stage.drop
        prompts = [
            "" if drop else stage.captions(i, derive_seed(stage.seed, "caption", step, place))
            for place, (i, drop) in enumerate(zip(chosen, dropped, strict=True))
        ]
        generator = torch.Generator().manual_seed(derive_seed(stage.seed, "noise", step))
        shares = (torch.arange(stage.batch) + torch.rand(stage.batch, generator=generator)) / stage.batch
        x0 = torch.from_numpy(stage.latents[chosen]).float()
        eps = torch.randn(x0.shape, generator=generator)
        return batch_loss(module, stage, x0, eps, shares, stage.tokenize(prompts)).mean()

    return fit(module, loss_at, settings, folder, module.plain_parameters())


def batch_loss(
    module: Denoising,
    stage: DenoiserStage,
    x0: Float[Tensor, "b c h w"],
    eps: Float[Tensor, "b c h w"],
    shares: Float[Tensor, " b"],
    tokens: Tensor,
) -> Float[Tensor, "b c h w"]:
    """Squared error of the network's output at the levels `shares` in [0, 1) of the labels."""
    noisiest = stage.schedule.label(stage.schedule.noisiest)
    labels = (shares.double() * (noisiest + 1)).floor().clamp_max(noisiest)
    levels = [stage.schedule.level(label) for label in labels.tolist()]
    alpha, sigma = (
        torch.tensor([getattr(level, name) for level in levels]).view(-1, 1, 1, 1) for name in ("alpha", "sigma")
    )
    x_t = (alpha * x0 + sigma * eps).contiguous(memory_format=torch.channels_last)
    return (module(x_t, labels.float(), tokens) - target(x0, eps, alpha, sigma, stage.prediction_type)).square()


@torch.no_grad()
def caption_gap(
    module: Denoising,
    stage: DenoiserStage,
    latents: Float[Tensor, "b c h w"],
    right: list[str],
    wrong: list[str],
    weights: Float[Tensor, "b 1 h w"],
    seed: int = 0,
) -> tuple[float, float]:
    """The loss with the right captions, and how much the wrong ones add to it, within `weights`.

    This gap tells sooner than the loss whether the words are being learned.
    """
    generator = torch.Generator().manual_seed(seed)
    shares = (torch.arange(len(latents)) + torch.rand(len(latents), generator=generator)) / len(latents)
    eps = torch.randn(latents.shape, generator=generator)
    losses = [
        batch_loss(module, stage, latents, eps, shares, stage.tokenize(prompts)) * weights for prompts in (right, wrong)
    ]
    scale = weights.sum() * latents.shape[1]
    right_loss, wrong_loss = (float(loss.sum() / scale) for loss in losses)
    return right_loss, wrong_loss - right_loss
