"""What `regrow inspect` draws of a sound: its wave, its spectrum, its mel, its pitch, and what is lost on the way."""

from pathlib import Path
from typing import Any

import torch.nn.functional as F  # noqa: N812, the name everybody knows it by
from jaxtyping import Float
from torch import Tensor

from regrow.media.audio import graph
from regrow.media.audio.level import USUAL, level_for
from regrow.media.audio.mel import MelSettings, as_picture, spectrum, to_mel, to_unit
from regrow.media.audio.mel_inverse import from_mel
from regrow.media.audio.sound import load, resample, to_channels, to_mono, within_full_scale
from regrow.media.frame import Page
from regrow.media.image.sheet import Cell, Row
from regrow.media.medium import MediumModel

MOST_SECONDS = 30.0
"""Of a sound that the page shows."""


def sound_page(path: Path, facts: dict[str, Any], model: MediumModel | None) -> Page:
    """Draw the page of a sound, with what a model's codec makes of it if one is given.

    Args:
        path: of the file.
        facts: of the file.
        model: of sounds.
    """
    settings = model.sound.lens if model else MelSettings()
    sound = load(path)
    wave = resample(to_mono(within_full_scale(sound.wave)), sound.rate, settings.rate)
    wave = wave[:, : round(MOST_SECONDS * settings.rate)]
    transform = spectrum(wave, settings)[0]
    # at the level that a model would get, so that a quiet recording does not sink below the floor of a mel
    usual = wave / level_for(wave, settings.rate, model.sound.levels if model else USUAL)
    mel = to_mel(usual[None], settings)
    back = to_mel(from_mel(mel, settings), settings)
    hertz = graph.pitch(usual[0], settings.rate)
    voiced = hertz[hertz > 0]
    phase_db = round(float((back - mel).abs().mean()), 2)
    median = round(float(voiced.median()), 1) if len(voiced) else None
    codec, codec_db = _codec_cell(usual, model) if model else ([], None)
    rows = [
        Row("The wave", _wave_cells(wave[0], settings.rate, facts)),
        Row(
            "Over time (to the right) and frequency (upwards, to half the rate)",
            [
                Cell(graph.amplitude(transform, settings.floor), ["amplitude", f"black is {settings.floor:g} dB"]),
                Cell(graph.phase(transform, settings.floor), ["phase", "a colour of the wheel, red is 0"]),
            ],
        ),
        Row(
            "As a model hears it",
            [
                _mel_cell(mel, settings, f"{settings.bands} bands, {settings.hop} samples a frame"),
                _mel_cell(back, settings, f"{phase_db} dB from the mel: what phase costs", " of the wave made from it"),
            ],
        ),
        Row(
            "",
            [
                Cell(graph.pitch_curve(hertz, 60, 1500), ["pitch, 60 to 1500 Hz; lines are A", f"median {median} Hz"]),
                *codec,
            ],
        ),
    ]
    more = {"mel_and_back_db": phase_db, "pitch_hz": median} | ({} if codec_db is None else {"codec_db": codec_db})
    lost = {"lost": {} if codec_db is None else {"codec": codec_db}}
    lost["lost"]["phase"] = phase_db
    return Page(more, rows, None, lost, 512)


def _wave_cells(wave: Float[Tensor, " n"], rate: int, facts: dict[str, Any]) -> list[Cell]:
    close, first = graph.samples(wave)
    levels = f"peak {facts['peak_db']} dB, RMS {facts['rms_db']} dB"
    dots = f"one dot each 1/{rate} s: {1000 * 64 / rate:.1f} ms in all"
    return [
        Cell(graph.waveform(wave), [f"waveform, {len(wave) / rate:.2f} s", levels]),
        Cell(close, [f"64 samples from number {first}", dots]),
    ]


def _mel_cell(mel: Float[Tensor, "1 1 bands frames"], settings: MelSettings, figures: str, of: str = "") -> Cell:
    return Cell(as_picture(to_unit(mel, settings))[0], [f"mel{of}", figures])


def _codec_cell(wave: Float[Tensor, "1 n"], model: MediumModel) -> tuple[list[Cell], float]:
    """Return what a model's codec makes of a wave, and how far that is from it in dB."""
    codec = model.sound
    frames = codec.to_frames(to_channels(wave, codec.channels)[None], codec.level_of(wave))
    missing = -frames.shape[-1] % model.multiple
    coded = model.decode(model.encode(F.pad(frames, (0, missing), value=codec.silence)))[..., : frames.shape[-1]]
    apart = codec.distance(coded, frames)
    return [Cell(codec.pictures(coded)[0], [f"after the codec of {model.name}", f"{apart} dB from the mel"])], apart
