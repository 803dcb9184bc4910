"""Convert a folder of sounds to mels on disk: every file is cut into clips of one length, without silent ones."""

import hashlib
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812, the name everybody knows it by
from jaxtyping import Float
from torch import Tensor

from regrow.core.progress import Progress
from regrow.media.audio.mel import MelSettings, loudest, to_mel, to_unit
from regrow.media.audio.sound import MOST_TRAINED, load, resample, to_mono, within_full_scale
from regrow.media.captions.captioned import Item
from regrow.media.home import home
from regrow.training.arrays import kept_array, kept_rows

SILENT = -60.0
"""dB of RMS below which a clip is silent."""


@dataclass(frozen=True, eq=False)
class Clips:
    """The clips of a folder.

    Attributes:
        mels: float16 `n bands frames 1` in the models' format, mapped into memory.
        items: for each clip the number of its item; in order.
        silent: number of omitted clips of each item.
    """

    mels: np.ndarray
    items: tuple[int, ...]
    silent: tuple[int, ...]


def clips_of(
    items: tuple[Item, ...], settings: MelSettings, frames: int, relative: bool = False
) -> Generator[Progress, None, Clips]:
    """Cut sounds into clips of this many frames; the last clip of a file ends where the file ends.

    They stay in the cache folder, under a hash of the files' contents and the settings.

    Args:
        items: the sounds.
        settings: of the mels.
        frames: of a clip.
        relative: normalise every clip to the greatest level, for a model without levels.

    Raises:
        MediaError: a file has changed since it was listed, or there is no room for the clips.
    """
    samples = frames * settings.hop
    key = content_of(items, settings, frames, relative)
    path, index = (home() / "cache" / "clips" / f"{key}{end}" for end in (".npy", "-index.npy"))
    mels, of = kept_rows(path), kept_rows(index)
    if mels is None or of is None:
        starts: list[tuple[int, int]] = []
        silent = [0] * len(items)
        for i, item in enumerate(items):
            wave = _wave(item, settings)
            for start in starts_in(wave.shape[-1], samples):
                if float(wave[:, start : start + samples].square().mean()) < 10 ** (SILENT / 10):
                    silent[i] += 1
                else:
                    starts.append((i, start))
            yield Progress("listen", i + 1, len(items))
        loaded, wave = -1, torch.zeros(1, 0)
        with kept_array(path, (max(1, len(starts)), settings.bands, frames, 1), np.float16) as array:
            for k, (i, start) in enumerate(starts):
                if i != loaded:
                    loaded, wave = i, _wave(items[i], settings)
                clip = wave[:, start : start + samples]
                clip = F.pad(clip, (0, samples - clip.shape[-1]))
                clip = clip / loudest(clip, settings) if relative else clip
                mel = to_unit(to_mel(clip[None], settings), settings)
                array[k] = mel[0].movedim(0, -1).half().numpy()
                yield Progress("read", k + 1, len(starts))
        with kept_array(index, (len(silent) + len(starts),), np.int64) as of:
            of[:] = [*silent, *(i for i, _ in starts)]
        mels, of = np.load(path, mmap_mode="r"), np.load(index)
    found = of.tolist()
    return Clips(mels, tuple(found[len(items) :]), tuple(found[: len(items)]))


def content_of(items: tuple[Item, ...], settings: MelSettings, frames: int, relative: bool) -> str:
    """Return a hash of everything that determines the clips."""
    made_of = (settings, frames, [item.content for item in items], *(["relative"] if relative else []))
    return hashlib.blake2b(repr(made_of).encode(), digest_size=12).hexdigest()


def starts_in(samples: int, clip: int) -> list[int]:
    """Return the starts of a sound's clips: one after the other, but the last clip ends with the sound."""
    if samples <= clip:
        return [0]
    return [*range(0, samples - clip, clip), samples - clip]


def _wave(item: Item, settings: MelSettings) -> Float[Tensor, "1 n"]:
    sound = load(item.name, item.read(), MOST_TRAINED)
    return resample(to_mono(within_full_scale(sound.wave)), sound.rate, settings.rate)
