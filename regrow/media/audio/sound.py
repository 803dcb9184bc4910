"""Sound files <-> tensors: `channels n` at a rate in Hz; 1 is full scale.

Everything that libsndfile reads can be loaded (wav, flac, ogg, opus, mp3, aiff, au, caf, w64 and more), of any rate,
bit depth and number of channels. Saved are wav and flac, and ogg (Vorbis).
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
import torch
from jaxtyping import Float
from torch import Tensor

from regrow.media.audio import tag as sound_tag
from regrow.media.audio.decode import decode, opened
from regrow.media.files import MediaError, reason, write_whole
from regrow.media.image import tag
from regrow.media.output import check_output
from regrow.messages.message import say

SAVED = {".wav": ("WAV", "PCM_24"), ".flac": ("FLAC", "PCM_24"), ".ogg": ("OGG", "VORBIS")}
"""Suffixes that can be saved, with libsndfile's names of format and samples."""


MOST_TRAINED = 3600.0
"""Seconds of a file that is trained on, in clips."""
CANCELLED = 0.1
"""Of the power that the mean of unlike channels has: channels whose mean has less cancel each other."""


@dataclass(frozen=True, eq=False)
class Sound:
    """A loaded sound.

    Attributes:
        wave: float32 `channels n`, full scale is 1.
        rate: samples per second.
        notes: sentences on what was done to it.
    """

    wave: Float[Tensor, "channels n"]
    rate: int
    notes: tuple[str, ...] = ()


def load(path: str | os.PathLike[str], data: bytes | None = None, most_seconds: float | None = None) -> Sound:
    """Reads a sound file; what it is called does not matter.

    Args:
        path: of any format that libsndfile knows.
        data: the file's bytes where they are at hand; `path` then only names them in sentences.
        most_seconds: longer sounds are refused, by their header before anything is decoded; ten minutes if not given.

    Raises:
        MediaError: the file cannot be read, is no sound, is damaged, cut short, broken, too short or too long.
    """
    values, rate, notes = decode(Path(path), data, most_seconds)
    peak = float(np.abs(values).max())
    if peak > 1:
        notes = (*notes, say("sound_beyond_full_scale", name=Path(path).name, decibels=20 * np.log10(peak)))
    return Sound(torch.from_numpy(values.T.copy()), rate, notes)


def within_full_scale(wave: Float[Tensor, "channels n"]) -> Float[Tensor, "channels n"]:
    """Return a wave whose peak is 1 at most: all of it that much quieter, or where few samples stick out, those cut."""
    loud = wave.abs().amax(0)
    peak = loud.max()
    if peak > 10 * np.quantile(loud.numpy(), 0.999):
        return wave.clamp(-1, 1)
    return wave / peak.clamp_min(1)


def save(
    path: str | os.PathLike[str],
    wave: Float[Tensor, "channels n"],
    rate: int,
    recipe: Mapping[str, Any] | None = None,
) -> tuple[str, ...]:
    """Writes a sound, whole or not at all.

    Args:
        path: the suffix chooses the format: .wav and .flac, of 24 bits, or .ogg. A .wav of a result from a file, and of
            what is beyond full scale, has 32-bit floats, which hold every sample of every file.
        wave: `channels n`; what is beyond [-1, 1] is clipped but in a .wav.
        rate: samples per second.
        recipe: a JSON-able mapping that the file carries; see `read_recipe`.

    Returns:
        A sentence if anything was clipped.

    Raises:
        MediaError: unknown suffix, a wave with NaN, a recipe that cannot be carried, a disk that refuses.
    """
    check_savable(path)
    if not wave.isfinite().all():
        raise MediaError(say("sound_is_nan"))
    suffix = Path(path).suffix.lower()
    kind, samples = SAVED[suffix]
    beyond = int((wave.abs() > 1).sum())
    exact = recipe is not None and _keeps_samples(recipe)
    values = wave.detach().float().cpu().T.numpy()
    if suffix == ".wav" and (beyond or exact):
        samples, beyond = "FLOAT", 0
    elif samples == "PCM_24" and exact:
        # as whole numbers, for libsndfile scales floats by one step less than full scale, which moves loud samples
        values = np.rint(values.clip(-1, 1 - 2.0**-23) * 2.0**23).astype(np.int32) << 8
    else:
        values = values.clip(-1, 1)
    text = None if recipe is None else sound_tag.comment(recipe)
    encoded = BytesIO()
    try:
        with soundfile.SoundFile(encoded, "w", rate, len(wave), samples, format=kind) as file:
            if text is not None and suffix != ".wav":
                file.comment = text
            file.write(values)
    except (soundfile.LibsndfileError, RuntimeError) as problem:
        raise MediaError(
            say("sound_not_encodable", path=path, count=len(wave), rate=rate, reason=reason(problem))
        ) from problem
    data = encoded.getvalue() if suffix != ".wav" else sound_tag.undated(encoded.getvalue())
    write_whole(path, sound_tag.with_comment(data, text) if text is not None and suffix == ".wav" else data)
    return (say("samples_clipped", path=path, count=beyond),) if beyond else ()


