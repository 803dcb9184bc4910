"""Real files in, documented values out; every failure a sentence."""

import io
import os
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from regrow.media.files import MediaError
from regrow.media.image.picture import from_uint8, load, read_recipe, to_uint8

RNG = np.random.default_rng(0)
COLOURS = RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)


def png(width: int, height: int, depth: int, kind: int, rows: bytes) -> bytes:
    """A PNG by hand, for what Pillow does not write; `rows` with a filter byte each."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def sentence(path: Path, *words: str, reader=load) -> str:
    """The MediaError of reading `path`: one line, one full stop at its end, the path and the words in it."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(MediaError) as caught:
            reader(path)
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith(".")
    assert not text.endswith("..")
    assert str(path) in text
    assert len(text) < 200 + 2 * len(str(path))
    for word in words:
        assert word in text
    return text


def values(path: Path) -> np.ndarray:
    pixels = load(path).pixels
    assert pixels.dtype == torch.float32
    assert pixels.is_contiguous()
    assert pixels.min() >= -1
    assert pixels.max() <= 1
    return ((pixels + 1) * 127.5).permute(1, 2, 0).numpy()


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        ("png", {}),
        ("bmp", {}),
        ("tiff", {}),
        ("ppm", {}),
        ("tga", {}),
        ("qoi", {}),
        ("webp", {"lossless": True}),
        ("jp2", {"irreversible": False}),
    ],
)
def test_lossless_formats_keep_every_value(tmp_path, suffix, options):
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(COLOURS).save(path, **options)
    assert np.array_equal(to_uint8(load(path).pixels), COLOURS)
    assert load(path).notes == ()


