"""Edit: rewind a sound to noise, and let it grow back under other words."""

import math
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F  # noqa: N812, the name everybody knows it by
from jaxtyping import Float
from torch import Tensor

from regrow.core.levels import Level
from regrow.core.masks import Hold
from regrow.core.progress import Progress
from regrow.core.solvers import solve
from regrow.editing.edit_plan import prepare
from regrow.editing.melody import can_listen, condition_on_sound
from regrow.editing.recipe import Recipe, make_recipe
from regrow.editing.steps import with_steps
from regrow.editing.strength import settle
from regrow.media.audio.crossfade import grown_onto, pasted
from regrow.media.audio.mel import MelSettings, from_unit
from regrow.media.audio.piano_roll import Sounding
from regrow.media.audio.sound import resample
from regrow.models.codecs.sound_codec import Heard, hear, settings_of, sounded
from regrow.models.model import Model
from regrow.prompts.describe import with_source
from regrow.prompts.expand_edit import with_details
from regrow.prompts.input_warnings import about_words
from regrow.requests.edit import Edit


@dataclass(frozen=True)
class EditedSounds:
    """Edited sounds.

    Attributes:
        waves: of the file's own rate and number of samples, `channels n` in [-1, 1]; one a wish. Mono, but with a span
            of as many channels as the file has.
        rate: of the file.
        mels: what the model made, `b 1 bands frames`, -1 = silence.
        heard: the file as the model heard it.
        codec: the mel that the model's codec alone makes of it: the limit of every method.
        recipes: one a wish.
        reused: whether the path came from the cache or a file.
        notes: sentences on what was done to the sound.
    """

    waves: tuple[Float[Tensor, "channels n"], ...]
    rate: int
    mels: Float[Tensor, "b 1 bands frames"]
    heard: Heard
    codec: Float[Tensor, "1 bands frames"]
    recipes: tuple[Recipe, ...]
    reused: bool
    notes: tuple[str, ...]


def check_sounds(request: Edit, model: Model) -> MelSettings:
    """The mel settings of the model, where a request can be carried out on a sound by it.

    Raises:
        ValueError: a setting is a picture's alone, or the model makes no sounds.
    """
    if request.mask is not None or request.region is not None:
        raise ValueError("region and mask say where a picture may change; leave them out for a sound.")
    if request.size is not None or request.frame != Edit.frame:
        raise ValueError("size and frame are of pictures; a sound keeps its length: leave them out.")
    return settings_of(model)


def edit_sounds(request: Edit, model: Model) -> Generator[Progress, None, EditedSounds]:
    """Edit a sound of any duration.

    Raises:
        MediaError: the sound or the trajectory cannot be used.
        ValueError: a setting is out of range, or the model makes no sounds.
    """
    started = time.monotonic()
    settings = check_sounds(request, model)
    heard = hear(request.image, model)
    request, steps = with_steps(request, model)
    latents = model.encode(heard.mel[None])
    model, played = as_asked(request, model, heard.mel)
    request, source_notes = with_source(request, model, heard.mel, latents)
    full, _, filled = with_details(request, model, latents)
    full, why, searched = yield from settle(full, model, latents)
    request = replace(request, strength=full.strength)
    levels = model.schedule.grid(steps, request.spacing)
    levels = levels[len(levels) - 1 - request.steps_back :]
    hold = _held(request, heard, model, latents, levels)
    start = yield from prepare(full, model, latents, levels, hold)
    x = start.x
    for state in solve(start.step, start.denoise, x, levels):
        x = state.x
        yield Progress("regrow", state.index, state.steps, x)
    mels, codec = model.decode(x), model.decode(latents)[0]
    samples, rate = heard.sound.wave.shape[-1], heard.sound.rate
    if request.seconds:
        inside = span_of(request.seconds, rate, samples)
        waves = _beside(mels, heard, span_of(request.seconds, settings.rate, heard.wave.shape[-1]), settings)
        whole = tuple(pasted(resample(wave, settings.rate, rate), heard.sound.wave, inside, rate) for wave in waves)
    else:
        waves = sounded(mels, model, heard.wave.shape[-1], heard.level)
        whole = tuple(resample(wave, settings.rate, rate)[:, :samples] for wave in waves)
    notes = (*heard.notes, *source_notes, *filled) + ((why,) if why else ())
    notes += about_words(model, [request.source, *request.target, request.negative or ""])
    seconds = round(time.monotonic() - started, 2)
    recipes = []
    for i, (mel, wave) in enumerate(zip(mels, whole, strict=True)):
        figures = {
            "evaluations": {"inversion": start.prepared, "regrowth": start.evaluations}
            | ({"gradients": start.gradients} if start.gradients else {})
            | ({"strength": searched} if searched else {}),
            "seconds": seconds,
            "notes": len(played),
            "to_source": {"mel": mel_distance(mel, heard.mel, model)},
            "to_codec": {"mel": mel_distance(mel, codec, model)},
        }
        recipes.append(make_recipe(request, model, wave, i, figures))
    return EditedSounds(whole, heard.sound.rate, mels, heard, codec, tuple(recipes), start.reused, notes)


def as_asked(request: Edit, model: Model, mel: Float[Tensor, "1 bands frames"]) -> tuple[Model, tuple[Sounding, ...]]:
    """The model as an edit of a sound asks it: told the sound's notes, if they shall be kept and it can be told any."""
    return condition_on_sound(model, mel) if request.notes == "keep" and can_listen(model) else (model, ())


def _held(
    request: Edit, heard: Heard, model: Model, latents: Float[Tensor, "1 c y x"], levels: Sequence[Level]
) -> Hold | None:
    """What keeps a sound on its own path outside the span; None where all may change.

    Raises:
        ValueError: the span begins after the sound's end.
    """
    if request.seconds is None:
        return None
    begin, end = request.seconds
    duration = heard.sound.wave.shape[-1] / heard.sound.rate
    if begin >= duration:
        raise ValueError(f"span begins at {begin:g} s, but {request.image} is over after {duration:.2f} s.")
    settings = settings_of(model)
    cell = settings.hop * model.factor / settings.rate
    mask = torch.zeros(1, 1, *latents.shape[-2:])
    mask[..., int(begin / cell) : math.ceil(end / cell)] = 1
    return Hold(mask, levels)


def span_of(seconds: tuple[float, float], rate: int, samples: int) -> tuple[int, int]:
    """The first sample of a span and the one behind its last, in a sound of so many samples."""
    return min(round(seconds[0] * rate), samples), min(round(seconds[1] * rate), samples)


def _beside(
    mels: Float[Tensor, "b 1 bands frames"], heard: Heard, span: tuple[int, int], settings: MelSettings
) -> Float[Tensor, "b 1 n"]:
    """What the file holds, at the model's rate, with what a model made in the span."""
    samples = heard.wave.shape[-1]
    wave = F.pad(heard.wave, (0, mels.shape[-1] * settings.hop - samples)).expand(len(mels), 1, -1)
    grown = grown_onto(wave / heard.level, span, from_unit(mels, settings), settings) * heard.level
    return grown[..., :samples].clamp(-1, 1)


def mel_distance(a: Float[Tensor, "1 bands frames"], b: Float[Tensor, "1 bands frames"], model: Model) -> float:
    """Mean absolute difference in dB of two mels as models see them."""
    settings = settings_of(model)
    return round(float((from_unit(a, settings) - from_unit(b, settings)).abs().mean()), 2)
