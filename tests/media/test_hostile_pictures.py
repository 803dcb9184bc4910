"""Pictures that are damaged, huge, turned or strange: read right, or one sentence; never another exception."""

import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from regrow.media.captions.captioned import read_captioned
from regrow.media.files import MediaError
from regrow.media.image import picture as pictures
from regrow.media.image.picture import load, to_uint8

RNG = np.random.default_rng(0)
COLOURS = Image.fromarray(RNG.integers(0, 256, (34, 41, 3), dtype=np.uint8))
TURNS = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
"""EXIF orientations and the transpositions of Pillow that make them upright."""


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(*chunks: bytes, size: tuple[int, int] = (2, 1), depth: int = 8, kind: int = 2, rows: bytes = bytes(7)) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, kind, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + data


def stored(image: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def in_mode(mode: str) -> Image.Image:
    if mode in ("I;16", "I", "F"):
        numbers = RNG.integers(0, 60_000, (34, 41))
        return Image.fromarray(numbers.astype({"I;16": np.uint16, "I": np.int32, "F": np.float32}[mode]))
    if mode in ("LA", "RGBA"):
        layered = COLOURS.convert("RGBA")
        layered.putalpha(COLOURS.getchannel("G"))
        return layered.convert(mode)
    return COLOURS.convert(mode)


def refused(data: bytes, **limits: int) -> str:
    with pytest.raises(MediaError) as caught:
        load("a picture", data=data, **limits)
    assert str(caught.value).startswith("a picture ")
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("mode", ["L", "P", "RGB", "RGBA", "LA", "CMYK", "I;16", "I", "F", "1"])
@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_a_turned_tiff_is_its_pixels_turned(tmp_path: Path, mode: str, compression: str | None) -> None:
    image, path = in_mode(mode), tmp_path / "a.tif"
    image.save(path, compression=compression)
    plain = Image.fromarray(to_uint8(load(path).pixels))
    for orientation, turn in TURNS.items():
        image.save(path, compression=compression, tiffinfo={0x0112: orientation})
        read = load(path)
        assert np.array_equal(to_uint8(read.pixels), np.asarray(plain.transpose(Image.Transpose(turn))))
        assert "It was turned upright by its EXIF orientation." in read.notes


SEEDS = [
    stored(in_mode(mode), kind, **({"save_all": True, "append_images": [in_mode(mode)]} if kind == "GIF" else {}))
    for kind, mode in [
        *(("PNG", mode) for mode in ("RGB", "P", "LA", "1", "I;16")),
        *(("TIFF", mode) for mode in ("RGB", "P", "CMYK", "F", "I;16", "LAB")),
        *(("JPEG", "CMYK"), ("JPEG", "RGB"), ("WEBP", "RGBA"), ("GIF", "P"), ("BMP", "P"), ("JPEG2000", "RGB")),
        *(("ICO", "RGBA"), ("PPM", "L"), ("TGA", "P"), ("QOI", "RGB"), ("AVIF", "RGB")),
    ]
]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(SEEDS), st.data())
def test_damage_anywhere_is_one_sentence_or_a_picture(seed: bytes, data: st.DataObject) -> None:
    broken = bytearray(seed[: data.draw(st.integers(1, len(seed)))] if data.draw(st.booleans()) else seed)
    for at in data.draw(st.lists(st.integers(0, len(broken) - 1), max_size=6)):
        broken[at] = data.draw(st.integers(0, 255))
    try:
        read = load("a picture", data=bytes(broken), most_pixels=1_000_000)
    except MediaError:
        refused(bytes(broken), most_pixels=1_000_000)
    else:
        assert read.pixels.isfinite().all()


@pytest.mark.parametrize(
    "problem",
    [AssertionError(), struct.error("x"), SyntaxError("x"), OverflowError("x"), MemoryError(), RecursionError("x")],
)
@pytest.mark.parametrize("place", ["load", "convert"])
def test_whatever_a_decoder_raises_is_one_sentence(monkeypatch, problem: Exception, place: str) -> None:
    data = stored(COLOURS, "PNG")

    def fail(*_args, **_options):
        raise problem

    monkeypatch.setattr(ImageFile.ImageFile if place == "load" else Image.Image, place, fail)
    assert ("memory" if isinstance(problem, MemoryError) else "damaged") in refused(data)