@pytest.mark.parametrize("suffix", ["jpg", "avif", "webp"])
def test_lossy_formats_come_close(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    smooth = np.linspace(0, 255, 32 * 32 * 3).reshape(32, 32, 3).astype(np.uint8)
    Image.fromarray(smooth).save(path, quality=95)
    assert np.abs(values(path) - smooth).mean() < 4


def test_grey_bits_and_palettes(tmp_path):
    grey = COLOURS[..., 0]
    for mode, expected in {"L": grey, "1": (grey > 127) * 255}.items():
        source = Image.fromarray(grey)
        (source if mode == "L" else source.point(lambda v: 255 * (v > 127)).convert("1")).save(tmp_path / "g.png")
        assert np.array_equal(to_uint8(load(tmp_path / "g.png").pixels), np.repeat(expected[..., None], 3, 2))
    palette = Image.fromarray(COLOURS).quantize(16)
    palette.save(tmp_path / "p.png")
    assert np.array_equal(to_uint8(load(tmp_path / "p.png").pixels), np.asarray(palette.convert("RGB")))
    assert load(tmp_path / "p.png").notes == ()


@pytest.mark.parametrize("mode", ["RGBA", "LA", "RGB key", "L key", "P key"])
def test_transparent_parts_are_laid_on_white(tmp_path, mode):
    path = tmp_path / "a.png"
    alpha = np.linspace(0, 1, 35).reshape(5, 7)
    if mode == "RGBA":
        stored = np.rint(alpha * 255).astype(np.uint8)
        Image.fromarray(np.dstack([COLOURS, stored])).save(path)
        colours, alpha = COLOURS, stored / 255
    elif mode == "LA":
        stored = np.rint(alpha * 255).astype(np.uint8)
        Image.fromarray(np.dstack([COLOURS[..., 0], stored]), "LA").save(path)
        colours, alpha = COLOURS[..., :1].repeat(3, 2), stored / 255
    else:
        colours = COLOURS if mode == "RGB key" else COLOURS[..., :1].repeat(3, 2)
        image = {
            "RGB key": lambda: Image.fromarray(COLOURS),
            "L key": lambda: Image.fromarray(COLOURS[..., 0]),
            "P key": lambda: Image.fromarray(COLOURS[..., 0]).convert("P"),
        }[mode]()
        key = tuple(map(int, COLOURS[2, 3])) if mode == "RGB key" else int(COLOURS[2, 3, 0])
        image.save(path, transparency=key)
        alpha = 1.0 - (colours == colours[2, 3]).all(-1)
    expected = colours * alpha[..., None] + 255 * (1 - alpha[..., None])
    assert np.abs(values(path) - expected).max() < 1e-3
    assert load(path).notes == ("Its transparent parts were put on white.",)


def test_an_opaque_alpha_channel_changes_nothing(tmp_path):
    Image.fromarray(np.dstack([COLOURS, np.full((5, 7), 255, np.uint8)])).save(tmp_path / "a.png")
    assert np.array_equal(to_uint8(load(tmp_path / "a.png").pixels), COLOURS)
    assert load(tmp_path / "a.png").notes == ()


@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_sixteen_bit_grey_keeps_its_linear_scale(tmp_path, suffix):
    path = tmp_path / f"g.{suffix}"
    ramp = np.linspace(0, 65535, 71 * 71).astype(np.uint16).reshape(71, 71)
    Image.fromarray(ramp).save(path)
    assert np.abs(values(path) - ramp[..., None] / 65535 * 255).max() < 1e-4
    assert load(path).notes == ("Its 16-bit grey values were read with 0 as black and 65535 as white.",)


@pytest.mark.parametrize(
    ("numbers", "black", "white"),
    [
        (np.float32([[0, 0.25, 1]]), 0, 1),
        (np.float32([[0, 100, 250]]), 0, 255),
        (np.float32([[-3, 0, 1]]), -3, 1),
        (np.int32([[0, 30000, 65535]]), 0, 65535),
        (np.int32([[-5, 0, 100000]]), -5, 100000),
        (np.float32([[700, 700, 700]]), 700, None),
    ],
)
def test_deep_grey(tmp_path, numbers, black, white):
    path = tmp_path / "a.tiff"
    Image.fromarray(numbers).save(path)
    expected = 0 if white is None else (numbers[..., None].astype(float) - black) / (white - black) * 255
    assert np.abs(values(path) - expected).max() < 1e-3
    assert f"{black} as black" in load(path).notes[0]


def test_values_that_are_not_numbers(tmp_path):
    Image.fromarray(np.float32([[0, np.nan]])).save(tmp_path / "a.tiff")
    sentence(tmp_path / "a.tiff", "NaN")


@pytest.mark.parametrize("channels", [3, 4])
def test_sixteen_bit_colour_is_reduced_aloud(tmp_path, channels):
    deep = RNG.integers(0, 65536, (3, 4, channels)).astype(">u2")
    deep[..., 3:] = 65535
    rows = b"".join(b"\0" + row.tobytes() for row in deep)
    (tmp_path / "a.png").write_bytes(png(4, 3, 16, 2 if channels == 3 else 6, rows))
    assert np.abs(values(tmp_path / "a.png") - deep[..., :3] / 257).max() <= 1
    assert load(tmp_path / "a.png").notes == ("Its 16 bits a channel were reduced to 8, the high byte of each value.",)


def test_cmyk_jpeg(tmp_path):
    plain = np.full((16, 16, 3), (200, 40, 90), np.uint8)
    Image.fromarray(plain).convert("CMYK").save(tmp_path / "a.jpg", quality=100)
    assert np.abs(values(tmp_path / "a.jpg") - plain).max() < 4
    assert "CMYK" in load(tmp_path / "a.jpg").notes[0]


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff", "avif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(tmp_path, suffix, orientation):
    # Blocks of 16, so that lossy formats keep them apart.
    upright = np.kron(np.arange(6).reshape(2, 3, 1) * 50, np.ones((16, 16, 3))).astype(np.uint8)
    turned = {  # how EXIF 2.32 says the stored rows and columns lie: the inverse of what a viewer must do
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }
    stored = np.ascontiguousarray(turned[orientation](upright))
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(stored).save(tmp_path / f"a.{suffix}", exif=exif, quality=95)
    seen = values(tmp_path / f"a.{suffix}")
    assert seen.shape == upright.shape
    assert np.abs(seen - upright).max() < 12
    assert len(load(tmp_path / f"a.{suffix}").notes) == (orientation > 1)


def test_broken_exif_does_not_cost_the_picture(tmp_path):
    Image.fromarray(COLOURS).save(tmp_path / "a.png", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff nonsense")
    assert np.array_equal(to_uint8(load(tmp_path / "a.png").pixels), COLOURS)
    assert read_recipe(tmp_path / "a.png") is None


@pytest.mark.parametrize("suffix", ["gif", "png", "webp", "tiff"])
def test_the_first_frame_of_many(tmp_path, suffix):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    frames[0].save(tmp_path / f"a.{suffix}", save_all=True, append_images=frames[1:], lossless=True)
    assert np.abs(values(tmp_path / f"a.{suffix}") - (255, 0, 0)).max() < 1
    assert load(tmp_path / f"a.{suffix}").notes == ("Only its first frame is used.",)


def test_the_jpeg_of_several_pictures_that_phones_write(tmp_path):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime")]
    frames[0].save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=frames[1:])
    assert np.abs(values(tmp_path / "a.jpg") - (255, 0, 0)).max() < 3
    assert load(tmp_path / "a.jpg").notes == ("Only its first frame is used.",)


def test_an_srgb_profile_changes_nothing(tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(COLOURS).save(tmp_path / "a.png", icc_profile=profile)
    assert np.array_equal(to_uint8(load(tmp_path / "a.png").pixels), COLOURS)
    assert load(tmp_path / "a.png").notes == ()


def swapped_profile() -> bytes:
    """sRGB with the red and the blue primary exchanged: what it does to a colour is plain to see."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"tXYZ").replace(b"bXYZ", b"rXYZ").replace(b"tXYZ", b"bXYZ")


@pytest.mark.parametrize("transparent", [False, True])
def test_a_profile_is_converted_to_srgb(tmp_path, transparent):
    image = Image.fromarray(COLOURS)
    if transparent:
        image.putalpha(0)
        image.putpixel((0, 0), (*map(int, COLOURS[0, 0]), 255))
    image.save(tmp_path / "a.png", icc_profile=swapped_profile())
    assert np.abs(values(tmp_path / "a.png")[0, 0] - COLOURS[0, 0, ::-1]).max() <= 2
    assert "converted to sRGB" in load(tmp_path / "a.png").notes[0]


@pytest.mark.parametrize("profile", [b"no profile at all", "another kind", "cut"])
def test_a_useless_profile_is_ignored_aloud(tmp_path, profile):
    if profile == "another kind":
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    elif profile == "cut":
        profile = swapped_profile()[:200]
    Image.fromarray(COLOURS).save(tmp_path / "a.png", icc_profile=profile)
    assert np.array_equal(to_uint8(load(tmp_path / "a.png").pixels), COLOURS)
    assert "was ignored" in load(tmp_path / "a.png").notes[0]


def test_what_is_no_picture(tmp_path):
    path = tmp_path / "cat.png"
    sentence(path, "no file")
    path.write_bytes(b"")
    sentence(path, "empty (0 bytes)")
    path.write_text("A cat, described at length.\n" * 40)
    sentence(path, "is text")
    path.write_text("猫は寝ている。" * 99)
    sentence(path, "is text")
    path.write_text('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>')
    sentence(path, "SVG")
    path.write_bytes(b"%PDF-1.7\n\x00")
    sentence(path, "PDF")
    path.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64))
    sentence(path, "HEIC", "export")
    path.write_bytes(bytes(range(256)) * 4)
    sentence(path, "is not in a format that regrow reads")
    sentence(tmp_path, "is a folder")
    os.mkfifo(tmp_path / "pipe")
    sentence(tmp_path / "pipe", "not an ordinary file")
    (tmp_path / "a.eps").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n")
    sentence(tmp_path / "a.eps")  # Pillow would start Ghostscript on it


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    Image.fromarray(COLOURS).save(path)

    def refuse(*_args, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # the tests may run as root, whom no mode bits stop
    sentence(path, "may not be read", "permissions")


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "gif", "tiff", "bmp", "avif"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_a_file_cut_short(tmp_path, suffix, share):
    noise = RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    encoded = io.BytesIO()
    Image.fromarray(noise).save(encoded, {"jpg": "JPEG"}.get(suffix, suffix.upper()))
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(encoded.getvalue()[: int(len(encoded.getvalue()) * share)])
    sentence(path)


def test_a_damaged_file(tmp_path):
    noise = RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    data = bytearray((tmp_path / "a.png").read_bytes())
    data[300:400] = bytes(100)
    (tmp_path / "a.png").write_bytes(data)
    sentence(tmp_path / "a.png", "damaged")


def test_a_decompression_bomb_is_refused_by_its_header(tmp_path):
    path = tmp_path / "bomb.png"
    for side in (60_000, 12_000, 9_000):  # past twice Pillow's limit, past Pillow's, past regrow's
        path.write_bytes(png(side, side, 8, 2, b""))
        sentence(path, "64 megapixels", "scale it down")
        sentence(path, "64 megapixels", reader=read_recipe)
    Image.new("1", (300, 200)).save(path)
    sentence(path, "300 x 200", reader=lambda p: load(p, most_pixels=59_999))
    assert load(path, most_pixels=60_000).pixels.shape == (3, 200, 300)


def test_a_picture_without_pixels(tmp_path):
    (tmp_path / "a.png").write_bytes(png(0, 5, 8, 2, b""))
    sentence(tmp_path / "a.png")


def test_eight_bit_values_survive_the_way_to_tensors_and_back():
    every = np.arange(256, dtype=np.uint8).repeat(3).reshape(2, 16, 8, 3)
    pixels = from_uint8(every)
    assert pixels.shape == (2, 3, 16, 8)
    assert (pixels.min(), pixels.max()) == (-1, 1)
    assert np.array_equal(to_uint8(pixels), every)
    assert np.array_equal(to_uint8(pixels[1].double()), every[1])


def test_values_are_clamped_and_rounded_to_nearest():
    row = torch.tensor([-9.0, -1, -1 + 0.9 / 255, -1 + 1.1 / 255, 0.9999, 5]).expand(3, 1, 6)
    assert to_uint8(row)[0, :, 0].tolist() == [0, 0, 0, 1, 255, 255]
    with pytest.raises(MediaError, match="NaN"):
        to_uint8(torch.full((3, 2, 2), torch.nan))
