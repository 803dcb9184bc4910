"""Which settings have an effect: by method, from the flags of `Method`; by medium; and by ability of the model."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from regrow.interfaces.server.schemas.requests import FindWords
from regrow.requests.edit import Edit
from regrow.requests.extend import Extend
from regrow.requests.invert import Invert
from regrow.requests.sing import Sing

if TYPE_CHECKING:
    from regrow.core.methods.method import Method

PICTURE, SOUND = ("picture",), ("sound",)
BOTH = (*PICTURE, *SOUND)

_HEEDS: Mapping[str, "Callable[[Method], object]"] = {
    "source": lambda chosen: chosen.needs != "edits_by_instruction",
    "prompt_expansion": lambda chosen: chosen.needs != "edits_by_instruction",
    "strength": lambda chosen: not chosen.needs,
    "start_step": lambda chosen: not chosen.needs,
    "image_guidance": lambda chosen: chosen.needs or chosen.gives_way,
    "guidance_share": lambda chosen: not (chosen.guide or chosen.tune or chosen.needs),
    "invert_guidance": lambda chosen: not chosen.inverts_unguided and (chosen.path or chosen.returns_source),
    "negative": lambda chosen: not chosen.own_negative,
    "seed": lambda chosen: chosen.stochastic or chosen.seed_in_key or chosen.takes_eta,
    "eta": lambda chosen: chosen.takes_eta,
    "label": lambda chosen: chosen.takes_label and not chosen.takes_tolerance,  # methods that solve have no choice
    "tolerance": lambda chosen: chosen.takes_tolerance,
    "attention": lambda chosen: chosen.allows_attention,
    "attention_share": lambda chosen: chosen.allows_attention,
    "emphasis": lambda chosen: chosen.allows_attention,
    "trajectory": lambda chosen: chosen.path,
    "cache": lambda chosen: chosen.path,
}
"""Whether a method uses a setting of an edit, by setting; methods use all settings that are not listed."""

_MEDIA: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("mask", "region", "feather", "frame", "size", "tiles", "describer", "image_guidance"), PICTURE),
    **dict.fromkeys(("span", "notes", "normalize", "duration", "loop", "melody", "reference_sound"), SOUND),
    **dict.fromkeys(
        ("lyrics", "to_lyrics", "language", "bpm", "key", "time_signature", "tune", "singer", "accompany"), SOUND
    ),
}
_NEEDS: Mapping[str, str] = {
    **dict.fromkeys(("lyrics", "to_lyrics", "bpm", "key"), "sings"),
    **dict.fromkeys(("language", "time_signature"), "sings_styles"),
    **dict.fromkeys(("tune", "singer", "accompany"), "sings_notes"),
    **dict.fromkeys(("attention", "attention_share", "emphasis"), "shares_attention"),
    **dict.fromkeys(("trajectory", "cache"), "has_path"),
    "prompt_expansion": "describes",
    "image_guidance": "edits_by_instruction",
    "melody": "takes_melody",
    "notes": "takes_notes",
    "reference_sound": "takes_reference_sound",
    "tiles": "takes_tiles",
}
"""The ability that a model needs for a setting to have an effect, by setting; see `abilities.abilities_of`."""


_OF_KIND: Mapping[type, tuple[str, ...]] = {Extend: SOUND, Sing: SOUND, FindWords: PICTURE}


@cache
def methods_heeding(kind: type, name: str) -> tuple[str, ...] | None:
    """Return the names of the methods that use a setting of a request; None if all do, or the request has no method."""
    from regrow.core.methods.registry import method, names

    heeds = _HEEDS.get(name)
    if not issubclass(kind, Edit | Invert) or heeds is None:
        return None
    every = [method(each) for each in names()]
    found = tuple(chosen.name for chosen in every if heeds(chosen))
    return None if len(found) == len(every) else found


def media_of(kind: type, name: str) -> tuple[str, ...]:
    """Return the media to which a setting of a request applies."""
    of_kind = _OF_KIND.get(kind, BOTH)
    return tuple(medium for medium in _MEDIA.get(name, BOTH) if medium in of_kind)


def ability_for(name: str) -> str | None:
    """Return the ability that a model needs for a setting; None if it needs none."""
    return _NEEDS.get(name)
