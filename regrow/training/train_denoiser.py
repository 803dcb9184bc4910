"""The denoiser stage: a network and its text encoder, trained together on the latents of captioned pictures."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from regrow.core.denoiser import target
from regrow.core.noise import derive_seed
from regrow.models.adapters.lora import add_lora
from regrow.models.load_part import channels_last
from regrow.models.model import Model
from regrow.requests.train import Train
from regrow.training.distributed import Share
from regrow.training.note_conditioning import PianoRolls
from regrow.training.training_data import Data
from regrow.training.training_words import without_warnings

FEW = 256
"""Most cells of a latent for which attention uses plain products; measured on the storybook's latents of this size."""

SMALL_TEXT_ENCODER = 20_000_000
"""Parameters below which a text encoder learns with its denoiser unless the request says otherwise."""


class Denoising(nn.Module):
    """The part of a model that a denoiser stage trains: `(noisy latents, labels, token ids) -> network output`.

    Training accesses the network and the text encoders only through it. The input may have further channels with a
    piano roll (`piano_rolls`), which the output lacks. A model without text encoder is trained without words.

    Args:
        model: its network is trained, and its text encoders if they are to learn.
    """

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model
        self.add_module("unet", model.network)  # checkpoints of earlier runs have these names
        self.text_encoders = tuple(model.text_encoders)
        for i, encoder in enumerate(self.text_encoders):
            self.add_module(f"text_encoder_{i + 1}" if i else "text_encoder", encoder)

    def forward(
        self, x_t: Float[Tensor, "b k h w"], labels: Float[Tensor, " b"], tokens: Tensor
    ) -> Float[Tensor, "b c h w"]:
        with _attention(x_t):
            return self.model.forward(x_t, labels, self.model.encode_tokens(tokens))

    def make_ready(self, lora: int, seed: int, text: bool | None, checkpointing: bool) -> None:
        """Choose the parameters that learn.

        Args:
            lora: rank of adapters that learn instead of the network itself; 0 = off.
            seed: of the adapters' initial weights.
            text: whether the text encoders learn too; None: only small ones.
            checkpointing: compute activations twice instead of storing them.
        """
        if lora:
            add_lora(self.model.network, lora, seed)
        else:
            self.model.network.requires_grad_(True)
        for encoder in self.text_encoders:
            encoder.requires_grad_(_is_small(encoder) if text is None else text)
        if checkpointing:
            self.model.network.enable_gradient_checkpointing()
        channels_last(self.model.network)

    def plain_parameters(self) -> tuple[nn.Parameter, ...]:
        """Return the embedding tables and the network's `plain_weights`, which AdamW trains."""
        tables = [m.get_parameter("weight") for m in self.modules() if isinstance(m, nn.Embedding)]
        return (*tables, *self.model.plain_weights)


def _attention(x_t: Tensor) -> AbstractContextManager[Any]:
    """Return a context that computes attention by plain products if the CPU uses bfloat16 and there are few cells.

    The backward pass of torch's fused attention took a fifth of a step (LOG.md). With many cells, plain products would
    fill the memory.
    """
    plain = torch.is_autocast_enabled("cpu") and x_t.device.type == "cpu" and x_t[0, 0].numel() <= FEW
    return sdpa_kernel(SDPBackend.MATH) if plain else nullcontext()


@dataclass(frozen=True)
class DenoiserStage:
    """The data of the denoiser's training, and how it is used.

    Attributes:
        request: samples per step; the share of the captions replaced by the empty prompt, for classifier-free guidance;
            how levels are drawn (`logit_normal`: Esser et al. 2024, arXiv 2403.03206, section 3.1) and weighted.
        model: its range of labels is divided into as many equal parts as a batch has samples; one is drawn from each.
        data: number of training samples, and their captions.
        x0: returns the clean samples of an array of sample numbers: scaled latents or pixels, `b c h w`.
        weights: returns the weights of these samples' errors, `b 1 h w`; None: all 1. The best prediction of a cell
            does not depend on its weight, but a small network spends more capacity on cells of greater weight.
        piano_rolls: of the samples; None for networks without note conditioning.
        device: of the batches.
    """

    request: Train
    model: Model
    data: Data
    x0: Callable[[np.ndarray], Float[Tensor, "b c h w"]]
    weights: Callable[[np.ndarray], Float[Tensor, "b 1 h w"]] | None
    piano_rolls: PianoRolls | None
    device: torch.device

    @property
    def seed(self) -> int:
        """The seed of sample choice, captions, levels and noise."""
        return derive_seed(self.request.seed, "denoiser")

    def caption(self, i: int, seed: int) -> str:
        """Return one of a sample's captions; empty for a model without words."""
        return self.data.caption(i, seed) if self.model.takes_words else ""

    def tokenize(self, prompts: Sequence[str]) -> Int[Tensor, "b tokens"]:
        """Return token ids, without a warning for each prompt that is cut, as `lost_words` reports these once."""
        return without_warnings(self.model.tokenize)(prompts)


