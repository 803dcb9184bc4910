"""Make a denoiser from an opened checkpoint and its prompts."""

from copy import copy
from typing import TYPE_CHECKING, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.core.denoiser import Batch, Denoiser, Prediction, predict
from regrow.core.guidance import Guidance
from regrow.core.levels import Level
from regrow.core.windows import windowed
from regrow.messages.message import say
from regrow.models.condition import GUIDANCE, Condition
from regrow.models.engines.gathering import compute

if TYPE_CHECKING:
    from regrow.models.model import Model

AnyModel = TypeVar("AnyModel", bound="Model")

WINDOW_OVERLAP, TILE_OVERLAP = 0.5, 0.25
"""Overlap of neighbouring windows, as a fraction of a window: of sounds; of pictures, which overlap on four sides."""


def denoiser(
    model: "Model", condition: Condition, negative: Condition | None, guidance: Guidance, closed: bool
) -> Denoiser:
    """Return the network as a denoiser with these prompts; see `Model.denoiser`."""
    if model.guidance_is_input and negative is None:
        condition, guidance = _at(model, condition, guidance), 1.0
    if not isinstance(guidance, Tensor) and guidance == 1:
        return _beside(model, _of_any_length(model, _conditioned(model, condition), closed))
    if not model.takes_words:
        raise ValueError(say("no_prompts_no_guidance", name=model.name, guidance=guidance))
    away = model.unconditional(1) if negative is None else negative

    def pair(x_t: Batch, level: Level) -> Prediction:
        each = len(x_t) // model.guided_evaluations
        if model.note_conditioning is not None:  # guidance acts on the notes, too: the negative has none
            x_t = x_t.clone()
            x_t[each:, model.codec.latent_channels :] = 0
        whole = condition.expand(each)
        for _ in range(model.guided_evaluations - 1):
            whole = whole.cat(away.expand(each))
        return _conditioned(model, whole)(x_t, level)

    return _beside(model, _of_any_length(model, model.guide(pair, guidance), closed))


def _at(model: "Model", condition: Condition, guidance: Guidance) -> Condition:
    """Return the same prompts with guidance, one for all or one per sample, as an input of the network."""
    each = torch.as_tensor(guidance, dtype=torch.float32).flatten().to(condition.tokens.device)
    several = condition.expand(len(each)) if len(each) > 1 else condition
    at = each.expand(len(several.tokens))
    return Condition(several.tokens, several.mask, {**several.extra, GUIDANCE: at})


def _beside(model: "Model", denoise: Denoiser) -> Denoiser:
    """Add the channels of `Model.beside` before windows are cut, so that each window gets its own part of them."""

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
        # always float32, as bfloat16 cannot represent 999
        labels = torch.full((len(x_t),), model.schedule.label(level), dtype=torch.float32, device=model.device)
        # gradients only for encoded prompts that require them, as in null-text inversion
        with torch.set_grad_enabled(torch.is_grad_enabled() and condition.tokens.requires_grad):
            x, expanded = x_t.to(model.device, model.dtype), condition.expand(len(x_t))
            gathering = None if torch.is_grad_enabled() else model.gathering
            output = (gathering.compute if gathering else compute)(model, x, labels, expanded)
            return predict(output.to(x_t), x_t[:, : model.codec.latent_channels], level, model.prediction_type)

    return denoise


def with_piano_roll(model: "Model", x_t: Float[Tensor, "b c *places"]) -> Float[Tensor, "b k *places"]:
    """Append the piano roll to the latents' channels, if the model takes one; see `Model.beside`."""
    if model.piano_roll is None:
        return x_t
    batch, _, height, width = x_t.shape
    if model.note_conditioning is None:
        return torch.cat([x_t, x_t.new_zeros(batch, model.piano_roll.channels(model.codec.factor), height, width)], 1)
    if model.note_conditioning.shape[-1] != width:
        raise ValueError(say("notes_of_other_length", cells=model.note_conditioning.shape[-1], width=width))
    if batch % len(model.note_conditioning):
        raise ValueError(say("notes_do_not_fit_batch", count=len(model.note_conditioning), batch=batch))
    # a guided batch holds all of its samples, then all of them again
    return torch.cat([x_t, model.note_conditioning.to(x_t).repeat(batch // len(model.note_conditioning), 1, 1, 1)], 1)


def in_tiles(model: AnyModel, tiled: bool = True) -> AnyModel:
    """Return the same opened checkpoint with `tiled` set.

    Raises:
        ValueError: its network takes the whole source picture as input, so it cannot work in tiles.
    """
    if tiled and not model.takes_tiles:
        raise ValueError(say("edits_whole_picture", name=model.name))
    other = model if model.tiled == tiled else copy(model)
    other.tiled = tiled
    return other
