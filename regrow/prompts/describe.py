"""Describe: the words for a picture or a sound, found by itself."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any

from jaxtyping import Float
from torch import Tensor

from regrow.models.model import Model
from regrow.models.probes.attributes import AttributeClassifier, read_describer
from regrow.prompts.captioned import language_of
from regrow.requests.edit import Edit
from regrow.worlds.world import WORLDS, changed_to


@dataclass(frozen=True)
class Description:
    """Words for a picture or a sound, and a sentence that says how sure they are."""

    words: str
    why: str


def with_source(
    request: Edit, model: Model, picture: Float[Tensor, "channels h w"], latents: Float[Tensor, "1 c y x"]
) -> tuple[Edit, tuple[str, ...]]:
    """A request whose source is words, and the sentence that says which were found where it names none.

    An empty source stays empty where nothing can describe the file, where prompts are taken as they are typed, and with
    a trajectory, which was inverted under a source of its own.

    Raises:
        ModelError: the captioning model cannot be opened.
        ValueError: there is nothing that could describe it.
    """
    can_look = request.describer or read_describer(model.folder, model.latent_channels) is not None
    is_open = not request.source.strip() and request.prompt_expansion == "on" and not request.trajectory
    if request.source != "auto" and not (is_open and can_look):
        return request, ()
    if request.describer:
        from regrow.models.probes.captioner import (
            open_captioner,  # transformers: five seconds that others need not wait
        )

        words = open_captioner(request.describer)(picture)
        description = Description(words, f'Source, read by {request.describer}: "{words}".')
    else:
        description = describe(model, latents, request.target)
    return replace(request, source=description.words, describer=""), (
        f"{description.why} Is it something else? Say so as the source.",
    )


def describe(model: Model, latents: Float[Tensor, "1 c y x"], like: Sequence[str] = ()) -> Description:
    """Describe what a model sees, with the describer in its folder.

    Of all that is true of it, the sentence is taken that is most like the first of `like`, in its language: so a target
    and its source differ in what is to change and nothing else. The plainest where that is empty.

    Args:
        model: that has a describer.
        latents: of the picture or the sound.
        like: words for something similar.

    Raises:
        ModelError: the describer is damaged.
        ValueError: the model has none.
    """
    describer = read_describer(model.folder, model.latent_channels)
    if describer is None:
        raise ValueError(
            f"{model.name} cannot describe what it sees: tell the source in words, or name a captioning model as the "
            "describer, for example Salesforce/blip-image-captioning-base."
        )
    world = WORLDS[describer.world]
    thing, sure = read_off(describer, latents)
    sentences = world.captions(thing, language_of(like[0]) if like else "en")
    words = max(sentences, key=lambda text: _alike(text, like[0])) if like else sentences[0]
    certain = ", ".join(f"{getattr(thing, name)} {100 * probability:.0f} %" for name, probability in sure.items())
    return Description(words, f'Source, read off it: "{words}" ({certain}).')


def read_off(describer: AttributeClassifier, latents: Float[Tensor, "1 c y x"]) -> tuple[Any, dict[str, float]]:
    """The thing of the describer's world that it sees, and how sure it is of each attribute, 0 to 1."""
    thing, sure = WORLDS[describer.world].default, {}
    read = describer.ranked(latents)[0]
    for name, values in (*read.items(), *read.items()):  # twice, for what is allowed can depend on what comes later
        for value, probability in values.items():  # the likeliest that goes with the others
            if (changed := changed_to(thing, {name: value})) is not None:
                thing, sure[name] = changed, probability
                break
    return thing, sure


def _alike(a: str, b: str) -> float:
    """The share of words, or of Chinese characters, that two sentences have in common and in order, 0 to 1."""
    parts = [re.findall(r"[a-z0-9-]+|[\u3400-\u9fff]", text.lower()) for text in (a, b)]
    return SequenceMatcher(None, *parts, autojunk=False).ratio()
