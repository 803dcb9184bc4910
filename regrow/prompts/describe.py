"""Describe a picture or a sound automatically."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any

from jaxtyping import Float
from torch import Tensor

from regrow.messages.message import say
from regrow.models.model import Model
from regrow.models.probes.attributes import AttributeClassifier, read_describer
from regrow.prompts.captioned import language_of
from regrow.requests.edit import Edit
from regrow.worlds.world import WORLDS, Language, changed_to


@dataclass(frozen=True)
class Description:
    """Words for a picture or a sound, and a sentence with the classifier's confidence in them."""

    words: str
    why: str


def with_source(
    request: Edit, model: Model, picture: Float[Tensor, "channels h w"], latents: Float[Tensor, "1 c y x"]
) -> tuple[Edit, tuple[str, ...]]:
    """Return a request with a description as its source if that is empty or "auto", and a sentence about it.

    An empty source stays empty if nothing can describe the file, if prompt expansion is off, or with a trajectory,
    which was inverted under its own source.

    Raises:
        ModelError: the captioning model cannot be opened.
        ValueError: the source is "auto", and the model has no describer.
    """
    can_look = request.describer or read_describer(model.folder, model.latent_channels) is not None
    is_open = not request.source.strip() and request.prompt_expansion == "on" and not request.trajectory
    if request.source != "auto" and not (is_open and can_look):
        return request, ()
    if request.describer:
        from regrow.models.probes.captioner import (
            open_captioner,  # imports transformers, which takes five seconds
        )

        words = open_captioner(request.describer)(picture)
        description = Description(words, say("source_read_by", describer=request.describer, words=words))
    else:
        description = describe(model, latents, request.target)
    return replace(request, source=description.words, describer=""), (
        say("source_can_be_corrected", why=description.why),
    )


def describe(
    model: Model, latents: Float[Tensor, "1 c y x"], like: Sequence[str] = (), language: Language = "en"
) -> Description:
    """Describe a picture or a sound with the attribute classifier in a model's folder.

    Of all true captions, the one most similar to the first of `like` is returned, in its language, so that source and
    target differ only in what changes. If `like` is empty, it is the plainest caption.

    Args:
        model: a model with a describer.
        latents: of the picture or the sound.
        like: words for something similar.
        language: of the caption if `like` is empty.

    Raises:
        ModelError: the describer is damaged.
        ValueError: the model has none.
    """
    describer = read_describer(model.folder, model.latent_channels)
    if describer is None:
        raise ValueError(say("cannot_describe", name=model.name))
    world = WORLDS[describer.world]
    thing, sure = read_off(describer, latents)
    sentences = world.captions(thing, language_of(like[0]) if like else language)
    words = max(sentences, key=lambda text: _alike(text, like[0])) if like else sentences[0]
    certain = ", ".join(f"{getattr(thing, name)} {100 * probability:.0f} %" for name, probability in sure.items())
    return Description(words, say("source_read_with_certainty", words=words, certain=certain))


def read_off(describer: AttributeClassifier, latents: Float[Tensor, "1 c y x"]) -> tuple[Any, dict[str, float]]:
    """Return the thing that the describer recognises, and the probability of each attribute, 0 to 1."""
    thing, sure = WORLDS[describer.world].default, {}
    read = describer.ranked(latents)[0]
    for name, values in (*read.items(), *read.items()):  # twice, as a value's validity can depend on later attributes
        for value, probability in values.items():  # take the most probable one that is compatible with the others
            if (changed := changed_to(thing, {name: value})) is not None:
                thing, sure[name] = changed, probability
                break
    return thing, sure


def _alike(a: str, b: str) -> float:
    """Return the share of words, or Chinese characters, that two sentences have in common in order, 0 to 1."""
    parts = [re.findall(r"[a-z0-9-]+|[\u3400-\u9fff]", text.lower()) for text in (a, b)]
    return SequenceMatcher(None, *parts, autojunk=False).ratio()
