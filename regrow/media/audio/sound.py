"""Sound files <-> tensors: `channels n` in [-1, 1] at a rate in Hz.

Everything that libsndfile reads can be loaded (wav, flac, ogg, opus, mp3, aiff, au, caf, w64 and more), of any rate,
bit depth and number of channels. Saved are wav and flac, 24 bit, and ogg (Vorbis).
"""

import hashlib
import os
import re
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
from regrow.media.files import MediaError, readable, reason, write_whole
from regrow.media.image import tag
from regrow.media.output import check_output

SAVED = {".wav": ("WAV", "PCM_24"), ".flac": ("FLAC", "PCM_24"), ".ogg": ("OGG", "VORBIS")}
"""Suffixes that can be saved, with libsndfile's names of format and samples."""
SHORTEST = 0.01
"""Seconds that a sound must have to be of use."""
MOST_VALUES = 1 << 28
"""Samples times channels that are decoded at most: 1 GiB, an hour and a half of stereo at 48 kHz."""
MOST_BYTES = 1 << 31
UNTOLD = (1 << 63) - 1
"""Frames that libsndfile tells where a header does not say how many there are."""


@dataclass(frozen=True, eq=False)
class Sound:
    """A loaded sound.

    Attributes:
        wave: float32 `channels n` in [-1, 1].
        rate: samples a second.
        notes: sentences on what was done to it.
    """

    wave: Float[Tensor, "channels n"]
    rate: int
    notes: tuple[str, ...] = ()


def load(path: str | os.PathLike[str], data: bytes | None = None, most_seconds: float | None = None) -> Sound:
    """Reads a sound file.

    Args:
        path: of any format that libsndfile knows; what it is called does not matter.
        data: the file's bytes where they are at hand; `path` then only names them in sentences.
        most_seconds: longer sounds are refused by their header, before anything is decoded.

    Raises:
        MediaError: the file cannot be read, is no sound, is damaged, cut short, too short or too long.
    """
    with _opened(path, data) as file:
        frames, channels, rate = file.frames, file.channels, file.samplerate
        if frames == UNTOLD:
            raise MediaError(
                f"{path} does not say how long it is, as a program that wrote it to a pipe could not know: write it "
                "again with ffmpeg or sox from file to file."
            )
        if most_seconds is not None and frames > most_seconds * rate:
            raise MediaError(
                f"{path} lasts {frames / rate:.0f} s, more than the {most_seconds:g} s taken here: cut a part out."
            )
        if frames * channels > MOST_VALUES:
            raise MediaError(
                f"{path} has {frames / rate / 60:.0f} minutes of {channels} channels, which is more than regrow takes "
                "in at once: cut it into parts."
            )
        try:
            values = file.read(dtype="float32", always_2d=True)
        except (soundfile.LibsndfileError, RuntimeError) as problem:
            raise MediaError(f"{path} is damaged ({reason(problem)}): copy or download it again.") from problem
        promised = re.search(r"^data : (\d+) \(should be (\d+)\)", file.extra_info, re.MULTILINE)
        ended = file.format != "OGG" or _has_last_page(Path(path).read_bytes() if data is None else data)
        estimated = file.format in ("MP3", "MPEG")  # without a tag of its encoder its length is a guess
    # a program that writes to a pipe leaves the largest size there is in the header
    lacks = promised and int(promised[2]) < int(promised[1]) < 0x7FFFFFFF - 0x1000
    if (len(values) < frames and not estimated) or not ended or lacks:
        raise MediaError(f"{path} is cut short, its end is missing: copy or download it again.")
    if len(values) < SHORTEST * rate:
        samples = f"{len(values)} sample{'s' if len(values) != 1 else ''}"
        raise MediaError(f"{path} holds {samples} at {rate} Hz, less than {SHORTEST:g} s: there is nothing to hear.")
    if not np.isfinite(values).all():
        raise MediaError(f"{path} holds samples that are no numbers: write it again with another program.")
    notes: tuple[str, ...] = ()
    peak = float(np.abs(values).max())
    if peak > 1:
        values /= peak
        notes = (f"It goes {20 * np.log10(peak):.1f} dB beyond full scale and was made that much quieter.",)
    return Sound(torch.from_numpy(values.T.copy()), rate, notes)


