"""The places of a checkpoint's weights, if they are not in its folder: `weights.json`.

    {"transformer": {"file": "/models/a.safetensors", "begins": ["model.diffusion_model."], "within": ""},
     "text_encoder": {"file": "/models/clip_l.safetensors", "begins": [""],
                      "within": "text_encoders.clip_l.transformer."},
     "vae": {"folder": "/models/flux/vae"}}

`begins`: prefixes of a part's tensor names in its file. `within`: for a file of one part, the prefix that its names
would have in a file with several parts.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regrow.messages.message import say
from regrow.models.errors import ModelError
from regrow.models.folder import read_json

WEIGHTS_FILE = "weights.json"


@dataclass(frozen=True)
class Place:
    """The place of one part's weights.

    Attributes:
        path: a file, or the part's folder in the diffusers layout.
        begins: prefixes of its tensor names in a file.
        within: the prefix that they would have in a file with several parts.
    """

    path: Path
    begins: tuple[str, ...] = ()
    within: str = ""

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder in the diffusers layout."""
        return not self.begins


def read_weights_file(folder: Path) -> dict[str, Place]:
    """Return the places of parts by name; empty if the folder holds its weights itself.

    Raises:
        ModelError: the file is damaged.
    """
    path = folder / WEIGHTS_FILE
    if not path.is_file():
        return {}
    try:
        return {part: _place(entry) for part, entry in read_json(path).items()}
    except (AttributeError, KeyError, TypeError) as error:
        raise ModelError(say("view_names_no_weights", path=path)) from error


def write_weights_file(folder: Path, places: Mapping[str, Place]) -> None:
    """Write the places of the weights of a folder's parts."""
    content: dict[str, Any] = {}
    for part, place in places.items():
        path, begins = str(place.path), list(place.begins)
        content[part] = (
            {"folder": path} if place.is_folder else {"file": path, "begins": begins, "within": place.within}
        )
    (folder / WEIGHTS_FILE).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _place(entry: Mapping[str, Any]) -> Place:
    if "folder" in entry:
        return Place(Path(entry["folder"]))
    return Place(Path(entry["file"]), tuple(entry["begins"]), entry["within"])
