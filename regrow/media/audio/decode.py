"""Decode a sound file: check its header before decoding, and its length while reading.

libsndfile decodes. Found here are files that are not sounds, unfinished WAV headers, headers that promise more than
there is, and broken samples.
"""

import os
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import soundfile
from jaxtyping import Float32

from regrow.media.content import content_at, content_of
from regrow.media.files import MediaError, is_pointer, readable, reason
from regrow.messages.message import say

SHORTEST = 0.01
"""The shortest usable sound in seconds."""
MOST_SECONDS = 600.0
"""Seconds that are taken."""
LEAST_RATE = 1000
"""Samples per second below which nothing can be heard."""
MOST_VALUES = 1 << 28
"""Samples times channels that are decoded at most: 1 GiB."""
MOST_BYTES = 1 << 31
UNTOLD = 1 << 62
"""More frames than any file has: libsndfile tells that many where a header does not say how many there are."""
BLOCK = 1 << 20
"""Values that are decoded at once."""
CLEAR, SPIKE, LOUDEST = 10.0, 1000.0, 1e10
"""Samples are broken that are louder than `CLEAR` and `SPIKE` times louder than 99 % of all, or louder than `LOUDEST`;
1 is full scale."""


_SIZES = r"^ *(?:data|SSND|BODY|Data Size|riff|Riff size) *: (\d+) \(should be (\d+)\)"
"""What libsndfile says of sizes in the headers of WAV, AIFF, SVX, AU, W64 and RF64 that are not those of the file."""


class Reader(soundfile.SoundFile):
    """A reader of a sound file, from its beginning to its end.

    soundfile seeks after every block, which some codecs cannot, and FLAC of unknown length not at its end.
    """

    def seekable(self) -> bool:
        return False


