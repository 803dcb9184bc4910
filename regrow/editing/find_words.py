"""Find in a picture what words name, as a mask.

The model predicts noisy copies of the picture under its caption, and under the caption with something else in place of
what the words name. The mask is where the predictions differ (core.edit_localization, after DiffEdit). Its outline then
follows the picture's own edges, which are finer than the latents.
"""

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.core.edit_localization import differences
from regrow.core.progress import Progress
from regrow.editing.codec_cache import through_codec
from regrow.editing.region import GRID
from regrow.media.image.medium import MEDIUM as PICTURE
from regrow.media.image.outline import outlined
from regrow.messages.message import say
from regrow.models.model import Model
from regrow.models.probes.attributes import read_describer
from regrow.prompts.describe import read_off
from regrow.prompts.instructions import described
from regrow.prompts.named_things import named
from regrow.requests.edit import Edit
from regrow.worlds.world import WORLDS

LOG_SNRS = (0.5, -0.5, -1.5)
"""Of the levels that are looked at: noisier ones see where the other thing would be."""
COPIES = 2
"""Noises per level."""


@dataclass(frozen=True, eq=False)
class Found:
    """Where it is.

    Attributes:
        mask: as a picture in [-1, 1], `3 h w` of the file's own size: white where it is.
        share: of the picture that it is.
        source: what the picture was taken to show.
        notes: sentences for the user.
    """

    mask: Float[Tensor, "3 h w"]
    share: float
    source: str
    notes: tuple[str, ...]


def find_words(image: Path, words: str, source: str, model: Model) -> Generator[Progress, None, Found]:
    """Find in a picture what words name, and return its mask.

    Args:
        image: a picture file.
        words: such as "the dog", "hat" or "the background".
        source: describes the picture; recognised in it by a model that can, if empty.
        model: of pictures, that takes words.

    Raises:
        MediaError: the picture cannot be read.
        ValueError: the model cannot find words, or the words name nothing that is there.
    """
    PICTURE.require(model)
    if not model.takes_words or model.only_by_instruction:
        raise ValueError(say("finds_no_words", name=model.name))
    request = Edit(image, target=(words,), source=source, mask="auto", model=model.name)
    frame = PICTURE.load(image, model, request)
    latents = through_codec(model, frame.content, keep=True).latents
    shown, others = _prompts(model, latents, words, source)
    prompts = [prompt for prompt in (*others, shown) for _ in range(COPIES)]
    denoise, grid = model.denoiser(model.condition(prompts)), model.grid(GRID, shape=latents.shape[1:])[:-1]
    levels = [min(grid, key=lambda level, wanted=wanted: abs(level.log_snr - wanted)) for wanted in LOG_SNRS]
    maps = []
    for state in differences(denoise, latents, levels, len(others), 0, COPIES):
        maps.append(state.maps / state.maps.mean((2, 3), keepdim=True).clamp_min(torch.finfo(state.maps.dtype).tiny))
        yield Progress("find", state.index, state.steps)
    shape = outlined(torch.stack(maps).mean(0).mean(0, keepdim=True), frame.content)
    region = PICTURE.region(request, frame, model, latents, shape)
    assert region is not None, "a mask was asked for"
    mask = region.picture(0)
    assert mask is not None, "the region of a picture is one"
    return Found(mask, round(float((mask[0] > -1).float().mean()), 4), shown, (*frame.notes, *region.notes))


def _prompts(model: Model, latents: Float[Tensor, "1 c y x"], words: str, source: str) -> tuple[str, tuple[str, ...]]:
    """What the picture shows, and what it would show with something else in the place of what the words name."""
    describer = read_describer(model.folder, model.latent_channels)
    if describer is not None:
        world = WORLDS[describer.world]
        found = named(world, model, read_off(describer, latents)[0], words, source)
        return found.source, found.others
    try:
        return source or words, (described(f"remove {words}", source or words),)
    except ValueError:
        return (f"{words}, {source}" if source else words), (source,)
