"""The mel settings in the folder of a sound model: `mel.json`, the fields of `MelSettings`."""

import json
from pathlib import Path

from regrow.families.folder import read_json
from regrow.families.model import ModelError
from regrow.media.files import MediaError
from regrow.media.mel import MelSettings

MEL_FILE = "mel.json"


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
