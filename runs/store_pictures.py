"""Store pictures, such as sheets of `regrow bench` or the demo, in docs/pictures as WebP, small enough to be committed.

python runs/store_pictures.py out/storybook.png out/bandstand.png
"""

import sys
from io import BytesIO
from pathlib import Path

from PIL import Image

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
QUALITY = 80
"""At this quality no difference is visible at twice the size, in letters, spectrograms and drawings."""

LOSSLESS_AT_MOST = 1.25
"""A lossless file is taken if it is at most this many times larger than one at `QUALITY`; flat pages are smaller."""


def store(source: Path | BytesIO, name: str) -> Path:
    """Write a picture to docs/pictures as WebP, lossless if that is about as small.

    Args:
        source: a file that Pillow reads; better PNG than JPEG, which is already lossy.
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
