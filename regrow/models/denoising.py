"""From an opened checkpoint and its prompts to a denoiser, as the maths sees a network."""

from copy import copy
from typing import TYPE_CHECKING, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.core.denoiser import Batch, Denoiser, Prediction, predict
from regrow.core.guidance import Guidance
from regrow.core.levels import Level
from regrow.core.windows import windowed
from regrow.models.condition import GUIDANCE, Condition

if TYPE_CHECKING:
    from regrow.models.model import Model

AnyModel = TypeVar("AnyModel", bound="Model")

WINDOW_OVERLAP, TILE_OVERLAP = 0.5, 0.25
"""Shares of a window that neighbours have in common: of sounds, and of pictures, where they overlap on four sides."""


def denoiser(
    model: "Model", condition: Condition, negative: Condition | None, guidance: Guidance, closed: bool
) -> Denoiser:
    """Return the network under these prompts; see `Model.denoiser`."""
    if model.guidance_is_input and negative is None:
        condition, guidance = _at(model, condition, guidance), 1.0
    if not isinstance(guidance, Tensor) and guidance == 1:
        return _beside(model, _of_any_length(model, _conditioned(model, condition), closed))
    if not model.takes_words:
        raise ValueError(f"{model.name} takes no prompts, so guidance must be 1; got {guidance}.")
    away = model.unconditional(1) if negative is None else negative

    def pair(x_t: Batch, level: Level) -> Prediction:
        each = len(x_t) // model.guided_evaluations
        if model.note_conditioning is not None:  # guidance exaggerates the notes, too: away from none
            x_t = x_t.clone()
            x_t[each:, model.codec.latent_channels :] = 0
        whole = condition.expand(each)
        for _ in range(model.guided_evaluations - 1):
            whole = whole.cat(away.expand(each))
        return _conditioned(model, whole)(x_t, level)

    return _beside(model, _of_any_length(model, model.guide(pair, guidance), closed))


def _at(model: "Model", condition: Condition, guidance: Guidance) -> Condition:
    """Return the same prompts with guidance, one for all or one a sample, as an input of the network."""
    each = torch.as_tensor(guidance, dtype=torch.float32).flatten().to(condition.tokens.device)
    several = condition.expand(len(each)) if len(each) > 1 else condition
    at = each.expand(len(several.tokens))
    return Condition(several.tokens, several.mask, {**several.extra, GUIDANCE: at})


def _beside(model: "Model", denoise: Denoiser) -> Denoiser:
    """The same with what is beside every sample, all along, so that windows take their own parts of it."""

    def with_more(x_t: Batch, level: Level) -> Prediction:
        return denoise(model.beside(x_t), level)

    return with_more


def _of_any_length(model: "Model", denoise: Denoiser, closed: bool) -> Denoiser:
    share = TILE_OVERLAP if model.tiled else WINDOW_OVERLAP
    for axis, width in enumerate(reversed(model.windows), 1):
        denoise = windowed(denoise, width, int(share * width), closed, -axis)
    return denoise


def _conditioned(model: "Model", condition: Condition) -> Denoiser:
    def denoise(x_t: Batch, level: Level) -> Prediction:
        # float32 whatever the network's dtype: bfloat16 has no 999
        labels = torch.full((len(x_t),), model.schedule.label(level), dtype=torch.float32, device=model.device)
        # gradients only towards encoded words that ask for them, as null-text inversion does
        with torch.set_grad_enabled(torch.is_grad_enabled() and condition.tokens.requires_grad):
            x, expanded = x_t.to(model.device, model.dtype), condition.expand(len(x_t))
            engine = None if torch.is_grad_enabled() else model.engine
            if engine:
                output = engine(x, labels, expanded.tensors)
            elif model.one_by_one:
                each = (slice(i, i + 1) for i in range(len(x)))
                output = torch.cat([model.forward(x[i], labels[i], expanded.rows(i)) for i in each])
            else:
                output = model.forward(x, labels, expanded)
            return predict(output.to(x_t), x_t[:, : model.codec.latent_channels], level, model.prediction_type)

    return denoise


def with_piano_roll(model: "Model", x_t: Float[Tensor, "b c *places"]) -> Float[Tensor, "b k *places"]:
    """Return latents with the piano roll of a model that takes one below them; see `Model.beside`."""
    if model.piano_roll is None:
        return x_t
    batch, _, height, width = x_t.shape
    if model.note_conditioning is None:
        return torch.cat([x_t, x_t.new_zeros(batch, model.piano_roll.channels(model.codec.factor), height, width)], 1)
    if model.note_conditioning.shape[-1] != width:
        raise ValueError(f"The contour has {model.note_conditioning.shape[-1]} cells, but the latents have {width}.")
    if batch % len(model.note_conditioning):
        raise ValueError(f"{len(model.note_conditioning)} contours do not fit a batch of {batch}.")
    # a batch that is guided holds its samples twice, one after the other
    return torch.cat([x_t, model.note_conditioning.to(x_t).repeat(batch // len(model.note_conditioning), 1, 1, 1)], 1)


def in_tiles(model: AnyModel, tiled: bool = True) -> AnyModel:
    """Return the same opened checkpoint with `tiled`.

    Raises:
        ValueError: its network is shown the whole picture, which no tile can be compared with.
    """
    if tiled and not model.takes_tiles:
        raise ValueError(f"{model.name} is shown the whole picture as it edits: leave tiles out.")
    other = model if model.tiled == tiled else copy(model)
    other.tiled = tiled
    return other