def _keeps_samples(recipe: Mapping[str, Any]) -> bool:
    """Whether a result may hold samples of a file, to be saved as they are; older results were rounded."""
    return "input" in recipe and recipe.get("settings", {}).get("normalize") == "on"


def check_savable(path: str | os.PathLike[str]) -> None:
    """Refuse a name that `save` would refuse, before the work is done.

    Raises:
        MediaError: unknown suffix, or a file that could not be written.
    """
    if Path(path).suffix.lower() not in SAVED:
        raise MediaError(say("sound_suffix_unknown", path=path, saved=", ".join(SAVED)))
    check_output(path)


def read_recipe(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    """Return the recipe that a saved sound carries, or None where it carries none.

    Raises:
        MediaError: the file cannot be read as a sound, or its recipe is damaged or larger than 1 MiB.
    """
    with opened(Path(path)) as file:
        found = sound_tag.wav_comment(Path(path).read_bytes()) if file.format == "WAV" else file.comment
    text = sound_tag.recipe_text(found)
    try:
        return None if text is None else tag.parse(text)
    except MediaError as problem:
        raise MediaError(say("output_problem", path=path, problem=problem)) from problem


def wave_hash(wave: Float[Tensor, "channels n"]) -> str:
    """Return the BLAKE2b of a wave's samples and size, 32 hexadecimal digits: of 24 bits, 32 beyond full scale."""
    values = (wave.double().clamp(-1, 1) * (2**23 - 1)).round().to(torch.int32).numpy()
    values = wave.float().numpy() if wave.abs().max() > 1 else values
    return hashlib.blake2b(repr(values.shape).encode() + values.tobytes(), digest_size=16).hexdigest()


def resample(wave: Float[Tensor, "channels n"], rate: int, to: int) -> Float[Tensor, "channels m"]:
    """The wave at another rate, of round(n to / rate) samples (soxr, very high quality); the same wave where equal."""
    if rate == to:
        return wave
    samples = round(wave.shape[-1] * to / rate)
    found = torch.from_numpy(soxr.resample(wave.float().T.numpy(), rate, to, "VHQ").T.copy())
    short = samples - found.shape[-1]  # soxr rounds in its own way
    return torch.nn.functional.pad(found, (0, short)) if short > 0 else found[:, :samples]


def to_mono(wave: Float[Tensor, "channels n"]) -> Float[Tensor, "1 n"]:
    """Return the mean of the channels; where they cancel each other, the one with the most energy."""
    mean = wave.mean(0, keepdim=True)
    power = wave.double().square().mean(-1)
    cancelled = float(mean.double().square().mean()) < CANCELLED * float(power.sum()) / len(wave) ** 2
    return wave[int(power.argmax())][None] if cancelled else mean


def to_channels(wave: Float[Tensor, "channels n"], channels: int, plain: bool = False) -> Float[Tensor, "k n"]:
    """Return the wave in so many channels: as it is, or mixed to one that all of them get; `plain` by their mean."""
    if len(wave) == channels:
        return wave
    return (wave.mean(0, keepdim=True) if plain else to_mono(wave)).expand(channels, -1)
