"""Expand the prompts of an edit to captions that also describe what the prompts omit, so that it is preserved.

A target "a grey dog on a beach" for "a grey cat on a beach" does not say that the cat sits and looks left, nor that it
rains. A small model then chooses what is usual. A classifier recognises these attributes in the picture, the prompts
say what changes, and the model gets both in the fullest caption of the kind that it was trained on. An instruction,
"make it a dog", is understood in the same way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from jaxtyping import Float
from torch import Tensor

from regrow.core.methods.registry import method
from regrow.messages.message import say
from regrow.models.model import Model
from regrow.models.probes.attributes import read_describer
from regrow.prompts.captioned import CHANGES, has_words_of_captions, is_learned, language_of, meant
from regrow.prompts.describe import read_off
from regrow.prompts.input_warnings import about_difference, about_prompt, about_words
from regrow.prompts.instructions import described
from regrow.prompts.interpretation import Interpretation, interpret
from regrow.requests.edit import Edit
from regrow.worlds.world import WORLDS, World, changed_to

RELIABLE = 0.95
"""Least held-out accuracy of the classifier for an attribute whose reading may contradict the source; the bandstand's
scale (0.917) is below it."""


@dataclass(frozen=True)
class Detailed:
    """Prompts as full captions.

    Attributes:
        words: the caption of each prompt, by the prompt.
        learned: the first prompt with words that the model was taught and no caption of the world has. Then there are
            no captions: beside short prompts, they would exaggerate what only they name.
        changed: the attributes in which a target differs from the source.
        interpretations: of each prompt.
        denied: by each value of the source that the picture does not show, the recognised value and its probability.
    """

    words: Mapping[str, str]
    learned: str = ""
    changed: frozenset[str] = frozenset()
    interpretations: Mapping[str, Interpretation] = field(default_factory=dict)
    denied: Mapping[str, tuple[str, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Expanded:
    """A request in the form that the model gets.

    Attributes:
        request: with expanded prompts.
        prompts: from each original prompt to the expanded one; empty if they are unchanged.
        notes: messages for the user.
        guessed: unknown words that were left out or replaced by the nearest known ones.
    """

    request: Edit
    prompts: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    guessed: tuple[str, ...] = ()


def with_expanded_prompts(request: Edit, model: Model, latents: Float[Tensor, "1 c y x"]) -> Expanded:
    """Return the request with expanded prompts, the map from original to expanded prompts, and messages for the user.

    Expanded source and target agree in everything that should stay, so the negative prompt is empty unless one is
    given. For short prompts, and if a target equals the source, the negative prompt is the source (LOG.md has the
    figures). If no strength is given, and the model has one for each changed attribute, the largest is used.

    Prompts stay unchanged if the request turns expansion off, weighs words, or starts from a trajectory, which was
    inverted under its own prompt; and if `detailed` finds no captions. A model without a classifier gets instructions
    as descriptions, made from the source.

    Raises:
        ModelError: the classifier is damaged.
        ValueError: a target is an instruction that cannot be applied to the source.
    """
    prompts = [request.source, *request.target]
    unknown = about_words(model, [*prompts, request.negative or ""])
    if request.prompt_expansion == "off" or request.emphasis or request.trajectory:
        return Expanded(request, {}, unknown)
    found = detailed(model, latents, request.source, request.target)
    if found.learned:
        note = say("prompts_not_expanded", prompt=found.learned)
        return Expanded(request, {}, (note, *unknown))
    if not found.words:
        words = {target: described(target, request.source) for target in request.target}
        changed = {target: text for target, text in words.items() if text != target}
        request = replace(request, target=tuple(words[target] for target in request.target))
        notes = tuple(say("understood_as", target=target, meaning=text) for target, text in changed.items())
        return Expanded(request, changed, notes + unknown)
    source, target = found.words[request.source], tuple(found.words[target] for target in request.target)
    chosen = method(request.method)
    free = request.negative is None and not chosen.own_negative and source not in target
    notes = () if all(short == full for short, full in found.words.items()) else _shown(source, target)
    for prompt, what in found.interpretations.items():
        about = about_prompt(model, prompt, what)
        if not about and prompt != request.source and found.words[prompt] == source:
            about = (say("changes_nothing", prompt=prompt),)
        notes += about
    notes += about_difference(model, request.source, found.denied)
    notes += about_words(model, [request.negative or ""])
    full = replace(request, source=source, target=target, negative="" if free else request.negative)
    needed = [model.edit_strengths.get(name) for name in found.changed]
    is_open = request.strength is None and request.start_step is None
    if is_open and chosen.has_measured_strengths and needed and None not in needed:
        strength = max(filter(None, needed))
        full = replace(full, strength=strength)
        notes += (say("strength_is_enough", strength=strength),)
    guessed = tuple(dict.fromkeys(word for what in found.interpretations.values() for word in what.guessed))
    return Expanded(full, found.words, notes, guessed)


def _shown(source: str, targets: Sequence[str]) -> tuple[str, ...]:
    return tuple(say("expanded_pair", source=source, target=target) for target in dict.fromkeys(targets))


def detailed(model: Model, latents: Float[Tensor, "1 c y x"], source: str, targets: Sequence[str]) -> Detailed:
    """Return source and targets as the fullest captions of what they mean for this picture or sound.

    The source means what the classifier recognises, except for what it states otherwise. A target means the same with
    its own changes. An accessory that is in the source but not in a target's description of the animal is removed.
    Without a classifier there are no captions.

    Raises:
        ModelError: the classifier is damaged.
    """
    describer = read_describer(model.folder, model.latent_channels)
    if describer is None:
        return Detailed({})
    world = WORLDS[describer.world]
    if learned := next((prompt for prompt in (source, *targets) if is_learned(world, model, prompt)), ""):
        return Detailed({}, learned)
    there, sure = read_off(describer, latents)
    said = interpret(world, source)
    origin = meant(world, there, source, said) or there
    right = describer.facts.get("held_out", {})
    reliable = [name for name in said.values if right.get(name, 0.0) >= RELIABLE]
    differing = [name for name in reliable if getattr(there, name) != said.values[name]]
    denied = {said.values[name]: (getattr(there, name), sure.get(name, 0.0)) for name in differing}
    changed, interpretations = set[str](), {source: said}
    words = {source: world.captions(origin, language_of(source or targets[0]))[-1]}
    for target in targets:
        interpretations[target] = what = interpret(world, target, origin)
        edited = meant(world, origin, target, what) or origin
        edited = _without_unnamed(world, said, what, edited)
        words[target] = world.captions(edited, language_of(target))[-1]
        changed |= {name for name in world.attributes if getattr(edited, name) != getattr(origin, name)}
    return Detailed(words, "", frozenset(changed), interpretations, denied)


def _without_unnamed(world: World, source: Interpretation, target: Interpretation, edited: Any) -> Any:
    """Return the thing without accessories that the source names and a target's description omits."""
    if target.is_instruction or world.lexicon.nouns[0] not in target.values:
        return edited
    for name, values in world.attributes.items():
        if name in source.values and name not in target.values and name in world.lexicon.gone and "none" in values:
            edited = changed_to(edited, {name: "none"}) or edited
    return edited


def as_read_before(request: Edit, model: Model, latents: Float[Tensor, "1 c y x"]) -> Edit:
    """Return the request of an old recipe, from before synonyms and instructions, as it was interpreted then.

    Prompts were then expanded only if captions have all of their words (`has_words_of_captions`), and if the source
    differs from the recognised thing, and each target from the source, in at most two attributes.
    """
    describer = read_describer(model.folder, model.latent_channels)
    if describer is None or request.prompt_expansion == "off":
        return request
    world, thing = WORLDS[describer.world], read_off(describer, latents)[0]
    for prompt in (request.source, *request.target):
        found = interpret(world, prompt, None if prompt == request.source else thing)
        changes = sum(getattr(thing, name) != value for name, value in found.values.items())
        other = meant(world, thing, prompt, found)
        if not has_words_of_captions(world, prompt) or changes > CHANGES or other is None:
            return replace(request, prompt_expansion="off")
        thing = other if prompt == request.source else thing
    return request
