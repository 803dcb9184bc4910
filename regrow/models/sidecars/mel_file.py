"""The mel settings in the folder of a sound model: `mel.json`, the fields of `MelSettings`.

Beside it, or in its place, AudioDiffusionPipeline folders have `mel/mel_config.json`, with diffusers' names.
"""

import json
from pathlib import Path

from regrow.media.audio.mel import MelSettings, filters
from regrow.media.files import MediaError
from regrow.models.errors import ModelError
from regrow.models.folder import read_json

MEL_FILE = "mel.json"
MEL_CONFIG = "mel/mel_config.json"
ITERATIONS = 32
"""Of Griffin-Lim, in the `mel_config.json` that is written; regrow's own phase does not read it."""


def read_mel(folder: Path, channels: int, extent: tuple[int, int]) -> MelSettings | None:
    """How the model in a folder hears, or None where it says nothing: then it makes pictures.

    Args:
        folder: of the model.
        channels: of what its codec takes.
        extent: height and width of what it was made for.

    Raises:
        ModelError: the settings are damaged, or are not those of a model of this size.
    """
    path = folder / MEL_FILE
    if not path.is_file():
        if channels != 3:
            raise ModelError(
                f"The model in {folder} takes {channels} channels, where pictures have 3 and sounds need a {MEL_FILE}."
            )
        return None
    try:
        settings = MelSettings.from_json(read_json(path))
    except MediaError as error:
        raise ModelError(f"{path} cannot be used: {error}") from error
    if channels != 1:
        raise ModelError(f"The model in {folder} takes {channels} channels, but mels, which {path} is about, have 1.")
    if extent[0] != settings.bands:
        raise ModelError(
            f"The model in {folder} was made for {extent[0]} mel bands, but {path} says {settings.bands}: "
            "they do not belong together."
        )
    return settings


def write_mel(folder: Path, settings: MelSettings) -> None:
    """Write how the model in a folder hears."""
    (folder / MEL_FILE).write_text(json.dumps(settings.to_json(), indent=2) + "\n", encoding="utf-8")


def read_mel_config(folder: Path, extent: tuple[int, int]) -> MelSettings:
    """How the model in an AudioDiffusionPipeline folder hears, with diffusers' defaults for what it leaves out.

    Args:
        folder: of the model.
        extent: bands and frames of the mels that it was made for.

    Raises:
        ModelError: the settings are missing, damaged, or not those of a model of this size.
    """
    path = folder / MEL_CONFIG
    table = {"x_res": 256, "y_res": 256, "sample_rate": 22_050, "n_fft": 2048, "hop_length": 512, "top_db": 80}
    table |= {key: value for key, value in read_json(path).items() if key in table}
    if (table["y_res"], table["x_res"]) != extent:
        raise ModelError(
            f"The model in {folder} was made for {extent[0]} mel bands and {extent[1]} frames, but {path} says "
            f"{table['y_res']} and {table['x_res']}: they do not belong together."
        )
    try:
        rate, top = table["sample_rate"], float(table["top_db"])
        settings = MelSettings(rate, table["n_fft"], table["hop_length"], table["y_res"], 0.0, rate / 2, -top)
        filters(settings)
    except (MediaError, TypeError, ValueError) as error:
        raise ModelError(f"{path} cannot be used: {error}") from error
    return settings


def write_mel_config(folder: Path, settings: MelSettings, frames: int) -> None:
    """Write how the model in an AudioDiffusionPipeline folder hears, for diffusers."""
    table = {
        "_class_name": "Mel",
        "x_res": frames,
        "y_res": settings.bands,
        "sample_rate": settings.rate,
        "n_fft": settings.window,
        "hop_length": settings.hop,
        "top_db": round(-settings.floor),
        "n_iter": ITERATIONS,
    }
    path = folder / MEL_CONFIG
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
