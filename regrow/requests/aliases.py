"""Old spellings of options, settings and values, and what they are called now.

The command line translates its arguments and says so; recipes, saved paths and jobs of older versions are translated
silently.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from regrow.messages.message import say

SETTINGS: dict[str, str] = {"details": "prompt_expansion", "walked": "steps_back"}
"""Fields of requests and saved paths, by their old names."""
ADDED: dict[str, Any] = {
    "normalize": "off",
    **dict.fromkeys(("lyrics", "to_lyrics", "language", "key", "time_signature", "tune", "singer", "accompany"), ""),
    "bpm": 0,
    "tiles": False,
    **dict.fromkeys(("reference_sound", "image_guidance")),
}
"""Fields of requests that older recipes lack, and what was done then."""
VALUES: dict[str, dict[str, str]] = {
    "method": {"anchored": "direct_inversion"},
    "prompt_expansion": {"tell": "on", "leave": "off"},
}
"""Values of settings, by the setting's new name and the value's old one."""
OPTIONS: dict[tuple[str, ...], dict[str, str]] = {
    (): {"--details": "--prompt-expansion"},
    ("bench", "edit"): {"--wishes": "--tasks"},
    ("bench", "speed"): {"--wishes": "--tasks"},
}
"""Options of the command line by their old names, under the verbs that had them; () is any verb."""
EDITORS: dict[str, str] = {"anchored": "direct_inversion"}
"""Ways to edit in a benchmark, as words of longer names such as "anchored, masked"."""


def current(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings that an older version wrote, under today's names and values."""
    renamed = {SETTINGS.get(name, name): value for name, value in settings.items()}
    return {name: _value(name, value) for name, value in renamed.items()}


def current_editor(name: str) -> str:
    """Return today's name of a benchmark's way to edit, or of what is kept under it."""
    return re.sub(r"\w+", lambda word: EDITORS.get(word[0], word[0]), name)


def current_arguments(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the command line in today's spelling, and a sentence for each old one."""
    renames: dict[str, str] = {}
    for verbs, options in OPTIONS.items():
        if tuple(arguments[: len(verbs)]) == verbs:
            renames |= options
    result, notes, option = [], [], ""
    for argument in arguments:
        is_option = argument.startswith("--")
        name, equals, value = argument.partition("=") if is_option else ("", "", argument)
        if is_option:
            option = renames.get(name.replace("_", "-"), name)
            if option != name and name.replace("_", "-") in renames:
                notes.append(say("option_renamed", old=name, new=option))
            name = option
        if equals or not is_option:
            setting = option.removeprefix("--").replace("-", "_")
            newer = current_editor(value) if setting == "only" else _value(setting, value)
            if newer != value:
                notes.append(say("value_renamed", option=option, value=value, new=newer))
                value = newer
        result.append(f"{name}{equals}{value}")
    return result, notes


def _value(setting: str, value: Any) -> Any:
    return VALUES.get(setting, {}).get(value, value) if isinstance(value, str) else value
