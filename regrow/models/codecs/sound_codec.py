"""Hearing: a sound file as a model hears it, and what a model made as a wave."""

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812, the name everybody knows it by
from jaxtyping import Float
from torch import Tensor

from regrow.media.audio.mel import MelSettings, from_unit, loudest, to_mel, to_unit
from regrow.media.audio.mel_inverse import from_mel
from regrow.media.audio.sound import Sound, load, resample, to_mono
from regrow.media.files import MediaError
from regrow.models.model import Model

PEAK = 0.9
"""Of a wave whose level nobody knows."""


@dataclass(frozen=True, eq=False)
class Heard:
    """A sound file as a model hears it.

    Attributes:
        sound: as it is in the file.
        wave: `1 n`, mono, at the model's rate.
        mel: `1 bands frames` as models see it, whole latents long; what is beyond the wave is silence.
        notes: sentences on what was done to it.
        level: what the wave was divided by for the mel: 1, but for models that know no level.
    """

    sound: Sound
    wave: Float[Tensor, "1 n"]
    mel: Float[Tensor, "1 bands frames"]
    notes: tuple[str, ...]
    level: float = 1.0


def settings_of(model: Model) -> MelSettings:
    """How a model hears.

    Raises:
        ValueError: it makes pictures.
    """
    if model.mel is None:
        raise ValueError(f"{model.name} makes pictures, not sounds; take --model bandstand or another sound model.")
    return model.mel


def hear(path: Path, model: Model) -> Heard:
    """Read a sound file for a model: mixed to one channel, resampled to its rate.

    Raises:
        MediaError: the file cannot be used.
        ValueError: the model makes pictures.
    """
    settings = settings_of(model)
    sound = load(path)
    notes = list(sound.notes)
    mono = to_mono(sound.wave)
    if len(sound.wave) > 1:
        notes.append(f"The {len(sound.wave)} channels of {path.name} were mixed to one.")
    wave = resample(mono, sound.rate, settings.rate)
    if sound.rate != settings.rate:
        notes.append(f"{path.name} was resampled from {sound.rate} Hz to the model's {settings.rate} Hz.")
    level = level_of(wave, model)
    mel = to_unit(to_mel(wave[None] / level, settings), settings)[0]
    if bool((mel <= -1).all()):
        raise MediaError(f"{path} is silent; there is nothing in it to edit.")
    missing = -mel.shape[-1] % model.multiple
    return Heard(sound, wave, F.pad(mel, (0, missing), value=-1.0), tuple(notes), level)


def sounded(
    mels: Float[Tensor, "b 1 bands frames"], model: Model, samples: int, level: float | None = None
) -> Float[Tensor, "b 1 n"]:
    """The first samples of what a model made, as waves at its rate in [-1, 1].

    Args:
        mels: as the model decodes them.
        model: that made them.
        samples: of each wave.
        level: of the sound that they were made from (`Heard`). Without one, what a model that knows no level made
            gets a peak of `PEAK`.
    """
    settings = settings_of(model)
    waves = from_mel(from_unit(mels, settings), settings, samples)
    if model.relative and level is None:
        waves = waves * (PEAK / waves.abs().amax(-1, keepdim=True).clamp_min(1e-9))
    return (waves * (level or 1.0)).clamp(-1, 1)


def level_of(wave: Float[Tensor, "1 n"], model: Model) -> float:
    """What to divide a wave by for this model to hear it: by what puts its loudest moment at the top, or by 1."""
    return loudest(wave, settings_of(model)) if model.relative else 1.0


def closed(latents: Float[Tensor, "b c y x"], model: Model) -> Float[Tensor, "b 1 n"]:
    """Waves of latents whose end is followed by their beginning, fit to be played in a loop.

    The latents are decoded with what comes before and after them in the loop; then the last samples after the loop
    fade over into its first, which they are another reconstruction of.
    """
    settings = settings_of(model)
    width, margin = latents.shape[-1], min(latents.shape[-1], _MARGIN)
    around = torch.cat([latents[..., width - margin :], latents, latents[..., :margin]], -1)
    whole = sounded(model.decode(around), model, around.shape[-1] * model.factor * settings.hop)
    cell = model.factor * settings.hop
    start, samples, fade = margin * cell, width * cell, min(cell, settings.rate // 50)
    loop = whole[..., start : start + samples].clone()
    share = torch.linspace(0, 1, fade)
    loop[..., :fade] = share * loop[..., :fade] + (1 - share) * whole[..., start + samples : start + samples + fade]
    return loop


_MARGIN = 4
"""Latent cells on either side of a loop, which is more than a codec sees around one."""