def save(
    path: str | os.PathLike[str],
    wave: Float[Tensor, "channels n"],
    rate: int,
    recipe: Mapping[str, Any] | None = None,
) -> tuple[str, ...]:
    """Writes a sound, whole or not at all.

    Args:
        path: the suffix chooses the format: .wav, .flac (24 bit) or .ogg.
        wave: `channels n`; what is beyond [-1, 1] is clipped.
        rate: samples a second.
        recipe: a JSON-able mapping that the file carries; see `read_recipe`.

    Returns:
        A sentence if anything was clipped.

    Raises:
        MediaError: unknown suffix, a wave with NaN, a recipe that cannot be carried, a disk that refuses.
    """
    check_savable(path)
    if not wave.isfinite().all():
        raise MediaError("The sound holds NaN instead of numbers: the model diverged, try full precision.")
    suffix = Path(path).suffix.lower()
    kind, samples = SAVED[suffix]
    beyond = int((wave.abs() > 1).sum())
    text = None if recipe is None else sound_tag.comment(recipe)
    encoded = BytesIO()
    try:
        with soundfile.SoundFile(encoded, "w", rate, len(wave), samples, format=kind) as file:
            if text is not None and suffix != ".wav":
                file.comment = text
            file.write(wave.detach().float().cpu().clamp(-1, 1).T.numpy())
    except (soundfile.LibsndfileError, RuntimeError) as problem:
        raise MediaError(
            f"{path} cannot be encoded with {len(wave)} channels at {rate} Hz ({reason(problem)}): save as .wav."
        ) from problem
    whole = encoded.getvalue()
    write_whole(path, sound_tag.with_comment(whole, text) if text is not None and suffix == ".wav" else whole)
    return (f"{path}: {beyond} samples were beyond full scale and were clipped.",) if beyond else ()


def check_savable(path: str | os.PathLike[str]) -> None:
    """Refuse a name that `save` would refuse, before the work is done.

    Raises:
        MediaError: unknown suffix, or a file that could not be written.
    """
    if Path(path).suffix.lower() not in SAVED:
        raise MediaError(f"{path} has no suffix of a sound that regrow can save: use one of {', '.join(SAVED)}.")
    check_output(path)


def read_recipe(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    """The recipe that a saved sound carries, or None where it carries none.

    Raises:
        MediaError: the file cannot be read as a sound, or its recipe is damaged or larger than 1 MiB.
    """
    with _opened(path, None) as file:
        found = sound_tag.wav_comment(Path(path).read_bytes()) if file.format == "WAV" else file.comment
    text = sound_tag.recipe_text(found)
    try:
        return None if text is None else tag.parse(text)
    except MediaError as problem:
        raise MediaError(f"{path} {problem}") from problem


def wave_hash(wave: Float[Tensor, "channels n"]) -> str:
    """Return the BLAKE2b of a wave's 24-bit samples and size, 32 hexadecimal digits."""
    values = (wave.double().clamp(-1, 1) * (2**23 - 1)).round().to(torch.int32).numpy()
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
    """The mean of the channels."""
    return wave.mean(0, keepdim=True)


def to_channels(wave: Float[Tensor, "channels n"], channels: int) -> Float[Tensor, "k n"]:
    """Return the wave in so many channels: as it is, or mixed to one that all of them get."""
    return wave if len(wave) == channels else to_mono(wave).expand(channels, -1)


def _has_last_page(ogg: bytes) -> bool:
    """Whether the last page says that it is the last (RFC 3533, section 6): libsndfile takes whatever is there."""
    last = ogg.rfind(b"OggS")
    return len(ogg) > last + 5 and bool(ogg[last + 5] & 4)


def _opened(path: str | os.PathLike[str], data: bytes | None) -> soundfile.SoundFile:
    """The file with its header read. What goes wrong becomes a sentence."""
    where = readable(path) if data is None else Path(path)
    if data == b"":
        raise MediaError(f"{path} is empty (0 bytes): copy or download it again.")
    if data is None and where.stat().st_size > MOST_BYTES:
        raise MediaError(f"{path} is larger than {MOST_BYTES >> 30} GiB: cut it into parts.")
    try:
        return soundfile.SoundFile(str(where) if data is None else BytesIO(data))
    except (soundfile.LibsndfileError, RuntimeError, TypeError) as problem:
        why = problem.error_string if isinstance(problem, soundfile.LibsndfileError) else str(problem)
        raise MediaError(
            f"{path} is no sound that can be read ({why.rstrip('.') or 'unknown format'}): save it as wav, flac, ogg "
            "or mp3."
        ) from problem
