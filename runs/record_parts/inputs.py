"""The inputs of the record, made without regrow, so that they do not depend on its code."""

import shutil
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image, ImageDraw, ImageOps

RATE = 22050
COLOURS = ("red", "green", "blue", "yellow")


def make_inputs(folder: Path, examples: Path) -> None:
    """Write pictures, masks, sounds and two training sets into a new folder, from two files of `examples`."""
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    _pictures(part, Image.open(examples / "cat.png").convert("RGB"))
    _sounds(part, soundfile.read(examples / "piano.flac")[0])
    _training_sets(part)
    part.rename(folder)


def _pictures(folder: Path, cat: Image.Image) -> None:
    cat.save(folder / "cat.png")
    cat.resize((300, 190), Image.Resampling.BICUBIC).save(folder / "wide.png")
    ImageOps.mirror(Image.merge("RGB", cat.split()[::-1])).save(folder / "other.png")
    turned = Image.Exif()
    turned[0x0112] = 6  # the camera was held upright
    cat.resize((280, 200), Image.Resampling.BICUBIC).save(folder / "photo.jpg", exif=turned, quality=92)
    clear = cat.copy()
    clear.putalpha(Image.linear_gradient("L").resize(cat.size))
    clear.save(folder / "clear.png")
    mask = Image.new("L", (128, 128))
    ImageDraw.Draw(mask).ellipse((24, 24, 104, 120), fill=255)
    mask.save(folder / "mask.png")
    Image.composite(Image.linear_gradient("L").resize(mask.size), mask, mask).save(folder / "grey.png")


def _sounds(folder: Path, piano: np.ndarray) -> None:
    soundfile.write(folder / "piano.wav", piano[: 3 * RATE], RATE, subtype="PCM_24")
    soundfile.write(folder / "second.wav", piano[3 * RATE : 6 * RATE], RATE, subtype="PCM_16")
    time = np.arange(int(2.5 * 44100)) / 44100
    left, right = (0.3 * np.sin(2 * np.pi * pitch * time) * np.exp(-time) for pitch in (220.0, 329.6))
    soundfile.write(folder / "stereo.wav", np.stack([left, right], 1), 44100, subtype="PCM_16")


def _training_sets(folder: Path) -> None:
    (folder / "pictures").mkdir()
    (folder / "sounds").mkdir()
    for i in range(12):
        picture = Image.new("RGB", (72, 64), ("white", "grey", "black")[i % 3])
        shape, colour = ("circle", "square")[i % 2], COLOURS[i % 4]
        draw = ImageDraw.Draw(picture)
        (draw.ellipse if i % 2 == 0 else draw.rectangle)((10 + i, 8 + i, 40 + i, 38 + i), fill=colour)
        picture.save(folder / "pictures" / f"{i:02}.png")
        (folder / "pictures" / f"{i:02}.txt").write_text(f"a {colour} {shape}")
    time = np.arange(int(3 * RATE)) / RATE
    for i in range(6):
        tone = 0.4 * np.sin(2 * np.pi * 110 * 2 ** (i / 2) * time) * np.exp(-time)
        soundfile.write(folder / "sounds" / f"{i}.wav", tone, RATE, subtype="PCM_16")
        (folder / "sounds" / f"{i}.txt").write_text(f"a {'low' if i < 3 else 'high'} tone")
