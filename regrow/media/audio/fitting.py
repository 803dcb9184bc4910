"""Fit a sound file to a model of sounds, and undo it: spans, channels, loops."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F  # noqa: N812, the name everybody knows it by
from jaxtyping import Float
from torch import Tensor

from regrow.media.audio.level import as_in
from regrow.media.audio.sound import Sound, to_mono
from regrow.media.audio.sound_codec import SoundCodec
from regrow.media.frame import Frame, Frames, Latents
from regrow.media.medium import MediumModel

Wave = Float[Tensor, "*b channels n"]


@dataclass(frozen=True, eq=False)
class SoundFrame(Frame):
    """A sound file as a model takes it, whole latents long; what is beyond its end is silence.

    Attributes:
        sound: as it is in the file.
        wave: at the model's rate and in its channels, of the file's level.
        codec: of the model.
        level: what the wave was divided by: 1 where it has a level that the model knows.
        plain: whether it was left at its level, as before there was a choice: results end at full scale, and are mono
            where the model is.
    """

    sound: Sound
    wave: Float[Tensor, "k n"]
    codec: SoundCodec
    level: float = 1.0
    plain: bool = False

    @property
    def unit(self) -> float:
        """The level relative to which silence is measured."""
        return 1.0 if self.plain else self.level

    def at_full_scale(self, wave: Wave) -> Wave:
        """Return a result, cut off at full scale where the file was left at its level."""
        return wave.clamp(-1, 1) if self.plain else wave


def filled(frames: Float[Tensor, "c *bands frames"], missing: int, codec: SoundCodec) -> Tensor:
    """Return frames with silence behind them."""
    return F.pad(frames, (0, missing), value=codec.silence)


def lengthened(frame: Frame, frames: int) -> Frame:
    """Return a sound file with silence behind it, so that it has at least so many frames of its model."""
    assert isinstance(frame, SoundFrame), "pictures have no end"
    missing = frames - frame.content.shape[-1]
    if missing <= 0:
        return frame
    samples = missing * frame.codec.samples_per_frame
    at_rate = round(samples * frame.sound.rate / frame.codec.rate)
    return replace(
        frame,
        content=filled(frame.content, missing, frame.codec),
        sound=replace(frame.sound, wave=F.pad(frame.sound.wave, (0, at_rate))),
        wave=F.pad(frame.wave, (0, samples)),
    )


def in_channels_of(wave: Float[Tensor, "k n"], file: Float[Tensor, "channels m"]) -> Float[Tensor, "j n"]:
    """Return a wave in as many channels as its file has, or in one."""
    return wave if len(wave) in (1, len(file)) else to_mono(wave)


def in_layout_of(wave: Float[Tensor, "k n"], frame: SoundFrame) -> Float[Tensor, "channels n"]:
    """Return a wave in the channels of its file; mono where the file was left as it is."""
    file, wave = frame.sound.wave, in_channels_of(wave, frame.sound.wave)
    return wave if frame.plain or len(wave) == len(file) else as_in(wave, to_mono(file), file)


def span_of(seconds: tuple[float, float], rate: int, samples: int) -> tuple[int, int]:
    """Return the first sample of a span and the one behind its last, in a sound of so many samples."""
    return min(round(seconds[0] * rate), samples), min(round(seconds[1] * rate), samples)


def grown_in(frames: Frames, frame: SoundFrame, spans: Sequence[tuple[int, int]]) -> Float[Tensor, "b channels n"]:
    """Return the file at the model's rate, with what a model made in spans of samples."""
    codec, samples = frame.codec, frame.wave.shape[-1]
    wave = F.pad(frame.wave, (0, frames.shape[-1] * codec.samples_per_frame - samples)).expand(len(frames), -1, -1)
    grown = wave / frame.level
    for span in spans:
        grown = codec.grow_onto(grown, span, frames)
    return frame.at_full_scale((grown * frame.level)[..., :samples])


def closed(latents: Latents, model: MediumModel) -> Float[Tensor, "b channels n"]:
    """Return waves of latents whose end is followed by their beginning, fit to be played in a loop.

    The latents are decoded with what comes before and after them in the loop; then the last samples after the loop
    fade over into its first, which they are another reconstruction of.
    """
    codec = model.sound
    width, margin = latents.shape[-1], min(latents.shape[-1], _MARGIN)
    cell = model.factor * codec.samples_per_frame
    around = torch.cat([latents[..., width - margin :], latents, latents[..., :margin]], -1)
    whole = codec.to_waves(model.decode(around), around.shape[-1] * cell)
    start, samples, fade = margin * cell, width * cell, min(cell, codec.rate // 50)
    loop = whole[..., start : start + samples].clone()
    share = torch.linspace(0, 1, fade)
    loop[..., :fade] = share * loop[..., :fade] + (1 - share) * whole[..., start + samples : start + samples + fade]
    return loop


_MARGIN = 4
"""Latent cells on either side of a loop, which is more than a codec sees around one."""
