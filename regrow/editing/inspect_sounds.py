"""Inspect: what a sound file says about itself, and a page that shows what the words about sound mean."""

import math
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.editing.inspect import Inspected
from regrow.editing.recipe import file_hash
from regrow.editing.sound_sheet import mel_cell
from regrow.media.audio import graph
from regrow.media.audio.mel import MelSettings, from_unit, spectrum, to_mel, to_unit
from regrow.media.audio.mel_inverse import from_mel
from regrow.media.audio.sound import load, read_recipe, resample, to_mono
from regrow.media.image.sheet import Cell, Row, sheet
from regrow.models.codecs.sound_codec import settings_of
from regrow.models.model import Model

MOST_SECONDS = 30.0
"""Of a sound that the page shows."""


def sound_facts(path: Path) -> dict[str, Any]:
    """What a sound file says without any model; levels in dB below full scale.

    Raises:
        MediaError: it is no sound.
    """
    sound = load(path)
    peak, power = float(sound.wave.abs().max()), float(sound.wave.square().mean())
    return {
        "file": str(path),
        "kind": "sound",
        "rate": sound.rate,
        "channels": len(sound.wave),
        "samples": sound.wave.shape[-1],
        "seconds": round(sound.wave.shape[-1] / sound.rate, 3),
        "peak_db": _decibels(peak),
        "rms_db": _decibels(math.sqrt(power)),
        "hash": file_hash(path),
        "notes": list(sound.notes),
        "recipe": read_recipe(path),
    }


def inspect_sound(path: Path, model: Model | None = None) -> Inspected:
    """Add to the facts what the way to mel and back loses, and a model's codec if one is named, and draw the page."""
    if model:
        settings_of(model)
    facts = sound_facts(path)
    settings = (model and model.mel) or MelSettings()
    sound = load(path)
    wave = resample(to_mono(sound.wave), sound.rate, settings.rate)[:, : round(MOST_SECONDS * settings.rate)]
    seconds = wave.shape[-1] / settings.rate
    found = spectrum(wave, settings)[0]
    mel = to_mel(wave[None], settings)
    back = to_mel(from_mel(mel, settings), settings)
    close, first = graph.samples(wave[0])
    hertz = graph.pitch(wave[0], settings.rate)
    voiced = hertz[hertz > 0]
    facts["mel_and_back_db"] = round(float((back - mel).abs().mean()), 2)
    facts["pitch_hz"] = round(float(voiced.median()), 1) if len(voiced) else None
    rows = [
        Row(
            "The wave",
            [
                Cell(graph.waveform(wave[0]), [f"waveform, {seconds:.2f} s", _levels(facts)]),
                Cell(
                    close,
                    [
                        f"64 samples from number {first}",
                        f"one dot each 1/{settings.rate} s: {1000 * 64 / settings.rate:.1f} ms in all",
                    ],
                ),
            ],
        ),
        Row(
            "Over time (to the right) and frequency (upwards, to half the rate)",
            [
                Cell(graph.amplitude(found, settings.floor), ["amplitude", f"black is {settings.floor:g} dB"]),
                Cell(graph.phase(found, settings.floor), ["phase", "a colour of the wheel, red is 0"]),
            ],
        ),
        Row(
            "As a model hears it",
            [
                mel_cell(to_unit(mel, settings)[0], ["mel", f"{settings.bands} bands, {settings.hop} samples a frame"]),
                mel_cell(
                    to_unit(back, settings)[0],
                    ["mel of the wave made from it", f"{facts['mel_and_back_db']} dB from the mel: what phase costs"],
                ),
            ],
        ),
        Row(
            "",
            [
                Cell(
                    graph.pitch_curve(hertz, 60, 1500),
                    ["pitch, 60 to 1500 Hz; lines are A", f"median {facts['pitch_hz']} Hz"],
                ),
                *_codec_cell(facts, mel, settings, model),
            ],
        ),
    ]
    return Inspected(facts, sheet(rows, cell=512))


def _codec_cell(
    facts: dict[str, Any], mel: Float[Tensor, "1 1 bands frames"], settings: MelSettings, model: Model | None
) -> list[Cell]:
    """What a model's codec makes of the mel; nothing without a model."""
    if model is None:
        return []
    missing = -mel.shape[-1] % model.multiple
    unit = torch.nn.functional.pad(to_unit(mel, settings), (0, missing), value=-1.0)
    coded = model.decode(model.encode(unit))[..., : mel.shape[-1]]
    facts["codec_db"] = round(float((from_unit(coded, settings) - mel).abs().mean()), 2)
    return [mel_cell(coded[0], [f"after the codec of {model.name}", f"{facts['codec_db']} dB from the mel"])]


def _levels(facts: dict[str, Any]) -> str:
    return f"peak {facts['peak_db']} dB, RMS {facts['rms_db']} dB"


def _decibels(value: float) -> float | None:
    return round(20 * math.log10(value), 1) if value > 0 else None
