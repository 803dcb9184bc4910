"""Generate: new sounds from words, of any duration."""

import time
from collections.abc import Generator
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from regrow.core.progress import Progress
from regrow.editing.generate import grow
from regrow.editing.melody import condition_on_sound
from regrow.editing.recipe import Recipe, make_recipe
from regrow.models.codecs.sound_codec import closed, hear, settings_of, sounded
from regrow.models.model import Model
from regrow.prompts.expand_generate import condition_on_tunes, in_full
from regrow.prompts.input_warnings import about_words
from regrow.requests.generate import Generate


@dataclass(frozen=True)
class GeneratedSounds:
    """New sounds.

    Attributes:
        waves: `b 1 n` in [-1, 1].
        rate: samples a second.
        mels: what the model made, `b 1 bands frames`, -1 = silence.
        recipes: one a sound.
        notes: sentences for the user.
    """

    waves: Float[Tensor, "b 1 n"]
    rate: int
    mels: Float[Tensor, "b 1 bands frames"]
    recipes: tuple[Recipe, ...]
    notes: tuple[str, ...] = ()


def generate_sounds(request: Generate, model: Model) -> Generator[Progress, None, GeneratedSounds]:
    """Grow sounds from noise; with `loop`, their end leads into their beginning.

    Raises:
        ValueError: a setting is out of range, or the model makes no sounds.
    """
    started = time.monotonic()
    settings = settings_of(model)
    if request.size:
        raise ValueError(f"{model.name} makes sounds; give a duration in seconds instead of a size in pixels.")
    notes: tuple[str, ...] = ()
    samples, cell = model.size[1] * settings.hop, model.multiple * settings.hop
    if request.duration is not None:
        samples = round(request.duration * settings.rate)
    if request.loop:  # of whole latents, or silence would fill the last of them
        samples = max(1, round(samples / cell)) * cell
    if request.melody:
        heard = hear(request.melody, model)
        notes += heard.notes
        samples = heard.wave.shape[-1]
        model, played = condition_on_sound(model, heard.mel)
        notes += (f"{len(played)} notes of the melody are played.",)
    cells = -(-samples // cell)
    full, shape = in_full(request, model), model.latent_shape(settings.bands, cells * model.multiple)
    conditioned = condition_on_tunes(model, full.things, samples / settings.rate, shape[-1])
    if conditioned is not model:
        notes += ("The seed draws the tune, too; with --prompt-expansion off the model makes up its own.",)
        model = conditioned
    x, evaluations = yield from grow(request, model, full.prompts, shape)
    mels = model.decode(x)
    waves = closed(x, model) if request.loop else sounded(mels, model, samples)
    figures = {"evaluations": evaluations, "seconds": round(time.monotonic() - started, 2)}
    recipes = [make_recipe(request, model, wave, i, figures) for i, wave in enumerate(waves)]
    notes += full.notes + about_words(model, [request.prompt, request.negative])
    return GeneratedSounds(waves, settings.rate, mels, tuple(recipes), notes)
