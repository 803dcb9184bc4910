"""A result is written whole or not at all, and carries its recipe."""

import errno
import os

import numpy as np
import pytest
import torch
from PIL import Image, PngImagePlugin

from regrow.media import files
from regrow.media.files import MediaError
from regrow.media.image.picture import from_uint8, load, read_recipe, save, to_uint8

COLOURS = np.random.default_rng(1).integers(0, 256, (9, 6, 3), dtype=np.uint8)
PIXELS = from_uint8(COLOURS)
RECIPE = {
    "prompt": "一只小狗在沙滩上 🐶🏖 “naïve”\n\0",
    "seed": 2**63,
    "strength": 0.1,
    "steps": [1, None, True],
    "": {},
}
SUFFIXES = ("png", "jpg", "jpeg", "webp")


@pytest.mark.parametrize("suffix", ["png", "webp", "PNG"])
def test_saving_keeps_eight_bit_values(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    save(path, PIXELS, RECIPE)
    assert torch.equal(load(path).pixels, PIXELS)
    assert load(path).notes == ()
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_jpeg_keeps_pictures_close(tmp_path):
    smooth = torch.linspace(-1, 1, 3 * 64 * 64).reshape(3, 64, 64)
    save(tmp_path / "a.jpg", smooth)
    assert (load(tmp_path / "a.jpg").pixels - smooth).abs().max() < 0.05


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_recipes_come_back(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    save(path, PIXELS, RECIPE)
    assert read_recipe(path) == RECIPE
    save(path, PIXELS, {})
    assert read_recipe(path) == {}
    save(path, PIXELS)
    assert read_recipe(path) is None


@pytest.mark.parametrize("suffix", ["png", "webp"])
def test_a_recipe_of_100_kilobytes(tmp_path, suffix):
    recipe = {"prompts": ["猫" * 50] * 650, "noise": "x" * 5000}
    save(tmp_path / f"a.{suffix}", PIXELS, recipe)
    assert read_recipe(tmp_path / f"a.{suffix}") == recipe


def test_a_jpeg_carries_what_fits_and_says_what_does_not(tmp_path):
    save(tmp_path / "a.jpg", PIXELS, {"a": "x" * 64_900})
    assert read_recipe(tmp_path / "a.jpg") == {"a": "x" * 64_900}
    with pytest.raises(MediaError, match=r"bytes, and this format can hold 65,000: save as \.png"):
        save(tmp_path / "a.jpg", PIXELS, {"a": "x" * 65_100})
    assert len(read_recipe(tmp_path / "a.jpg")["a"]) == 64_900


def test_the_png_chunk_is_plain_text(tmp_path):
    save(tmp_path / "a.png", PIXELS, {"prompt": "小狗"})
    data = (tmp_path / "a.png").read_bytes()
    assert b"iTXtregrow\0" in data
    assert '{"prompt": "小狗"}'.encode() in data


def test_half_a_surrogate_pair_survives(tmp_path):
    save(tmp_path / "a.png", PIXELS, {"file": "caf\udce9.png"})
    assert read_recipe(tmp_path / "a.png") == {"file": "caf\udce9.png"}


@pytest.mark.parametrize("recipe", [{"a": float("nan")}, {"a": object()}, {"a": {1, 2}}, {"a": "x" * (1 << 20)}])
def test_recipes_that_cannot_be_written(tmp_path, recipe):
    with pytest.raises(MediaError, match=r"^The recipe [^\n]+\.$"):
        save(tmp_path / "a.png", PIXELS, recipe)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "3", "{'a': 1}", "[" * 100_000, f'{{"a": "{"x" * (1 << 20)}"}}'])
def test_damaged_recipes(tmp_path, text):
    info = PngImagePlugin.PngInfo()
    info.add_itxt("regrow", text)
    Image.fromarray(COLOURS).save(tmp_path / "a.png", pnginfo=info)
    with pytest.raises(MediaError, match=r"a\.png carries a [^\n]+recipe[^\n]+\.$|of more than 1 MiB"):
        read_recipe(tmp_path / "a.png")


