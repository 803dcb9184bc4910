"""Draw previews of uploads that a browser cannot show."""

from io import BytesIO
from pathlib import Path
from typing import Any

from regrow.interfaces.server.places import page
from regrow.media.captions.listing import SOUNDS
from regrow.media.files import write_whole

QUIETEST = 1e-3
"""Peak amplitude below which a recording is drawn as silence."""


def preview_of(path: Path) -> Path:
    """Return a picture of an upload, drawn on first request; a sound is shown as waveform and mel spectrogram.

    Raises:
        MediaError: the upload is damaged or is a tune, or the disk is full.
    """
    drawn = page() / "previews" / f"{path.name}.webp"
    if not drawn.is_file():
        _write(drawn, _image_of(path))
    return drawn


def _image_of(path: Path) -> Any:
    """Return a picture, or a drawing of a sound, as a PIL image."""
    from PIL import Image

    from regrow.media.image.picture import load, to_uint8

    pixels = _sound_picture(path) if path.suffix in SOUNDS.suffixes else load(path).pixels
    return Image.fromarray(to_uint8(pixels))


def _sound_picture(path: Path) -> Any:
    """Return the waveform of a sound over its mel spectrogram, `3 h w` in [-1, 1]."""
    import torch
    from torch.nn import functional

    from regrow.media.audio import graph, mel
    from regrow.media.audio.sound import load, resample, to_mono

    sound, settings = load(path), mel.MelSettings()
    mono = to_mono(sound.wave)
    mono = mono / mono.abs().max().clamp(min=QUIETEST)  # so that a quiet recording is visible
    frames = mel.to_mel(resample(mono, sound.rate, settings.rate)[None], settings)
    shown = mel.as_picture(mel.to_unit(frames, settings))
    below = functional.interpolate(shown, size=graph.SIZE, mode="area")[0]
    return torch.cat([graph.waveform(mono[0]), below], -2)


def _write(path: Path, image: Any) -> None:
    encoded = BytesIO()
    image.save(encoded, "webp", quality=85)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, encoded.getvalue())
