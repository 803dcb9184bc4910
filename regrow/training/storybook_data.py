"""Drawn scenes as arrays on disk, drawn once and mapped into memory."""

import hashlib
from collections.abc import Generator, Sequence
from pathlib import Path

import numpy as np

from regrow.core.progress import Progress
from regrow.media.home import home
from regrow.training.arrays import kept_array
from regrow.worlds import storybook
from regrow.worlds.storybook.drawing import Scene, draw_many

CODE = ("animals", "canvas", "coats", "faces", "heads", "places", "rooms", "scene", "skies", "drawing")
"""What decides how a scene looks: modules of the world, without what only names the scenes."""


def drawing_code() -> str:
    """A hash of the code that decides how a scene looks: what is kept of drawings is kept under it."""
    code = b"".join(Path(storybook.__path__[0], f"{name}.py").read_bytes() for name in CODE)
    return hashlib.blake2b(code, digest_size=12).hexdigest()


def drawn(
    scenes: Sequence[Scene], size: int, processes: int | None = None
) -> Generator[Progress, None, tuple[np.ndarray, np.ndarray]]:
    """Pictures, uint8 `n h w 3`, and masks of the animal, uint8 `n h w`, of the scenes.

    They stay in the cache folder under a name made of the scenes, the size and the drawing code, so the same
    call returns at once the next time. An interrupted drawing leaves nothing under that name.

    Raises:
        MediaError: there is no room for them.
    """
    key = hashlib.blake2b(repr((scenes, size, drawing_code())).encode(), digest_size=12).hexdigest()
    folder = home() / "cache" / "drawn"
    paths = [folder / f"{key}-{kind}.npy" for kind in ("pictures", "masks")]
    if not all(path.exists() for path in paths):
        square = (len(scenes), size, size)
        with kept_array(paths[0], (*square, 3), np.uint8) as pictures, kept_array(paths[1], square, np.uint8) as masks:
            for i, drawing in enumerate(draw_many(scenes, size, processes)):
                pictures[i], masks[i] = drawing.picture, drawing.mask
                yield Progress("read", i + 1, len(scenes))
    pictures, masks = (np.load(path, mmap_mode="r") for path in paths)
    return pictures, masks
