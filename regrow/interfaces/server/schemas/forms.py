"""The forms of the page: each request's fields with label, one line of help, choices, and what uses them."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, get_args

from regrow.interfaces.server.schemas.bodies import MODEL, SEED, own_defaults
from regrow.interfaces.server.schemas.heed import ability_for, media_of, methods_heeding
from regrow.interfaces.server.schemas.requests import FORMS
from regrow.interfaces.server.schemas.settings import Setting, settings_of
from regrow.requests.invert import Invert
from regrow.requests.option_groups import EXPERT, GROUPS

TEXTS = Path(__file__).parents[2] / "page" / "texts" / "requests.json"
SLIDERS: Mapping[str, tuple[float, float, float]] = {
    **dict.fromkeys(("guidance", "image_guidance", "invert_guidance"), (1, 15, 0.1)),
    **dict.fromkeys(("guidance_share", "attention_share", "eta"), (0, 1, 0.05)),
    "strength": (0.05, 1, 0.05),
    "feather": (0, 0.5, 0.01),
    "steps": (1, 100, 1),
    "count": (1, 16, 1),
    "frames": (2, 16, 1),
}
"""Fields with a slider: its minimum, maximum and step. Any number in the field's range can be typed."""
BUTTONS = {("train", "resume"), ("train", "dry_run")}
"""Fields that the page shows as buttons instead."""
LINES = ("lyrics", "to_lyrics")
"""Fields with text of several lines."""
ACCEPT = {
    "picture": "image/png,image/jpeg,image/webp",
    "sound": "audio/*,.wav,.flac,.ogg,.mp3",
    "tune": ".mid,.midi,.abc,.musicxml,.mxl,.xml",
    "path": ".safetensors",
}
FILES: Mapping[str, tuple[str, ...]] = {
    "mask": ("picture",),
    **dict.fromkeys(("sound", "melody", "reference_sound"), ("sound",)),
    "tune": ("tune", "sound"),
    "trajectory": ("path",),
}
"""The file types of file fields that do not take any picture or sound."""


def forms(language: str) -> dict[str, Any]:
    """Return the form of each request, by its verb.

    Args:
        language: "en" or "zh".
    """
    return {verb: form_of(verb, language) for verb in FORMS}


def form_of(verb: str, language: str) -> dict[str, Any]:
    """Return the form of one request; see `forms`."""
    kind, defaults = FORMS[verb], own_defaults(verb)
    settings = settings_of(kind).values()
    shown = [setting for setting in settings if (verb, setting.name) not in BUTTONS]
    fields = [_field(verb, kind, setting, defaults.get(setting.name), language) for setting in shown]
    order = [*GROUPS, EXPERT]
    return {
        "verb": verb,
        "title": text(f"verb.{verb}", language),
        "intro": text(f"verb.{verb}.intro", language),
        "groups": [{"name": group, "label": text(f"group.{group}", language)} for group in order],
        "fields": sorted(fields, key=lambda field: (order.index(field["group"]), _place(field))),
    }


def text(key: str, language: str) -> str:
    """Return the text of a key.

    Raises:
        KeyError: there are none.
    """
    return _texts()[key][language]


def text_or(key: str, language: str, otherwise: str) -> str:
    """Return the text of a key, or `otherwise` if it has none."""
    return _texts()[key][language] if key in _texts() else otherwise


@cache
def _texts() -> dict[str, dict[str, str]]:
    return json.loads(TEXTS.read_text(encoding="utf-8"))


def _field(verb: str, kind: type, setting: Setting, default: Any, language: str) -> dict[str, Any]:
    name = setting.name
    key = f"field.{verb}.{name}" if f"field.{verb}.{name}" in _texts() else f"field.{name}"
    methods = methods_heeding(kind, name)
    low, high, step = SLIDERS.get(name, (None, None, None)) if verb != "train" else (None, None, None)
    shape = _shape(setting)
    least, most = (low, high) if name == "strength" else (setting.least, setting.most)
    return {
        "name": name,
        "label": text(key, language),
        "help": text(f"{key}.help", language),
        "type": shape,
        "of": _kind_of_list(setting) if shape in ("list", "pair", "size") else None,
        "default": default,
        "required": setting.is_required,
        "optional": setting.is_optional or name in (SEED, MODEL),
        "least": least,
        "most": most,
        "step": step or (1 if shape == "integer" else None),
        "slider": [low, high] if step else None,
        "choices": _choices(kind, setting, language),
        "group": next((group for group, some in GROUPS.items() if name in some), EXPERT),
        "media": list(media_of(kind, name)),
        "methods": None if methods is None else list(methods),
        "needs": ability_for(name),
        "accept": _accept(setting),
    }


def _place(field: Mapping[str, Any]) -> int:
    names = GROUPS.get(field["group"], ())
    return names.index(field["name"]) if field["name"] in names else 0


def _shape(setting: Setting) -> str:
    """Return the kind of control for a field."""
    kinds = setting.kinds
    if setting.is_file:
        return "file"
    if setting.name == "size" and tuple[int, int] in kinds:
        return "size"
    if setting.name in LINES:
        return "lines"
    plain = {bool: "switch", int: "integer", float: "number"}
    if bool in kinds and setting.is_optional:  # None is a third answer besides true and false
        return "choice"
    if found := next((plain[kind] for kind in kinds if kind in plain), ""):
        return found
    if setting.choices:
        return "choice"
    if kinds[0] in (str, Path):
        return "text"
    return "list" if get_args(kinds[0])[-1] is ... else "pair"


def _kind_of_list(setting: Setting) -> str:
    return {int: "integer", float: "number"}.get(get_args(setting.kinds[0])[0], "text")


def _choices(kind: type, setting: Setting, language: str) -> list[dict[str, Any]]:
    """Return the choices of a field; null, which leaves it to the model, comes first."""
    from regrow.core.methods.registry import about, method, names

    methods = setting.name in ("method", "methods")
    able = [name for name in names() if method(name).path or not issubclass(kind, Invert)]
    thirds = (True, False) if bool in setting.kinds and setting.is_optional else ()
    values: list[Any] = list(able if methods else setting.choices or thirds)
    if not values:
        return []
    if setting.is_optional and not setting.is_file:
        values = [None, *values]
    choices = []
    for value in values:
        key = f"option.{setting.name}.{value}".lower()
        label = text_or(key, language, text_or(f"option.{value}".lower(), language, str(value)))
        more: dict[str, Any] = {}
        if methods:
            more = {"help": text_or(f"method.{value}", language, about(value)), "needs": method(value).needs or None}
        choices.append({"value": value, "label": label, **more})
    return choices


def _accept(setting: Setting) -> str | None:
    """Return the file types of a field, for the `accept` attribute of an input."""
    if not setting.is_file and setting.name not in FILES and setting.name not in ("first", "second"):
        return None
    return ",".join(ACCEPT[kind] for kind in FILES.get(setting.name, ("picture", "sound")))
