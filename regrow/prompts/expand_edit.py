"""Details: words for an edit that say all that is seen, so that what a user leaves unsaid stays as it is.

A target "a grey dog on a beach" for "a grey cat on a beach" says nothing of the cat's sitting and looking left, nor of
the rain. Told so, a small model fills in what is usual. A describer has read what is there; the words say what of it
they change; and the model is told both as it was trained to be told: in the fullest of its captions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from jaxtyping import Float
from torch import Tensor

from regrow.core.methods.registry import method
from regrow.models.model import Model
from regrow.models.probes.attributes import read_describer
from regrow.prompts.caption_matching import carrying, is_part, language_of, meant
from regrow.prompts.describe import read_off
from regrow.requests.edit import Edit
from regrow.worlds.world import WORLDS, World, changed_to


class Detailed(NamedTuple):
    """Full words.

    Attributes:
        words: the fullest captions of what is meant, by the words that mean it.
        strange: the first words that tell of nothing near; empty if there are none. Then there are no full words, for
            beside short ones they would exaggerate what only they name.
        changed: the attributes in which a target differs from the source.
    """

    words: dict[str, str]
    strange: str = ""
    changed: frozenset[str] = frozenset()


def with_expanded_prompts(
    request: Edit, model: Model, latents: Float[Tensor, "1 c y x"]
) -> tuple[Edit, Mapping[str, str], tuple[str, ...]]:
    """A request in full sentences; its words with those for each, none where they stay; and sentences that say so.

    In full, source and target agree in all that shall stay, and guidance leads away from no words, unless others are
    given: it then need not name what there is by what there is not. Between short sentences it leads away from the
    source's (LOG.md has the figures). Where a target is the source itself, too, so that nothing is changed at all.
    A strength that is left open is the model's own where all that the targets change has one.

    Words stay as they are where the request says so, weighs words, or starts from a trajectory that was inverted under
    words of its own; and where `detailed` finds none.

    Raises:
        ModelError: the describer is damaged.
    """
    if request.prompt_expansion == "off" or request.emphasis or request.trajectory:
        return request, {}, ()
    words, strange, changed = detailed(model, latents, request.source, request.target)
    if strange:
        why = f'The prompts were not expanded: "{strange}" is not worded like what {model.name} was trained on; '
        return request, {}, (f"{why}`regrow models show {model.name}` says what it was shown.",)
    if not words:
        return request, {}, ()
    source, target = words[request.source], tuple(words[target] for target in request.target)
    chosen = method(request.method)
    free = request.negative is None and not chosen.own_negative and source not in target
    request = replace(request, source=source, target=target, negative="" if free else request.negative)
    same = all(short == full for short, full in words.items())
    notes = () if same else (f'Expanded prompt: "{source}" to "{target[0]}".',)
    needed = [model.edit_strengths.get(name) for name in changed]
    is_open = request.strength is None and request.start_step is None
    if is_open and chosen.has_measured_strengths and needed and None not in needed:
        strength = max(filter(None, needed))
        request = replace(request, strength=strength)
        notes += (f"Strength {strength:g} is enough for an edit of this kind; 0.9 is usual.",)
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
    world = WORLDS[describer.world]
    read, _ = read_off(describer, latents)
    origin = meant(world, read, source)
    if origin is None:
        return Detailed({}, source)
    changed = set[str]()
    found = {source: world.captions(origin, language_of(source))[-1]}
    named = _named(world, origin, source)
    for target in targets:
        edited = meant(world, origin, target)
        if edited is None:
            return Detailed({}, target)
        for name in named - _named(world, edited, target):
            if "none" in world.attributes[name]:
                edited = edited.replace(**{name: "none"})
        found[target] = world.captions(edited, language_of(target))[-1]
        changed |= {name for name in world.attributes if getattr(edited, name) != getattr(origin, name)}
    return Detailed(found, changed=frozenset(changed))


def _named(world: World, thing: Any, words: str) -> set[str]:
    """The attributes on which it depends whether the words tell of the thing."""
    language, wanted, found = language_of(words), carrying(words), set()
    whole = words in world.captions(thing, language)
    for name in world.attributes:
        others = [changed_to(thing, {name: value}) for value in world.attributes[name] if value != getattr(thing, name)]
        texts = [world.captions(other, language) for other in others if other is not None]
        if texts and not any(words in each if whole else is_part(wanted, each) for each in texts):
            found.add(name)
    return found
