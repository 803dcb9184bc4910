"""Items of the worlds as training data: drawn scenes, played phrases and sung songs, made once and kept on disk."""

import hashlib
from collections.abc import Generator, Sequence
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Literal

import numpy as np
import torch

from regrow.core.progress import Progress
from regrow.media import audio
from regrow.media.audio.mel import MelSettings, to_mel, to_unit
from regrow.messages.message import say
from regrow.training.arrays import keep_rows
from regrow.training.songs.songbook_data import CODE as CODE_OF_SONGS
from regrow.training.songs.songbook_data import CODE_OF_FRAMES, songbook_data
from regrow.training.training_data import Data
from regrow.worlds import bandstand, songbook, storybook
from regrow.worlds.bandstand import playing
from regrow.worlds.bandstand.playing import Phrase, play_many
from regrow.worlds.bandstand.sampler import RATE
from regrow.worlds.storybook.drawing import CHARACTERS, VOCABULARY, Scene, caption, captions, draw_many
from regrow.worlds.storybook.expression_mask import mood
from regrow.worlds.storybook.scene import ACCESSORIES, TIMES, WEATHERS

HELD_OUT = 8_900_000
"""Seeds of held-out scenes and phrases begin here; those of the benchmarks are further up."""
CODE = tuple(
    f"{name}.py"
    for name in ("animals", "canvas", "coats", "faces", "heads", "places", "rooms", "scene", "skies", "drawing")
)
"""Files of the storybook that decide how a scene looks; the others only name it."""
PLAYING_CODE = ("playing.py", "phrase.py", "sampler.py", "composition.py", "bank/*")
"""Files of the bandstand that decide how a phrase sounds."""


def world_items(
    world: str, count: int, held_out: int, extent: tuple[int, int], mel: MelSettings | None
) -> Generator[Progress, None, Data]:
    """Return `count` items of a world to train on and `held_out` more, with captions.

    Args:
        world: storybook, bandstand or songbook.
        count: number of scenes, phrases or songs to train on.
        held_out: number of further ones, which are never trained on.
        extent: height and width in pixels, or bands and frames of the mels.
        mel: of the bandstand's sounds; None for pictures.

    Raises:
        ValueError: the settings are of another rate than the world's.
        MediaError: there is no room for them on the disk.
    """
    if world == "storybook":
        return (yield from storybook_data(count, held_out, extent[0]))
    if world == "songbook":
        code = code_hash(songbook, CODE_OF_SONGS) + code_hash(audio, CODE_OF_FRAMES)
        return (yield from songbook_data(count, held_out, extent[1], HELD_OUT, code))
    assert mel, "the bandstand plays for models of mels"
    return (yield from bandstand_data(count, held_out, extent[1], mel))


def storybook_data(scenes: int, held_out: int, size: int) -> Generator[Progress, None, Data]:
    """Return drawn scenes with captions, a quarter of them Chinese, the others English."""
    book = [lesson(seed) for seed in range(scenes)]
    book += [Scene.random(HELD_OUT + i) for i in range(held_out)]
    pictures, masks = yield from drawn(book, size)

    def words_of(i: int, seed: int) -> str:
        fullest = Random(f"fullest {seed}").random() < 0.4  # as in prompts of edits; others rarely name every attribute
        return captions(book[i], _language(seed))[-1] if fullest else caption(book[i], seed, _language(seed))

    return Data(
        pictures,
        masks,
        words_of,
        held_out,
        f"storybook lessons {scenes} {held_out} {size} {code_hash(storybook, CODE)}",
        VOCABULARY,
        tuple(CHARACTERS),
        focus=lambda i, cells: mood(book[i], cells),
    )


def lesson(seed: int) -> Scene:
    """Return the storybook's scene of this seed; in every second one, weather, time and accessory are drawn evenly.

    Most scenes of the book have daylight, a clear sky and no accessory, so the others are too few to learn from.
    """
    scene, random = Scene.random(seed), Random(f"lesson {seed}")
    if seed % 2:
        return scene
    return scene.replace(
        weather=random.choice(WEATHERS[scene.place]),
        time=random.choice(TIMES[scene.place]),
        accessory=random.choice(ACCESSORIES[1:]),
    )


def bandstand_data(phrases: int, held_out: int, frames: int, settings: MelSettings) -> Generator[Progress, None, Data]:
    """Return played phrases with captions, a quarter of them Chinese, the others English."""
    concert = [Phrase.random(seed) for seed in range(phrases)]
    concert += [Phrase.random(HELD_OUT + i) for i in range(held_out)]
    return Data(
        (yield from played(concert, settings, frames)),
        None,
        lambda i, seed: playing.caption(concert[i], seed, _language(seed)),
        held_out,
        f"bandstand {phrases} {held_out} {frames} {settings} {code_hash(bandstand, PLAYING_CODE)}",
        playing.VOCABULARY,
        tuple(playing.CHARACTERS),
        notes_of=lambda i: playing.notes(concert[i], frames * settings.hop / settings.rate),
    )


def drawn(
    scenes: Sequence[Scene], size: int, processes: int | None = None
) -> Generator[Progress, None, tuple[np.ndarray, np.ndarray]]:
    """Return pictures, uint8 `n h w 3`, and masks of the animal, uint8 `n h w`, of the scenes.

    They stay in the cache folder under a hash of the scenes, the size and the drawing code, so the same call returns at
    once the next time. An interrupted drawing leaves nothing under that name.

    Raises:
        MediaError: there is no room for them.
    """
    square = (len(scenes), size, size)
    pictures, masks = yield from keep_rows(
        "drawn",
        repr((scenes, size, code_hash(storybook, CODE))),
        {"-pictures": ((*square, 3), np.uint8), "-masks": (square, np.uint8)},
        lambda: ((drawing.picture, drawing.mask) for drawing in draw_many(scenes, size, processes)),
    )
    return pictures, masks


def played(
    phrases: Sequence[Phrase], settings: MelSettings, frames: int, processes: int | None = None
) -> Generator[Progress, None, np.ndarray]:
    """Return mels of the phrases, float16 `n bands frames 1`, -1 for silence; they are cached as in `drawn`.

    Raises:
        ValueError: the settings are of another rate than the world's.
        MediaError: there is no room for them.
    """
    if settings.rate != RATE:
        raise ValueError(say("bandstand_rate_differs", rate=RATE, model_rate=settings.rate))

    def mel_of(wave: np.ndarray) -> np.ndarray:
        mel = to_unit(to_mel(torch.from_numpy(wave)[None], settings), settings)
        return mel[0].movedim(0, -1).half().numpy()

    (mels,) = yield from keep_rows(
        "played",
        repr((phrases, settings, frames, code_hash(bandstand, PLAYING_CODE))),
        {"": ((len(phrases), settings.bands, frames, 1), np.float16)},
        lambda: ((mel_of(clip.wave),) for clip in play_many(phrases, frames * settings.hop / RATE, processes)),
    )
    return mels


def code_hash(world: ModuleType, files: Sequence[str]) -> str:
    """Return a hash of the files that determine a world's items, under which the items are cached.

    Args:
        world: its package.
        files: names or patterns in the package's folder.
    """
    root = Path(world.__path__[0])
    code = b"".join(path.read_bytes() for pattern in files for path in sorted(root.glob(pattern)))
    return hashlib.blake2b(code, digest_size=12).hexdigest()


def _language(seed: int) -> Literal["en", "zh"]:
    return "zh" if seed % 4 == 0 else "en"