def test_a_compressed_recipe_that_swells_is_refused(tmp_path):
    info = PngImagePlugin.PngInfo()
    info.add_itxt("regrow", "x" * (5 << 20), zip=True)
    Image.fromarray(COLOURS).save(tmp_path / "a.png", pnginfo=info)
    assert (tmp_path / "a.png").stat().st_size < 10_000
    with pytest.raises(MediaError, match=r"a\.png"):
        read_recipe(tmp_path / "a.png")


def test_a_recipe_behind_the_pixels_is_found(tmp_path):
    info = PngImagePlugin.PngInfo()
    info.add(b"tEXt", b'regrow\0{"seed": 7}', after_idat=True)
    Image.fromarray(COLOURS).save(tmp_path / "a.png", pnginfo=info)
    assert read_recipe(tmp_path / "a.png") == {"seed": 7}


@pytest.mark.parametrize("comment", [b"ASCII\0\0\0a camera's own words", b"", b"UNICODE\0\0h\0i"])
def test_a_comment_of_somebody_else_is_no_recipe(tmp_path, comment):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = comment
    Image.fromarray(COLOURS).save(tmp_path / "a.jpg", exif=exif)
    assert read_recipe(tmp_path / "a.jpg") is None


def test_a_damaged_recipe_in_a_jpeg(tmp_path):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0regrow {oh no"
    Image.fromarray(COLOURS).save(tmp_path / "a.jpg", exif=exif)
    with pytest.raises(MediaError, match=r"a\.jpg carries a damaged recipe"):
        read_recipe(tmp_path / "a.jpg")


@pytest.mark.parametrize("name", ["a", "a.gif", "a.png.txt", ".png"])
def test_unknown_suffixes_list_the_known_ones(tmp_path, name):
    with pytest.raises(MediaError, match=r"one of \.png, \.jpg, \.jpeg, \.webp\.$"):
        save(tmp_path / name, PIXELS)


def test_a_side_longer_than_the_format_allows(tmp_path):
    with pytest.raises(MediaError, match=r"a\.webp cannot be encoded at 17000 x 1 .*save as \.png\.$"):
        save(tmp_path / "a.webp", torch.zeros(3, 1, 17_000))


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("old", [b"the old picture", None])
def test_a_full_disk_leaves_nothing_half_written(tmp_path, monkeypatch, step, old):
    path = tmp_path / "a.png"
    if old:
        path.write_bytes(old)

    def full(*_args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, step, full)
    with pytest.raises(MediaError, match=r"a\.png could not be written \(No space left on device\)[^\n]+\.$"):
        save(path, PIXELS)
    assert [p.read_bytes() for p in tmp_path.iterdir()] == ([old] if old else [])


def test_an_interruption_leaves_nothing_half_written(tmp_path, monkeypatch):
    def interrupt(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        save(tmp_path / "a.png", PIXELS)
    assert not list(tmp_path.iterdir())


def test_folders_and_links(tmp_path):
    (tmp_path / "b.png").mkdir()
    with pytest.raises(MediaError, match=r"b\.png is a folder"):
        save(tmp_path / "b.png", PIXELS)
    with pytest.raises(MediaError, match=r"cannot be written, as the folder .* does not exist"):
        save(tmp_path / "nowhere" / "a.png", PIXELS)
    (tmp_path / "real").mkdir()
    save(tmp_path / "real" / "a.png", -PIXELS)
    os.symlink(tmp_path / "real" / "a.png", tmp_path / "link.png")
    save(tmp_path / "link.png", PIXELS)
    assert (tmp_path / "link.png").is_symlink()
    assert np.array_equal(to_uint8(load(tmp_path / "real" / "a.png").pixels), COLOURS)


def test_a_picture_with_nan_is_not_saved(tmp_path):
    with pytest.raises(MediaError, match="NaN"):
        save(tmp_path / "a.png", PIXELS * torch.nan)
    assert not list(tmp_path.iterdir())
