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
"""Peak given to a wave of unknown level."""

Mels = Float[Tensor, "b 1 bands frames"]


@dataclass(frozen=True)
class MelFrames:
    """Mono waves as mels in which -1 is silence (`SoundCodec`).

    Attributes:
        lens: mel settings.
        relative: whether the model knows no absolute level: its clips are scaled until their loudest cell is at 0 dB.
        levels: RMS range of the bandstand's clips, in dB below full scale.
    """

    lens: MelSettings
    relative: bool = False
    channels: int = 1
    silence: float = -1.0
    levels: tuple[float, float] = USUAL

    @property
    def rate(self) -> int:
        """Samples per second."""
        return self.lens.rate

    @property
    def samples_per_frame(self) -> int:
        """The hop."""
        return self.lens.hop

    def frame_size(self, frames: int) -> tuple[int, int]:
        """Return bands and frames."""
        return self.lens.bands, frames

    def level_of(self, wave: Float[Tensor, "1 n"], usual: float = 1.0) -> float:
        """Return the level to divide a wave by: its loudest cell's on a relative scale, else `usual`."""
        return loudest(wave, self.lens) if self.relative else usual

    def to_frames(self, waves: Float[Tensor, "b 1 n"], level: float = 1.0) -> Mels:
        """Return mels; an incomplete last hop is padded with silence."""
        return to_unit(to_mel(waves / level, self.lens), self.lens)

    def to_waves(self, frames: Mels, samples: int, level: float | None = None) -> Float[Tensor, "b 1 n"]:
        """Return waves times `level`; without a level, clamped, and a relative model's scaled to `PEAK`."""
        waves = from_mel(from_unit(frames, self.lens), self.lens, samples)
        if self.relative and level is None:
            waves = waves * (PEAK / waves.abs().amax(-1, keepdim=True).clamp_min(1e-9))
        return waves.clamp(-1, 1) if level is None else waves * level

    def is_silent(self, frames: Mels) -> bool:
        """Return whether every cell is at the floor."""
        return bool((frames <= self.silence).all())

    def grow_onto(self, waves: Float[Tensor, "b 1 n"], span: tuple[int, int], frames: Mels) -> Float[Tensor, "b 1 n"]:
        """Synthesise the span from a mel, with phases that continue the samples around it."""
        return grown_onto(waves, span, from_unit(frames, self.lens), self.lens)

    def distance(self, a: Mels, b: Mels) -> float:
        """Return the mean absolute difference in dB, to two digits."""
        return round(float((from_unit(a, self.lens) - from_unit(b, self.lens)).abs().mean()), 2)

    def pictures(self, frames: Mels) -> Float[Tensor, "b 3 bands frames"]:
        """Return mels as colour pictures."""
        return as_picture(frames)


def settings_of(model: "Model") -> MelSettings:
    """Return a sound model's mel settings, which notes and the bandstand are made for.

    Raises:
        ValueError: the model makes pictures.
    """
    return model.sound.lens
