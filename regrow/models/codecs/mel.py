"""Mels as the frames of a model of sounds."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jaxtyping import Float
from torch import Tensor

from regrow.media.audio.crossfade import grown_onto
from regrow.media.audio.level import USUAL
from regrow.media.audio.mel import MelSettings, as_picture, from_unit, loudest, to_mel, to_unit
from regrow.media.audio.mel_inverse import from_mel

if TYPE_CHECKING:
    from regrow.models.model import Model

PEAK = 0.9
"""Of a wave whose level nobody knows."""

Mels = Float[Tensor, "b 1 bands frames"]


@dataclass(frozen=True)
class MelFrames:
    """Mono waves as mels in which -1 is silence (`SoundCodec`).

    Attributes:
        lens: how a wave becomes a mel.
        relative: whether the model knows no level: each of its clips is as loud as its loudest moment can be.
        levels: those that the bandstand plays at.
    """

    lens: MelSettings
    relative: bool = False
    channels: int = 1
    silence: float = -1.0
    levels: tuple[float, float] = USUAL

    @property
    def rate(self) -> int:
        """Samples a second."""
        return self.lens.rate

    @property
    def samples_per_frame(self) -> int:
        """The hop."""
        return self.lens.hop

    def frame_size(self, frames: int) -> tuple[int, int]:
        """Return bands and frames."""
        return self.lens.bands, frames

    def level_of(self, wave: Float[Tensor, "1 n"], usual: float = 1.0) -> float:
        """Return what puts the wave's loudest moment at the top of a relative scale, or `usual`."""
        return loudest(wave, self.lens) if self.relative else usual

    def to_frames(self, waves: Float[Tensor, "b 1 n"], level: float = 1.0) -> Mels:
        """Return mels; an incomplete last hop is filled up with silence."""
        return to_unit(to_mel(waves / level, self.lens), self.lens)

    def to_waves(self, frames: Mels, samples: int, level: float | None = None) -> Float[Tensor, "b 1 n"]:
        """Return waves; without a level, what a relative model made gets a peak of `PEAK`."""
        waves = from_mel(from_unit(frames, self.lens), self.lens, samples)
        if self.relative and level is None:
            waves = waves * (PEAK / waves.abs().amax(-1, keepdim=True).clamp_min(1e-9))
        return waves.clamp(-1, 1) if level is None else waves * level

    def is_silent(self, frames: Mels) -> bool:
        """Whether every cell is at the floor."""
        return bool((frames <= self.silence).all())

    def grow_onto(self, waves: Float[Tensor, "b 1 n"], span: tuple[int, int], frames: Mels) -> Float[Tensor, "b 1 n"]:
        """Find phases for the mel in the span that go on from the samples around it."""
        return grown_onto(waves, span, from_unit(frames, self.lens), self.lens)

    def distance(self, a: Mels, b: Mels) -> float:
        """Return the mean absolute difference in dB, to two digits."""
        return round(float((from_unit(a, self.lens) - from_unit(b, self.lens)).abs().mean()), 2)

    def pictures(self, frames: Mels) -> Float[Tensor, "b 3 bands frames"]:
        """Return mels in colours."""
        return as_picture(frames)


def settings_of(model: "Model") -> MelSettings:
    """Return the mel of a model that takes mels: what notes and the bandstand are made for.

    Raises:
        ValueError: it makes pictures.
    """
    return model.sound.lens