def denoiser_loss(stage: DenoiserStage, network: nn.Module, share: Share) -> Float[Tensor, ""]:
    """Return the mean squared error of the network's prediction, weighted by `stage.weights` and, if on, `min_snr`."""
    random, batch = np.random.default_rng(derive_seed(stage.seed, "samples", share.step)), stage.request.batch
    own = share.of(batch)
    chosen = random.integers(stage.data.trained_on, size=batch)
    dropped = random.random(batch) < stage.request.drop
    prompts = [
        ""
        if dropped[place]
        else stage.caption(int(chosen[place]), derive_seed(stage.seed, "caption", share.step, place))
        for place in range(own.start, own.stop)
    ]
    generator = torch.Generator().manual_seed(derive_seed(stage.seed, "noise", share.step))
    shares = (torch.arange(batch) + torch.rand(batch, generator=generator)) / batch
    if stage.request.logit_normal:
        mean, deviation = stage.request.logit_normal
        shares = torch.sigmoid(mean + deviation * torch.special.ndtri(shares.clamp(1e-6, 1 - 1e-6)))
    x0 = stage.x0(chosen[own])
    eps = torch.randn((batch, *x0.shape[1:]), generator=generator)
    piano_rolls = None
    if stage.piano_rolls:
        seeds = [derive_seed(stage.seed, "contour", share.step, place) for place in range(own.start, own.stop)]
        piano_rolls = stage.piano_rolls.of(chosen[own].tolist(), seeds)
    error = batch_loss(network, stage, x0, eps[own], shares[own], stage.tokenize(prompts), piano_rolls)
    if stage.request.min_snr:
        error = error * _min_snr(stage, shares[own]).view(-1, 1, 1, 1).to(error.device)
    if stage.weights:
        error = error * stage.weights(chosen[own]).to(error.device)
    return error.mean()


def batch_loss(
    module: nn.Module,
    stage: DenoiserStage,
    x0: Float[Tensor, "b c h w"],
    eps: Float[Tensor, "b c h w"],
    shares: Float[Tensor, " b"],
    tokens: Tensor,
    piano_rolls: Float[Tensor, "b k h w"] | None = None,
) -> Float[Tensor, "b c h w"]:
    """Return squared errors of the network's output at levels given as shares, in [0, 1), of the path of labels.

    Networks with note conditioning get zeros if no piano rolls are given.
    """
    device = stage.device
    labels = _labels(stage.model, shares)
    levels = [stage.model.schedule.level(label) for label in labels.tolist()]
    alpha, sigma = (
        torch.tensor([getattr(level, name) for level in levels], device=device).view(-1, 1, 1, 1)
        for name in ("alpha", "sigma")
    )
    x0, eps = x0.to(device), eps.to(device)
    x_t = alpha * x0 + sigma * eps
    if stage.piano_rolls:
        piano_rolls = stage.piano_rolls.nothing(len(x0)) if piano_rolls is None else piano_rolls
        x_t = torch.cat([x_t, piano_rolls.to(device)], 1)
    x_t = x_t.contiguous(memory_format=torch.channels_last)
    output = module(x_t, labels.float().to(device), tokens.to(device))
    return (output - target(x0, eps, alpha, sigma, stage.model.prediction_type)).square()


def _labels(model: Model, shares: Float[Tensor, " b"]) -> Tensor:
    """Return the labels at these shares in the checkpoint's own numbering, float64; whole numbers except for flow."""
    noisiest = model.schedule.label(model.schedule.noisiest)
    labels = shares.double() * (noisiest + 1)
    return labels.floor().clamp_max(noisiest) if model.prediction_type != "flow" else labels.clamp_max(noisiest)


def _min_snr(stage: DenoiserStage, shares: Float[Tensor, " b"]) -> Float[Tensor, " b"]:
    """Return the factor of the prediction's error that makes it min(SNR, gamma) times the x0 error.

    Hang et al. 2023, arXiv 2303.09556, section 3.4 for epsilon, v and sample; for flow, the error of x0 is sigma times
    that of the flow.
    """
    weights, model = [], stage.model
    for label in _labels(model, shares).tolist():
        level = model.schedule.level(label)
        snr = (level.alpha / max(level.sigma, 1e-6)) ** 2
        share = {"epsilon": 1 / max(snr, 1e-12), "v": 1 / (snr + 1), "sample": 1.0, "flow": level.sigma**2}
        weights.append(min(snr, stage.request.min_snr) * share[model.prediction_type])
    return torch.tensor(weights, dtype=torch.float32)


def _is_small(module: nn.Module) -> bool:
    return sum(p.numel() for p in module.parameters()) < SMALL_TEXT_ENCODER
