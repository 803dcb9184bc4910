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
"""Cells of a latent up to which attention is computed so: those of the storybook, on which it was measured."""

SMALL_TEXT_ENCODER = 20_000_000
"""Parameters below which a text encoder learns with its denoiser unless the request says otherwise."""


class Denoising(nn.Module):
    """The part of a model that a denoiser stage trains: `(noisy latents, labels, token ids) -> network output`.

    Training reaches the network and the text encoders only here. Below the latents may lie the channels of a piano
    roll (`piano_rolls`), which the output has not. A model without text encoder is trained without words.

    Args:
        model: whose network is trained, and its text encoders where these are to learn.
    """

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model
        self.add_module("unet", model.network)  # these names are in checkpoints of earlier runs
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
            seed: of the adapters' first weights.
            text: whether the text encoders learn too; None: those that are small.
            checkpointing: compute activations twice instead of keeping them.
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
    """How attention is computed: on the CPU and in bfloat16, among few places, by plain products, for the way back of
    torch's fused one took a fifth of a step (LOG.md). Among many places, they would fill the memory."""
    plain = torch.is_autocast_enabled("cpu") and x_t.device.type == "cpu" and x_t[0, 0].numel() <= FEW
    return sdpa_kernel(SDPBackend.MATH) if plain else nullcontext()


@dataclass(frozen=True)
class DenoiserStage:
    """What the denoiser learns from, and how.

    Attributes:
        request: samples a step; the share of the captions replaced by the empty prompt, for classifier-free guidance;
            how levels are drawn (`logit_normal`: Esser et al. 2024, arXiv 2403.03206, section 3.1) and weighted.
        model: whose labels are drawn evenly, one from each of as many equal shares of the path as a batch has samples.
        data: how many samples are trained on, and their captions.
        x0: what is denoised, of the samples of an array of numbers: scaled latents or pixels, `b c h w`.
        weights: of the errors of samples, by their numbers, `b 1 h w`; None: they weigh the same everywhere. The best
            prediction of a cell does not depend on its weight: it says where a small network spends itself.
        piano_rolls: of the samples; None for networks that are told none.
        device: where the batches go.
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
        """Of sample choice, captions, levels and noise."""
        return derive_seed(self.request.seed, "denoiser")

    def caption(self, i: int, seed: int) -> str:
        """Return one of a sample's captions; empty for a model without words."""
        return self.data.caption(i, seed) if self.model.takes_words else ""

    def tokenize(self, prompts: Sequence[str]) -> Int[Tensor, "b tokens"]:
        """Return token ids, without a warning for each prompt that is cut: `lost_words` told of them once."""
        return without_warnings(self.model.tokenize)(prompts)


def denoiser_loss(stage: DenoiserStage, network: nn.Module, share: Share) -> Float[Tensor, ""]:
    """Squared error of what the network predicts, its levels weighted by `min_snr` if that is on."""
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
    """Squared error of the network's output at the levels `shares` in [0, 1) of the labels.

    Networks that can be told contours are told nothing where there are none.
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
    """The labels that a checkpoint of this schedule counts by; float64."""
    noisiest = model.schedule.label(model.schedule.noisiest)
    labels = shares.double() * (noisiest + 1)
    return labels.floor().clamp_max(noisiest) if model.prediction_type != "flow" else labels.clamp_max(noisiest)


def _min_snr(stage: DenoiserStage, shares: Float[Tensor, " b"]) -> Float[Tensor, " b"]:
    """min(SNR, gamma) times the x0 error, as a factor of the error of what is predicted.

    Hang et al. 2023, arXiv 2303.09556, section 3.4 for epsilon, v and sample; the error of flow's x0 is sigma times
    the flow's.
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
