"""Pictures, masks, sounds, and folders of captioned files to train on."""

import csv
import json
from contextlib import suppress
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

from regrow.benchmark.hostile.kind import Kind
from regrow.media.captions.captioned import read_captioned
from regrow.media.captions.listing import PICTURES
from regrow.media.image.masking import load_mask
from regrow.media.medium import media, medium_of

SIDES = 40, 24
PICTURE_FORMATS = ("png", "jpg", "webp", "gif", "tiff", "bmp", "qoi", "ppm", "ico", "jp2", "avif")
SOUND_FORMATS = ("wav", "flac", "ogg", "aiff", "au", "caf", "mp3", "w64", "rf64")
RATE = 8000


def drawn(alpha: bool = False) -> Image.Image:
    """Return a small picture with edges, colours and a gradient."""
    y, x = np.mgrid[: SIDES[1], : SIDES[0]]
    planes = [6 * x, 10 * y, 255 * ((x // 5 + y // 5) % 2), 255 * (x > 9)][: 4 if alpha else 3]
    return Image.fromarray(np.stack(planes, -1).astype(np.uint8))


def write_picture(path: Path) -> None:
    """Write the picture in the format of the name's ending, with a profile and EXIF where the format has them."""
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = drawn(path.suffix in (".png", ".webp", ".tiff"))
    if path.suffix == ".avif":
        picture.save(path)
    else:
        picture.save(path, exif=exif)


def wave() -> np.ndarray:
    """Return half a second of two tones, `n 2`."""
    time = np.arange(RATE // 2) / RATE
    return np.stack([0.4 * np.sin(2 * np.pi * 440 * time), 0.2 * np.sin(2 * np.pi * 660 * time)], -1)


def _make_pictures(folder: Path) -> None:
    for name in PICTURE_FORMATS:
        with suppress(KeyError, OSError):  # a format that Pillow was built without
            write_picture(folder / f"picture.{name}")
    (folder / "mask.png").write_bytes((folder / "picture.png").read_bytes())


def _read_picture(folder: Path, name: str) -> None:
    medium = medium_of(folder / name)
    medium.facts(folder / name)  # loads the file and reads its recipe


def _read_mask(folder: Path, name: str) -> None:
    load_mask(folder / name, (30, 50))


def _make_sounds(folder: Path) -> None:
    for name in SOUND_FORMATS:
        with suppress(soundfile.LibsndfileError, ValueError, TypeError):  # a format that libsndfile was built without
            soundfile.write(folder / f"sound.{name}", wave(), RATE, format="RF64" if name == "rf64" else None)


def _make_captions(folder: Path) -> None:
    for name in ("a.png", "b.png", "c.jpg"):
        write_picture(folder / name)
    rows = [{"file_name": "a.png", "text": "a red cat"}, {"file_name": "b.png", "text": "一只猫"}]
    (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (folder / "below").mkdir()
    write_picture(folder / "below" / "d.png")
    with (folder / "below" / "metadata.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["file_name", "caption"], ["d.png", 'a "blue" dog, sitting']])


def _make_sidecars(folder: Path) -> None:
    for name in ("a", "b"):
        write_picture(folder / f"{name}.png")
        (folder / f"{name}.txt").write_text("a red cat on a beach", encoding="utf-8")


def _make_table(folder: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    write_picture(folder / "a.png")
    image = {"bytes": (folder / "a.png").read_bytes(), "path": "a.png"}
    parquet.write_table(pyarrow.table({"image": [image, image], "text": ["a cat", "a dog"]}), folder / "set.parquet")
    (folder / "a.png").unlink()


def _read_captions(folder: Path, name: str) -> None:
    read_captioned(folder, smallest=16, kind=PICTURES)


def media_kinds() -> tuple[Kind, ...]:
    """Return the kinds of this file."""
    assert len(media()) == 2, "a third medium needs a kind here"
    return (
        Kind("pictures", _make_pictures, ("picture.*",), _read_picture, 2.0),
        Kind("masks", _make_pictures, ("picture.*",), _read_mask),
        Kind("sounds", _make_sounds, ("sound.*",), _read_picture, 2.0),
        Kind("captions", _make_captions, ("*",), _read_captions),
        Kind("sidecar-captions", _make_sidecars, ("*",), _read_captions, 0.5),
        Kind("parquet-captions", _make_table, ("*",), _read_captions, 0.5),
    )