def test_a_damaged_picture_does_not_end_a_training(tmp_path: Path) -> None:
    good = stored(COLOURS, "PNG")
    flipped = bytearray(good)
    flipped[good.index(b"IDAT") + 9] ^= 1
    bad = {
        "crc.png": bytes(flipped),
        "empty-palette.png": png(chunk(b"PLTE", b""), kind=3, rows=bytes(3)),
        "no-palette.png": png(kind=3, rows=bytes(3)),
        "no-pixels.png": png(size=(0, 5)),
    }
    for name, data in {**bad, "good.png": good}.items():
        (tmp_path / name).write_bytes(data)
    found = read_captioned(tmp_path)
    assert [item.name for item in found.items] == ["good.png"]
    assert [one.name for one in found.skipped] == list(bad)
    assert all(one.name in one.reason for one in found.skipped)
    assert "palette is missing" in refused(bad["no-palette.png"])


def test_an_icon_is_as_large_as_the_picture_in_it() -> None:
    icon = bytearray(stored(Image.new("RGBA", (16, 16)), "ICO", sizes=[(16, 16)]))
    inner = icon.index(b"\x89PNG")
    large = stored(Image.new("1", (9000, 9000)), "PNG")
    icon[14:18] = struct.pack("<I", len(large))
    assert "9000 x 9000" in refused(bytes(icon[:inner]) + large)


def test_large_pictures_take_20_bytes_a_pixel(tmp_path: Path) -> None:
    Image.new("P", (5000, 5000), 7).save(tmp_path / "a.png")
    code = (
        "import resource, sys\nfrom regrow.media.image.picture import load\n"
        "def peak():\n    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024\n"
        "before = peak()\nload(sys.argv[1])\nprint(peak() - before)"
    )
    taken = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.png")], capture_output=True, text=True, check=True
    )
    assert int(taken.stdout) < 20 * 25e6


def test_rows_that_are_converted_at_a_time_change_nothing(monkeypatch) -> None:
    data = [stored(in_mode(mode), "PNG") for mode in ("RGBA", "P", "I;16")]
    whole = [load("a", data=one).pixels for one in data]
    monkeypatch.setattr(pictures, "ROWS", 5)
    monkeypatch.setattr(pictures, "LARGE", 0)
    for one, pixels in zip(data, whole, strict=True):
        assert torch.equal(load("a", data=one).pixels, pixels)
        assert np.array_equal(to_uint8(pixels), ((pixels + 1) * 127.5).round().byte().permute(1, 2, 0).numpy())


GAMMA = chunk(b"gAMA", struct.pack(">I", 100_000))
SRGB = chunk(b"sRGB", b"\0")
MIDDLE = b"\0\x80\x80\x80\x80\x80\x80"


@pytest.mark.parametrize(
    ("chunks", "value", "note"),
    [
        ((GAMMA,), 188, "gAMA chunk, 1"),  # 128 / 255 of linear light is 188 in sRGB
        ((GAMMA, SRGB), 128, None),
        ((chunk(b"gAMA", struct.pack(">I", 45_455)),), 128, None),
        ((chunk(b"gAMA", struct.pack(">I", 1)),), 128, ") is not possible and was ignored"),
        ((chunk(b"cICP", bytes([9, 16, 0, 1])), GAMMA), 128, "BT.2020 and transfer PQ"),
        ((chunk(b"cICP", bytes([1, 13, 0, 1])), GAMMA), 128, None),
        (
            (chunk(b"cHRM", struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)),),
            128,
            "primaries",
        ),
    ],
)
def test_what_a_png_says_of_its_colours_is_heeded_or_named(
    chunks: tuple[bytes, ...], value: int, note: str | None
) -> None:
    read = load("a", data=png(*chunks, rows=MIDDLE))
    assert (to_uint8(read.pixels) == value).all()
    assert (note in read.notes[0]) if note else read.notes == ()


def test_gamma_of_deep_grey_and_its_transparent_value() -> None:
    rows = b"\0" + struct.pack(">2H", 32_896, 7)
    read = load("a", data=png(GAMMA, chunk(b"tRNS", struct.pack(">H", 7)), depth=16, kind=0, rows=rows))
    assert to_uint8(read.pixels)[0, :, 0].tolist() == [188, 255]
    assert read.layer is not None
    assert read.layer[3, 0].tolist() == [255, 0]
