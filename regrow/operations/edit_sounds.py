"""Edit: rewind a sound to noise, and let it grow back under other words."""

import time
from collections.abc import Generator
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from regrow.core.solvers import solve
from regrow.families.model import Model
from regrow.media.audio import resample
from regrow.media.mel import from_unit
from regrow.operations.cautions import about_words
from regrow.operations.hearing import Heard, hear, settings_of, sounded
from regrow.operations.progress import Progress
from regrow.operations.recipe import Recipe, make_recipe
from regrow.operations.regrowth import prepare
from regrow.operations.requests import Edit


@dataclass(frozen=True)
class EditedSounds:
    """Edited sounds.

    Attributes:
        waves: of the file's own rate and number of samples, `channels n` in [-1, 1]; one a wish.
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


def edit_sounds(request: Edit, model: Model) -> Generator[Progress, None, EditedSounds]:
    """Edit a sound of any duration.

    Raises:
        MediaError: the sound or the trajectory cannot be used.
        ValueError: a setting is out of range, or the model makes no sounds.
    """
    if request.mask is not None or request.region is not None:
        raise ValueError("region and mask say where a picture may change; leave them out for a sound.")
    started = time.monotonic()
    settings = settings_of(model)
    heard = hear(request.image, model)
    latents = model.encode(heard.mel[None])
    levels = model.schedule.grid(request.steps, request.spacing)
    levels = levels[len(levels) - 1 - request.walked :]
    start = yield from prepare(request, model, latents, levels)
    x = start.x
    for state in solve(start.step, start.denoise, x, levels):
        x = state.x
        yield Progress("regrow", state.index, state.steps, x)
    mels, codec = model.decode(x), model.decode(latents)[0]
    waves = sounded(mels, model, heard.wave.shape[-1])
    samples = heard.sound.wave.shape[-1]
    whole = tuple(resample(wave, settings.rate, heard.sound.rate)[:, :samples] for wave in waves)
    notes = heard.notes + about_words(model, [request.source, *request.target, request.negative or ""])
    seconds = round(time.monotonic() - started, 2)
    recipes = []
    for i, (mel, wave) in enumerate(zip(mels, whole, strict=True)):
        figures = {
            "evaluations": {"inversion": start.prepared, "regrowth": start.evaluations}
            | ({"gradients": start.gradients} if start.gradients else {}),
            "seconds": seconds,
            "to_source": {"mel": mel_distance(mel, heard.mel, model)},
            "to_codec": {"mel": mel_distance(mel, codec, model)},
        }
        recipes.append(make_recipe(request, model, wave, i, figures))
    return EditedSounds(whole, heard.sound.rate, mels, heard, codec, tuple(recipes), start.reused, notes)


def mel_distance(a: Float[Tensor, "1 bands frames"], b: Float[Tensor, "1 bands frames"], model: Model) -> float:
    """Mean absolute difference in dB of two mels as models see them."""
    settings = settings_of(model)
    return round(float((from_unit(a, settings) - from_unit(b, settings)).abs().mean()), 2)
