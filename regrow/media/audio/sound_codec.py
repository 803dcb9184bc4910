"""Convert waves to the frames of a model of sounds and back; the last axis of frames is time.

A model of mels has a frame every hop; one that codes the waves themselves has a frame a sample.
"""

from typing import Protocol

from jaxtyping import Float
from torch import Tensor

from regrow.media.audio.mel import MelSettings

Waves = Float[Tensor, "b channels n"]
Frames = Float[Tensor, "b c *bands frames"]


class SoundCodec(Protocol):
    """How a model takes and gives waves."""

    @property
    def rate(self) -> int:
        """Samples per second."""
        ...

    @property
    def channels(self) -> int:
        """Channels of the waves that the model takes."""
        ...

    @property
    def samples_per_frame(self) -> int:
        """Samples between two frames."""
        ...

    @property
    def silence(self) -> float:
        """The value that fills frames beyond the end of a sound."""
        ...

    @property
    def lens(self) -> MelSettings:
        """The mel in which sounds are compared and drawn."""
        ...

    def frame_size(self, frames: int) -> tuple[int, ...]:
        """Return what `Model.latent_shape` takes for so many frames."""
        ...

    @property
    def levels(self) -> tuple[float, float]:
        """The RMS, in dB below full scale, from and to which the model knows sounds."""
        ...

    def level_of(self, wave: Float[Tensor, "channels n"], usual: float = 1.0) -> float:
        """Return what to divide a wave by for the model: `usual`, but where the model knows no level."""
        ...

    def to_frames(self, waves: Waves, level: float = 1.0) -> Frames:
        """Return waves divided by a level as frames that the model encodes."""
        ...

    def to_waves(self, frames: Frames, samples: int, level: float | None = None) -> Waves:
        """Return the first samples of decoded frames as waves, in [-1, 1] times the level.

        Args:
            frames: as the model decodes them.
            samples: of each wave.
            level: what the sound that they were made from was divided by, beyond which nothing is cut off; None where
                they were made from none, and end at full scale.
        """
        ...

    def is_silent(self, frames: Frames) -> bool:
        """Return whether there is nothing in frames that could be heard."""
        ...

    def grow_onto(self, waves: Waves, span: tuple[int, int], frames: Frames) -> Waves:
        """Return waves, bit for bit but in a span of samples, in which they follow the frames and join at its ends."""
        ...

    def distance(self, a: Frames, b: Frames) -> float:
        """Return the mean absolute difference of the mels of frames in dB."""
        ...

    def pictures(self, frames: Frames) -> Float[Tensor, "b 3 h w"]:
        """Return frames as pictures: low below, late to the right."""
        ...
