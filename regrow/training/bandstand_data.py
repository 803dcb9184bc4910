"""Played phrases as mels on disk, played once and mapped into memory."""

import hashlib
from collections.abc import Generator, Sequence
from pathlib import Path

import numpy as np
import torch

from regrow import worlds
from regrow.core.progress import Progress
from regrow.media.audio.mel import MelSettings, to_mel, to_unit
from regrow.media.home import home
from regrow.training.arrays import kept_array
from regrow.worlds.bandstand.playing import Phrase, play_many
from regrow.worlds.bandstand.sampler import RATE

_CODE = ("bandstand.py", "phrase.py", "sampler.py", "score.py", "bank/*")
"""What decides how a phrase sounds."""


def playing_code() -> str:
    """A hash of the code and the notes that decide how a phrase sounds: what is kept of them is kept under it."""
    root = Path(worlds.__path__[0])
    code = b"".join(path.read_bytes() for pattern in _CODE for path in sorted(root.glob(pattern)))
    return hashlib.blake2b(code, digest_size=12).hexdigest()


def played(
    phrases: Sequence[Phrase], settings: MelSettings, frames: int, processes: int | None = None
) -> Generator[Progress, None, np.ndarray]:
    """Mels, float16 `n bands frames 1` as models see them (-1 is silence), of the phrases.

    They stay in the cache folder under a name made of the phrases, the settings and the playing code, so the same
    call returns at once the next time. An interrupted playing leaves nothing under that name.

    Raises:
        ValueError: the settings are of another rate than the world's.
        MediaError: there is no room for them.
    """
    if settings.rate != RATE:
        raise ValueError(f"The bandstand plays at {RATE} Hz, and the model hears {settings.rate} Hz.")
    key = hashlib.blake2b(repr((phrases, settings, frames, playing_code())).encode(), digest_size=12).hexdigest()
    path = home() / "cache" / "played" / f"{key}.npy"
    if not path.exists():
        with kept_array(path, (len(phrases), settings.bands, frames, 1), np.float16) as array:
            for i, clip in enumerate(play_many(phrases, frames * settings.hop / RATE, processes)):
                mel = to_unit(to_mel(torch.from_numpy(clip.wave)[None], settings), settings)
                array[i] = mel[0].movedim(0, -1).half().numpy()
                yield Progress("read", i + 1, len(phrases))
    return np.load(path, mmap_mode="r")
