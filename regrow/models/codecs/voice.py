"""Voices as the frames of a model that sings: harmonics, noise and pitch (`media.audio.voice`)."""

from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from regrow.media.audio import voice
from regrow.media.audio.crossfade import faded_over
from regrow.media.audio.mel import MelSettings, as_picture
from regrow.media.audio.pitch import pitch_of
from regrow.media.audio.voice_analysis import analyse

FADE = 0.02
"""Seconds of crossfade between a wave and a synthesised span; within the margin of an edit of lyrics."""
LOUDER = 10 ** (9 / 20)
"""Gain of synthesised waves; waves are divided by it before analysis. The songs that singers are trained on have an RMS
of -29 dB, which is quiet beside other files."""
Rows = Float[Tensor, "b 1 rows frames"]


@dataclass(frozen=True)
class VoiceFrames:
    """Mono waves as rows in which -1 is silence (`SoundCodec`); waves are louder than rows by `LOUDER`.

    Attributes:
        levels: RMS range of the songs that singers are trained on, times `LOUDER`, in dB.
        pitch: MIDI number of each frame, used to analyse waves; None to track it in each wave.
    """

    rate: int = voice.RATE
    channels: int = 1
    silence: float = -1.0
    levels: tuple[float, float] = (-31.0, -13.0)
    lens: MelSettings = field(default_factory=lambda: MelSettings(voice.RATE, 1200, voice.HOP, 100, 20.0, 12_000.0))

    pitch: np.ndarray | None = field(default=None, compare=False)

    @property
    def samples_per_frame(self) -> int:
        """The hop."""
        return voice.HOP

    def frame_size(self, frames: int) -> tuple[int, int]:
        """Return rows and frames."""
        return voice.ROWS, frames

    def level_of(self, wave: Float[Tensor, "1 n"], usual: float = 1.0) -> float:
        """Return `usual`."""
        return usual

    def to_frames(self, waves: Float[Tensor, "b 1 n"], level: float = 1.0) -> Rows:
        """Return rows, analysed with the known pitch or the one tracked in each wave."""
        scaled = (waves[:, 0] / (level * LOUDER)).double().cpu().numpy()
        return torch.from_numpy(np.stack([analyse(wave, self._along(wave)) for wave in scaled]))[:, None]

    def _along(self, wave: Float[np.ndarray, " n"]) -> Float[np.ndarray, " frames"]:
        if self.pitch is None:
            return pitch_of(wave)
        frames = -(-len(wave) // voice.HOP)
        return np.pad(self.pitch, (0, max(0, frames - len(self.pitch))), mode="edge")[:frames]

    def to_waves(self, frames: Rows, samples: int, level: float | None = None) -> Float[Tensor, "b 1 n"]:
        """Synthesise waves from rows; without a level, waves that would clip are made quieter."""
        made = [voice.synthesise(rows)[:samples] for rows in frames[:, 0].float().cpu().numpy()]
        waves = torch.from_numpy(np.stack(made))[:, None] * LOUDER
        return waves / waves.abs().amax((1, 2), keepdim=True).clamp_min(1) if level is None else waves * level

    def is_silent(self, frames: Rows) -> bool:
        """Return whether every row but the pitch is at the floor."""
        return bool((frames[..., :-1, :] <= self.silence).all())

    def grow_onto(self, waves: Float[Tensor, "b 1 n"], span: tuple[int, int], frames: Rows) -> Float[Tensor, "b 1 n"]:
        """Return waves with the span of samples synthesised from rows, faded in and out at its ends."""
        return faded_over(self.to_waves(frames, waves.shape[-1], 1.0), waves, span, round(FADE * self.rate))

    def distance(self, a: Rows, b: Rows) -> float:
        """Return the mean absolute difference of all rows but the pitch in dB, to two digits."""
        return round(float((a - b)[..., :-1, :].abs().mean()) * -voice.FLOOR / 2, 2)

    def pictures(self, frames: Rows) -> Float[Tensor, "b 3 rows frames"]:
        """Return harmonics, noise and pitch, from bottom to top, as colour pictures."""
        return as_picture(frames)