class _Seekable:
    """A file that stays where it is when a damaged header asks for a place before its beginning.

    The error would be raised in a callback of libsndfile, which prints it with a traceback and goes on all the same.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        try:
            return self._file.seek(offset, whence)
        except (OSError, ValueError, OverflowError):
            return self._file.tell()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@contextmanager
def opened(path: Path | str, data: bytes | None = None) -> Iterator[Reader]:
    """Open a sound file, with its header read.

    Raises:
        MediaError: it cannot be read, is no sound, or is of a format that libsndfile does not know.
    """
    if data == b"":
        raise MediaError(say("sound_empty", path=path))
    if data and is_pointer(data):
        raise MediaError(say("unfetched_pointer", name=path))
    known = content_at(readable(path)) if data is None else content_of(data)
    if known and known.medium != "sound":
        raise MediaError(say("sound_is_other_medium", path=path, medium=known.medium, name=known.name))
    if known and known.foreign:
        raise MediaError(say("sound_format_unreadable", path=path, name=known.name))
    # by its number, for by a name soundfile and libsndfile would believe the suffix
    with open(os.open(path, os.O_RDONLY), "rb") if data is None else BytesIO(data) as content:
        if content.seek(0, os.SEEK_END) > MOST_BYTES:
            raise MediaError(say("sound_file_too_large", path=path, most=MOST_BYTES >> 30))
        try:
            file = Reader(cast("BinaryIO", _Seekable(_with_length(content))))
        except (soundfile.LibsndfileError, RuntimeError, TypeError) as problem:
            why = problem.error_string if isinstance(problem, soundfile.LibsndfileError) else str(problem)
            raise MediaError(
                say("sound_unreadable", path=path, reason=why.rstrip(".") or say("format_unknown"))
            ) from problem
        with file:
            yield file


def decode(
    path: Path | str, data: bytes | None = None, most_seconds: float | None = None
) -> tuple[Float32[np.ndarray, "n channels"], int, tuple[str, ...]]:
    """Return a file's samples, its rate, and sentences on what is wrong with it.

    Args:
        path: of the file; names it in sentences.
        data: its bytes where they are at hand.
        most_seconds: longer sounds are refused, by their header or, where that lies, while they are read.

    Raises:
        MediaError: as for `opened`; or it is damaged, cut short, too short, too long, or holds what is no sound.
    """
    most_seconds = MOST_SECONDS if most_seconds is None else most_seconds
    with opened(path, data) as file:
        promised, channels, rate = file.frames, file.channels, file.samplerate
        most = min(round(most_seconds * rate), MOST_VALUES // channels)
        if promised < UNTOLD:
            _check_length(path, promised, channels, rate, most_seconds)
        if rate < LEAST_RATE:
            raise MediaError(say("sound_rate_too_low", path=path, rate=rate, least_rate=LEAST_RATE))
        blocks, samples = [], 0
        try:
            while len(block := file.read(BLOCK // channels + 1, "float32", always_2d=True)):
                blocks.append(block)
                samples += len(block)
                if samples > most:
                    _check_length(path, samples, channels, rate, most_seconds)
        except (soundfile.LibsndfileError, RuntimeError) as problem:
            raise MediaError(say("sound_damaged", path=path, reason=reason(problem))) from problem
        values = np.concatenate(blocks) if blocks else np.zeros((0, channels), np.float32)
        size = len(data) if data is not None else Path(path).stat().st_size
        notes = _check_end(path, file, len(values), data)
    if not len(values) and size > 4096:
        raise MediaError(say("sound_unfinished", path=path, size=size >> 10))
    if len(values) < SHORTEST * rate:
        held = f"{len(values)} sample{'s' if len(values) != 1 else ''}"
        raise MediaError(say("sound_too_short", path=path, held=held, rate=rate, shortest=SHORTEST))
    _check_samples(path, values, rate)
    return values, rate, notes


def _check_length(path: Path | str, frames: int, channels: int, rate: int, most_seconds: float) -> None:
    seconds = frames / rate
    if seconds > most_seconds:
        each = f"{rate} sample{'s' if rate > 1 else ''}"
        long = say("sound_header_too_long", path=path, seconds=seconds / 3600, each=each, most_seconds=most_seconds)
        short = say("sound_too_long", path=path, seconds=seconds, most_seconds=most_seconds)
        raise MediaError(long if seconds > 7200 else short)
    if frames * channels > MOST_VALUES:
        raise MediaError(say("sound_too_large_at_once", path=path, seconds=seconds / 60, channels=channels))


def _check_end(path: Path | str, file: Reader, samples: int, data: bytes | None) -> tuple[str, ...]:
    """Refuse a file whose end is missing; of an MP3, which has no length but a guess of it, say so."""
    sizes = re.search(_SIZES, file.extra_info, re.MULTILINE)
    # a program that writes to a pipe leaves the largest size there is in the header
    lacks = sizes and int(sizes[2]) < int(sizes[1]) < 0x7FFFFFFF - 0x1000
    ended = file.format != "OGG" or _has_last_page(Path(path).read_bytes() if data is None else data)
    if file.format in ("MP3", "MPEG"):
        there, promised = (count / file.samplerate for count in (samples, file.frames))
        sentence = say("sound_end_missing", name=Path(path).name, promised=promised, held=there)
        return (sentence,) if there < 0.9 * promised else ()
    if samples < file.frames < UNTOLD or not ended or lacks:
        raise MediaError(say("sound_cut_short", path=path))
    return ()


def _check_samples(path: Path | str, values: Float32[np.ndarray, "n channels"], rate: int) -> None:
    """Refuse samples that are no numbers, or so far from all others that they are no sound."""
    loud = np.abs(values).max(1)
    if loud.max() <= CLEAR:
        return
    usual = float(np.quantile(loud[np.isfinite(loud)], 0.99)) if np.isfinite(loud).any() else 0.0
    broken = np.flatnonzero(~(loud <= min(LOUDEST, max(CLEAR, SPIKE * usual))))
    if len(broken):
        first = int(broken[0])
        many = say("several_samples", count=len(broken)) if len(broken) > 1 else say("one_sample")
        none = say("what_is_no_sound") if np.isfinite(loud[broken]).all() else say("what_is_no_number")
        raise MediaError(
            say(
                "sound_has_broken_samples",
                path=path,
                many=many,
                what=none,
                number=first,
                second=first / rate,
                value=loud[first],
            )
        )


def _with_length(content: BinaryIO) -> BinaryIO:
    """Return a file to read; of a WAV whose recorder was stopped before it wrote how long it is, with that put right.

    Its data are said to have 0 bytes, or fewer than there are, and what follows them is no chunk.
    """
    whole = content.seek(0, os.SEEK_END)
    content.seek(0)
    riff, place = content.read(12), 12
    while riff[:4] == b"RIFF" and riff[8:] == b"WAVE" and place + 8 <= whole:
        content.seek(place)
        name, size = struct.unpack("<4sI", content.read(8))
        place += 8 + size + size % 2
        if name == b"data":
            begin = content.tell()
            content.seek(min(place, whole))
            behind = content.read(8)
            chunk = len(behind) == 8 and re.match(rb"[ -~]{4}", behind)
            if place < whole - 8 and not (chunk and place + 8 + struct.unpack("<I", behind[4:])[0] <= whole + 1):
                content.seek(0)
                header = content.read(begin - 4)
                return BytesIO(header + struct.pack("<I", whole - begin) + content.read()[4:])
            break
    content.seek(0)
    return content


def _has_last_page(ogg: bytes) -> bool:
    """Whether the last page says that it is the last (RFC 3533, section 6): libsndfile takes whatever is there."""
    last = ogg.rfind(b"OggS")
    return len(ogg) > last + 5 and bool(ogg[last + 5] & 4)
