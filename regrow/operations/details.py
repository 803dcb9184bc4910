"""Details: words for an edit that say all that is seen, so that what a user leaves unsaid stays as it is.

A wish "a grey dog on a beach" for "a grey cat on a beach" says nothing of the cat's sitting and looking left, nor of
the rain. Told so, a small model fills in what is usual. A describer has read what is there; the words say what of it
they change; and the model is told both as it was trained to be told: in the fullest of its captions.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any, NamedTuple

from jaxtyping import Float
from torch import Tensor

from regrow.families.describer import read_describer
from regrow.families.model import Model
from regrow.operations.describe import WORLDS, Told, read_off
from regrow.operations.requests import OWN_NEGATIVE, Edit

CHANGES = 2
"""The most that words may differ from what is seen: what a wish changes, and what must change with it."""
CARRYING_NOTHING = frozenset(("a", "an", "the", "and", "is", "of", "in", "on", "at", "with", *"一只个张幅在"))
"""Words and characters that say nothing of a thing by themselves."""


class Detailed(NamedTuple):
    """Full words.

    Attributes:
        words: the fullest captions of what is meant, by the words that mean it.
        strange: the first words that tell of nothing near; empty if there are none. Then there are no full words, for
            beside short ones they would exaggerate what only they name.
        changed: the attributes in which a wish differs from the source.
    """

    words: dict[str, str]
    strange: str = ""
    changed: frozenset[str] = frozenset()


def with_details(
    request: Edit, model: Model, latents: Float[Tensor, "1 c y x"]
) -> tuple[Edit, Mapping[str, str], tuple[str, ...]]:
    """A request in full sentences; its words with those for each, none where they stay; and sentences that say so.

    In full, source and wish agree in all that shall stay, and guidance leads away from no words, unless others are
    given: it then need not name what there is by what there is not. Between short sentences it leads away from the
    source's (LOG.md has the figures). Where a wish is the source itself, too, so that nothing is changed at all.
    A strength that is left open is the model's own where all that the wishes change has one.

    Words stay as they are where the request says so, weighs words, or starts from a trajectory that was inverted under
    words of its own; and where `detailed` finds none.

    Raises:
        ModelError: the describer is damaged.
    """
    if request.details == "leave" or request.emphasis or request.trajectory:
        return request, {}, ()
    words, strange, changed = detailed(model, latents, request.source, request.target)
    if strange:
        why = f'Told as they are, not in full: "{strange}" is not put as {model.name} has learned to put things; '
        return request, {}, (f"{why}`regrow models show {model.name}` says what it was shown.",)
    if not words:
        return request, {}, ()
    source, target = words[request.source], tuple(words[wish] for wish in request.target)
    free = request.negative is None and request.method not in OWN_NEGATIVE and source not in target
    request = replace(request, source=source, target=target, negative="" if free else request.negative)
    same = all(short == full for short, full in words.items())
    notes = () if same else (f'Told in full: "{source}" to "{target[0]}".',)
    needed = [model.edit_strengths.get(name) for name in changed]
    is_open = request.strength is None and request.start_step is None
    if is_open and request.method == "anchored" and needed and None not in needed:
        strength = max(filter(None, needed))
        request = replace(request, strength=strength)
        notes += (f"Strength {strength:g} is enough for a wish of this kind; 0.9 is usual.",)
    return request, words, notes


def detailed(model: Model, latents: Float[Tensor, "1 c y x"], source: str, targets: Sequence[str]) -> Detailed:
    """Source and targets with the fullest captions of what they mean here.

    The source means the thing nearest to what is seen of which it is a caption, or a part of one ("a cat on the
    beach"); a target means the nearest to that. What the source names and the target does not is gone, if it can be:
    an accessory.
    Where the model has no describer there are no words.

    Raises:
        ModelError: the describer is damaged.
    """
    describer = read_describer(model.folder, model.latent_channels)
    if describer is None:
        return Detailed({})
    told = WORLDS[describer.world]
    seen, _ = read_off(describer, latents)
    origin = _meant(told, seen, source)
    if origin is None:
        return Detailed({}, source)
    changed = set[str]()
    found = {source: told.captions(origin, _language(source))[-1]}
    named = _named(told, origin, source)
    for target in targets:
        wished = _meant(told, origin, target)
        if wished is None:
            return Detailed({}, target)
        for name in named - _named(told, wished, target):
            if "none" in told.attributes[name]:
                wished = wished.replace(**{name: "none"})
        found[target] = told.captions(wished, _language(target))[-1]
        changed |= {name for name in told.attributes if getattr(wished, name) != getattr(origin, name)}
    return Detailed(found, changed=frozenset(changed))


def _meant(told: Told, thing: Any, words: str) -> Any | None:
    """The thing nearest to this one of which the words are a caption, or else part of one; None where none is near."""
    language, wanted, found = _language(words), _carrying(words), None
    for near in _nearby(told, thing):
        texts = told.captions(near, language)
        if words in texts:
            return near
        if found is None and _is_part(wanted, texts):
            found = near
    return found


def _is_part(wanted: Sequence[str], texts: Sequence[str]) -> bool:
    """Whether one of the texts has all of the words that carry meaning, in their order."""
    # most texts lack one of them, which is seen much sooner than their order
    return bool(wanted) and any(
        all(word in low for word in wanted) and _in_order(wanted, _carrying(low))
        for low in (text.lower() for text in texts)
    )


def _carrying(words: str) -> list[str]:
    parts = re.findall(r"[a-z0-9-]+|[\u3400-\u9fff]", words.lower())
    return [part for part in parts if part not in CARRYING_NOTHING]


def _in_order(wanted: Sequence[str], words: Sequence[str]) -> bool:
    rest = iter(words)
    return all(word in rest for word in wanted)


def _nearby(told: Told, thing: Any) -> Iterator[Any]:
    """Things in the order of how many attributes differ."""
    yield thing
    others = [(name, value) for name, value in _values(told) if value != getattr(thing, name)]
    for count in range(1, CHANGES + 1):
        for changes in combinations(others, count):
            changed = dict(changes)
            if len(changed) == count and (found := _changed(thing, changed)) is not None:
                yield found


def _named(told: Told, thing: Any, words: str) -> set[str]:
    """The attributes on which it depends whether the words tell of the thing."""
    language, wanted, found = _language(words), _carrying(words), set()
    whole = words in told.captions(thing, language)
    for name in told.attributes:
        others = [_changed(thing, {name: value}) for value in told.attributes[name] if value != getattr(thing, name)]
        texts = [told.captions(other, language) for other in others if other is not None]
        if texts and not any(words in each if whole else _is_part(wanted, each) for each in texts):
            found.add(name)
    return found


def _values(told: Told) -> Iterator[tuple[str, str]]:
    for name, values in told.attributes.items():
        for value in values:
            yield name, value


def _changed(thing: Any, changes: Mapping[str, str]) -> Any | None:
    try:
        return thing.replace(**changes)
    except ValueError:  # a weather that the place has not
        return None


def _language(words: str) -> str:
    return "zh" if re.search(r"[\u3400-\u9fff]", words) else "en"
