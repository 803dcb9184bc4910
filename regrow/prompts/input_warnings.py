"""Warnings about the input: what a model does not know, and what a picture does not show."""

import math
from collections.abc import Mapping, Sequence
from unicodedata import category

from jaxtyping import Float
from torch import Tensor

from regrow.models.model import Model
from regrow.models.sidecars.training_file import read_training
from regrow.models.vocabulary import read_words, units, unknown_words
from regrow.prompts.interpretation import Interpretation

SURE = 0.8
"""How likely an attribute must be for the picture to be believed before the source."""
FAR = 5.0
"""Decibels below its own pictures at which a picture counts as far from what a codec was trained on."""


def has_words(prompt: str) -> bool:
    """Return whether a prompt has a letter, a number or a sign such as an emoji, not spaces and punctuation alone."""
    return any(category(character)[0] in "LN" or category(character) == "So" for character in prompt)


def about_words(model: Model, prompts: Sequence[str]) -> tuple[str, ...]:
    """A sentence naming the words that the model was never trained on, if there are any."""
    known = read_words(model.folder)
    added = {unit for embedding in model.embeddings for unit in units(embedding.word)}
    unknown = dict.fromkeys(word for prompt in prompts for word in unknown_words(known, prompt) if word not in added)
    if not unknown:
        return ()
    words = ", ".join(repr(word) for word in unknown)
    return (
        f"{model.name} was never shown {words} and will guess; `regrow models show {model.name}` says what it was.",
    )


def about_embeddings(model: Model, request: object) -> tuple[str, ...]:
    """Return a sentence for each embedding that was added: its word, and whether a prompt holds it.

    Args:
        model: with the embeddings.
        request: whose texts are its prompts.
    """
    values = [value for name, value in vars(request).items() if name != "model"]
    texts = [text for value in values for text in (value if isinstance(value, tuple) else (value,))]
    said = " ".join(text for text in texts if isinstance(text, str)).lower()
    return tuple(
        f'The word for {embedding.path.name} in prompts is "{embedding.word}".'
        if embedding.word in said
        else f'No prompt holds "{embedding.word}", the word for {embedding.path.name}, which so changes nothing: '
        "write it into one."
        for embedding in model.embeddings
    )


def about_prompt(model: Model, prompt: str, what: Interpretation) -> tuple[str, ...]:
    """Return a sentence for each kind of thing in a prompt that was not taken word for word."""
    notes = [f'"{typed}" is taken as "{known}".' for typed, known in what.taken.items()]
    for word, nearest in what.nearest.items():
        notes.append(f'{model.name} does not know "{word}": the nearest that it knows, {nearest}, is taken.')
    if what.unknown:
        notes.append(f"{model.name} does not know {_quoted(what.unknown)}: left out; nothing that it knows is near.")
    if what.unfit:
        notes.append(f'{_quoted(what.unfit)} of "{prompt}" does not go with the rest in {model.name}: left out.')
    notes += [f'"{word}" is not there to be changed: {there} is.' for word, there in what.denied.items()]
    if what.is_guess:
        notes.append(f"So the result is a guess; `regrow models show {model.name}` lists the words that it knows.")
    return tuple(notes)


def about_difference(model: Model, source: str, denied: Mapping[str, tuple[str, float]]) -> tuple[str, ...]:
    """Return a sentence where the source says something that the picture does not show.

    Args:
        model: that sees, or hears.
        source: of an edit.
        denied: what it says, with what is seen instead and how likely that is, 0 to 1.
    """
    certain = {said: there for said, there in denied.items() if there[1] >= SURE}
    if not certain:
        return ()
    pairs = ", ".join(f"{there} ({100 * share:.0f} %), not {said}" for said, (there, share) in certain.items())
    return (
        f'The source "{source}" differs from what {model.name} finds: {pairs}. Leave the source out to go by that.',
    )


def _quoted(words: Sequence[str]) -> str:
    return ", ".join(f'"{word}"' for word in words)


def about_codec(
    model: Model, content: Float[Tensor, " channels *places"], decoded: Float[Tensor, " channels *places"], name: str
) -> tuple[str, ...]:
    """Return a sentence where the codec loses much more of a file than of those it was trained on.

    Only for models that say how good their codec is: the `training.json` of what `regrow train` made.

    Args:
        model: whose codec it is.
        content: the file in the model's frame.
        decoded: what the codec makes of it.
        name: of the file.
    """
    psnr = model.medium.codec_psnr(decoded, content)
    try:
        error = read_training(model.folder)["stages"]["codec"]["validation"]
        usual = 10 * math.log10(4 / error)
    except (KeyError, TypeError, ValueError, ZeroDivisionError):  # whoever made the model wrote it
        return ()
    if psnr is None or psnr > usual - FAR:
        return ()
    return (
        f"{name} is far from what {model.name} was trained on: its codec alone brings it back at {psnr:.1f} dB, its "
        f"own pictures at {usual:.1f} dB. Use a model of such pictures, for example "
        "--model stable-diffusion-v1-5/stable-diffusion-v1-5.",
    )
