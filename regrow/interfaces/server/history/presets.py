"""Presets: named settings of a verb with a style for prompts, one file each."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import Field

from regrow.interfaces.server.errors import Refused
from regrow.interfaces.server.stored import Stored, read, unusable, write
from regrow.media.home import home

MOST = 500
"""Most presets of one owner."""
MOST_SETTINGS = 100
PLACE = "{prompt}"
"""The placeholder for the prompt in a style."""


class Preset(Stored):
    """A preset.

    Attributes:
        name: of the preset.
        verb: to which the settings belong.
        settings: that differ from the defaults.
        style: text with the placeholder `{prompt}`, which the prompt replaces; "" for none.
    """

    name: str = Field(min_length=1, max_length=80)
    verb: str = Field(min_length=1, max_length=40)
    settings: dict[str, Any] = Field(default_factory=dict, max_length=MOST_SETTINGS)
    style: str = Field(default="", max_length=2000)


class Presets:
    """The presets of one owner, or those that all callers share.

    Args:
        owner: the owner; None if callers share the server.
    """

    def __init__(self, owner: str | None) -> None:
        self._folder = home() / "page" / "presets" / ("all" if owner is None else f"of-{owner}")

    def list(self) -> list[Preset]:
        """Return all presets, sorted by name; damaged ones are set aside."""
        return sorted(self._read(), key=lambda preset: preset.name.casefold())

    def get(self, name: str) -> Preset:
        """Return a preset.

        Raises:
            Refused: there is none of this name.
        """
        preset = read(self._path(name), Preset)
        if preset is None or preset.name != name:
            raise Refused(404, "no_preset", name=f"{name:.80}")
        return preset

    def put(self, preset: Preset) -> None:
        """Write a preset; one of the same name is replaced.

        Raises:
            Refused: there are too many, its style lacks `{prompt}`, or a setting is not a JSON value.
            MediaError: the disk cannot be written.
        """
        if preset.style and PLACE not in preset.style:
            raise Refused(400, "style_without_place", "style")
        if unusable(preset.settings):
            raise Refused(400, "unusable_settings", "settings")
        path = self._path(preset.name)
        if not path.exists() and sum(1 for _ in self._folder.glob("*.json")) >= MOST:
            raise Refused(409, "too_many_presets", most=MOST)
        write(path, preset)

    def delete(self, name: str) -> None:
        """Delete a preset.

        Raises:
            Refused: there is none of this name.
        """
        self.get(name)
        self._path(name).unlink(missing_ok=True)

    def _read(self) -> Iterator[Preset]:
        for path in self._folder.glob("*.json"):
            preset = read(path, Preset)
            if preset and path == self._path(preset.name):
                yield preset

    def _path(self, name: str) -> Path:
        """Return the file of a preset; names may hold characters that file names cannot."""
        return self._folder / f"{hashlib.blake2b(name.encode(), digest_size=16).hexdigest()}.json"
