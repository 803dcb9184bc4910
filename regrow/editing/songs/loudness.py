"""The level of a copy of a song, relative to the song as it was sung."""

from dataclasses import replace
from math import log10
from pathlib import Path

from regrow.editing.songs.accompany import Band
from regrow.media.audio.fitting import SoundFrame, filled
from regrow.media.audio.medium import MEDIUM as SOUND
from regrow.models.model import Model

SAME = 0.3
"""Largest difference in dB that counts as none: what lossy formats and other rates change."""


def at_sung_level(path: Path, frame: SoundFrame, band: Band | None, model: Model) -> tuple[SoundFrame, Band | None]:
    """Return a song as its model sang it, and what plays below it, if the file is a louder or quieter copy.

    New words then have the level of the others. The file's level comes from its recipe, which holds the RMS of the
    result; without it, or with `normalize` off, everything stays.

    Args:
        path: of the file.
        frame: the file, as loaded.
        band: what plays below, as sung.
        model: that sings.
    """
    result = (SOUND.read_recipe(path) or {}).get("result")
    sung = result.get("rms") if isinstance(result, dict) else None
    there = float(frame.sound.wave.square().mean().sqrt())
    if frame.plain or not isinstance(sung, float) or sung <= 0 or there <= 0:
        return frame, band
    gain = there / sung
    if abs(20 * log10(gain)) < SAME:
        return frame, band
    frames = frame.codec.to_frames(frame.wave[None], gain)[0]
    content = filled(frames, -frames.shape[-1] % model.multiple, frame.codec)
    return replace(frame, content=content, level=gain), band and replace(band, rms=band.rms * gain)
