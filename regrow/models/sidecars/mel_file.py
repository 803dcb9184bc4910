"""The mel settings in the folder of a sound model: `mel.json`, the fields of `MelSettings`.

Beside it, or in its place, AudioDiffusionPipeline folders have `mel/mel_config.json`, with diffusers' names.
"""

import json
from pathlib import Path

from regrow.media.audio.mel import MelSettings, filters
from regrow.media.files import MediaError
from regrow.messages.message import say
from regrow.models.errors import ModelError
from regrow.models.folder import read_json

MEL_FILE = "mel.json"
MEL_CONFIG = "mel/mel_config.json"
ITERATIONS = 32
"""Griffin-Lim iterations in the `mel_config.json` that is written; regrow itself does not read them."""


def read_mel(folder: Path, channels: int, extent: tuple[int, int]) -> MelSettings | None:
    """Return the mel settings of the model in a folder; None without a file, for a model that generates pictures.

    Args:
        folder: the model's folder.
        channels: input channels of its codec.
        extent: height and width of the frames that it was made for.

    Raises:
        ModelError: the settings are damaged, or do not fit a model of this size.
    """
    path = folder / MEL_FILE
    if not path.is_file():
        if channels != 3:
            raise ModelError(say("channels_fit_no_medium", folder=folder, channels=channels, mel_file=MEL_FILE))
        return None
    try:
        settings = MelSettings.from_json(read_json(path))
    except MediaError as error:
        raise ModelError(say("sidecar_unusable", path=path, problem=error)) from error
    if channels != 1:
        raise ModelError(say("sidecar_mel_of_colours", folder=folder, channels=channels, path=path))
    if extent[0] != settings.bands:
        raise ModelError(
            say("sidecar_mel_bands_differ", folder=folder, made_for=extent[0], path=path, bands=settings.bands)
        )
    return settings


def write_mel(folder: Path, settings: MelSettings) -> None:
    """Write the mel settings of the model in a folder."""
    (folder / MEL_FILE).write_text(json.dumps(settings.to_json(), indent=2) + "\n", encoding="utf-8")


def read_mel_config(folder: Path, extent: tuple[int, int]) -> MelSettings:
    """Read the mel settings of an AudioDiffusionPipeline folder, with diffusers' defaults for missing ones.

    Args:
        folder: the model's folder.
        extent: bands and frames of the mels that it was made for.

    Raises:
        ModelError: the settings are missing, damaged, or do not fit a model of this size.
    """
    path = folder / MEL_CONFIG
    table = {"x_res": 256, "y_res": 256, "sample_rate": 22_050, "n_fft": 2048, "hop_length": 512, "top_db": 80}
    table |= {key: value for key, value in read_json(path).items() if key in table}
    if (table["y_res"], table["x_res"]) != extent:
        raise ModelError(
            say(
                "sidecar_mel_size_differs",
                folder=folder,
                made_bands=extent[0],
                made_frames=extent[1],
                path=path,
                bands=table["y_res"],
                frames=table["x_res"],
            )
        )
    try:
        rate, top = table["sample_rate"], float(table["top_db"])
        settings = MelSettings(rate, table["n_fft"], table["hop_length"], table["y_res"], 0.0, rate / 2, -top)
        filters(settings)
    except (MediaError, TypeError, ValueError) as error:
        raise ModelError(say("sidecar_unusable", path=path, problem=error)) from error
    return settings


def write_mel_config(folder: Path, settings: MelSettings, frames: int) -> None:
    """Write the mel settings of an AudioDiffusionPipeline folder, for diffusers."""
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
