"""Stores pictures in docs/pictures as WebP, small enough for a repository: a sheet of `regrow bench` or of the demo.

python runs/store_pictures.py out/storybook.png out/bandstand.png
"""

import sys
from io import BytesIO
from pathlib import Path

from PIL import Image

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
QUALITY = 80
"""No difference is visible at twice the size, in letters, spectrograms and drawings."""

LOSSLESS_AT_MOST = 1.25
"""How many times larger than at `QUALITY` a lossless file may be, and is then taken: flat pages are smaller."""


def store(source: Path | BytesIO, name: str) -> Path:
    """Write a picture to docs/pictures as WebP, lossless where that is about as small.

    Args:
        source: a file that Pillow reads, better PNG than JPEG, which has lost something already.
        name: of the stored file, without its suffix.

    Returns:
        The file that was written.
    """
    encoded: list[bytes] = []
    with Image.open(source) as image:
        for options in ({"lossless": True}, {"quality": QUALITY}):
            stream = BytesIO()
            image.convert("RGB").save(stream, "WEBP", method=6, **options)
            encoded.append(stream.getvalue())
    lossless, lossy = encoded
    path = PICTURES / f"{name}.webp"
    path.write_bytes(lossless if len(lossless) <= LOSSLESS_AT_MOST * len(lossy) else lossy)
    return path


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        path = store(Path(argument), Path(argument).stem)
        print(f"{path.name}: {path.stat().st_size:,} bytes")
