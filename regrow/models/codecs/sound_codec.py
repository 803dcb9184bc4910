"""The frames of models of sounds: mels, or the waves themselves."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.media.audio.crossfade import grown_onto, pasted
from regrow.media.audio.mel import MelSettings, as_picture, from_unit, loudest, to_mel, to_unit
from regrow.media.audio.mel_inverse import from_mel
from regrow.models.model import Model

PEAK = 0.9
"""Of a wave whose level nobody knows."""

Waves = Float[Tensor, "b channels n"]
Mels = Float[Tensor, "b 1 bands frames"]


@dataclass(frozen=True)
class MelFrames:
    """Mono waves as mels in which -1 is silence (`SoundCodec`).

    Attributes:
        lens: how a wave becomes a mel.
        relative: whether the model knows no level: each of its clips is as loud as its loudest moment can be.
    """

    lens: MelSettings
    relative: bool = False
    channels: int = 1
    silence: float = -1.0

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

    def level_of(self, wave: Float[Tensor, "1 n"]) -> float:
        """Return what puts the wave's loudest moment at the top of the scale, or 1."""
        return loudest(wave, self.lens) if self.relative else 1.0

    def to_frames(self, waves: Float[Tensor, "b 1 n"], level: float = 1.0) -> Mels:
        """Return mels; an incomplete last hop is filled up with silence."""
        return to_unit(to_mel(waves / level, self.lens), self.lens)

    def to_waves(self, frames: Mels, samples: int, level: float | None = None) -> Float[Tensor, "b 1 n"]:
        """Return waves; without a level, what a relative model made gets a peak of `PEAK`."""
        waves = from_mel(from_unit(frames, self.lens), self.lens, samples)
        if self.relative and level is None:
            waves = waves * (PEAK / waves.abs().amax(-1, keepdim=True).clamp_min(1e-9))
        return (waves * (level or 1.0)).clamp(-1, 1)

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


@dataclass(frozen=True)
class WaveFrames:
    """Waves that are their own frames (`SoundCodec`), as of a codec of waves.

    Attributes:
        rate: samples a second.
        channels: of the waves.
    """

    rate: int
    channels: int
    samples_per_frame: int = 1
    silence: float = 0.0

    @property
    def lens(self) -> MelSettings:
        """A mel of the whole band at this rate."""
        return MelSettings(rate=self.rate, window=2048, hop=512, high=self.rate / 2)

    def frame_size(self, frames: int) -> tuple[int, ...]:
        """Return the number of samples."""
        return (frames,)

    def level_of(self, wave: Float[Tensor, "channels n"]) -> float:
        """Return 1: the model knows how loud sounds are."""
        return 1.0

    def to_frames(self, waves: Waves, level: float = 1.0) -> Waves:
        """Return the waves, divided by the level."""
        return waves / level

    def to_waves(self, frames: Waves, samples: int, level: float | None = None) -> Waves:
        """Return the first samples in [-1, 1]."""
        return (frames[..., :samples] * (level or 1.0)).clamp(-1, 1)

    def is_silent(self, frames: Waves) -> bool:
        """Whether every sample is 0."""
        return not bool(frames.any())

    def grow_onto(self, waves: Waves, span: tuple[int, int], frames: Waves) -> Waves:
        """Paste the frames into the span, with fades at its ends."""
        each = zip(frames, waves, strict=True)
        return torch.stack([pasted(new, old, span, self.rate, predicted=True) for new, old in each])

    def distance(self, a: Waves, b: Waves) -> float:
        """Return the mean absolute difference of the mels of the mixed channels in dB, to two digits."""
        return round(float((self._mel(a) - self._mel(b)).abs().mean()), 2)

    def pictures(self, frames: Waves) -> Float[Tensor, "b 3 bands frames"]:
        """Return the mels of the mixed channels in colours."""
        return as_picture(to_unit(self._mel(frames), self.lens))

    def _mel(self, waves: Waves) -> Mels:
        return to_mel(waves.mean(1, keepdim=True), self.lens)


def settings_of(model: Model) -> MelSettings:
    """Return the mel that a model takes, or that its waves are looked at in.

    Raises:
        ValueError: it makes pictures.
    """
    return model.sound.lens
