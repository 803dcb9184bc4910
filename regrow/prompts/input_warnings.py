"""Warnings about the input: what a model does not know, and what a picture does not show."""

import math
from collections.abc import Mapping, Sequence
from functools import reduce
from unicodedata import category

from jaxtyping import Float
from torch import Tensor

from regrow.messages.message import say
from regrow.models.model import Model
from regrow.models.sidecars.training_file import read_training
from regrow.models.vocabulary import read_words, units, unknown_words
from regrow.prompts.interpretation import Interpretation

SURE = 0.8
"""Least probability of a recognised attribute at which a source that differs is reported."""
FAR = 5.0
"""dB of PSNR below the codec's held-out pictures at which a picture counts as far from its training data."""


def has_words(prompt: str) -> bool:
    """Return whether a prompt has a letter, a number or a sign such as an emoji, not only spaces and punctuation."""
    return any(category(character)[0] in "LN" or category(character) == "So" for character in prompt)


def about_words(model: Model, prompts: Sequence[str]) -> tuple[str, ...]:
    """Return a sentence naming the words that the model was never trained on, if there are any."""
    known = read_words(model.folder)
    added = {unit for embedding in model.embeddings for unit in units(embedding.word)}
    unknown = dict.fromkeys(word for prompt in prompts for word in unknown_words(known, prompt) if word not in added)
    if not unknown:
        return ()
    words = ", ".join(repr(word) for word in unknown)
    return (say("never_shown", name=model.name, words=words),)


def about_embeddings(model: Model, request: object) -> tuple[str, ...]:
    """Return a sentence for each embedding that was added: its word, and whether a prompt holds it.

    Args:
        model: with the embeddings.
        request: all of its text fields count as prompts.
    """
    values = [value for name, value in vars(request).items() if name != "model"]
    texts = [text for value in values for text in (value if isinstance(value, tuple) else (value,))]
    said = " ".join(text for text in texts if isinstance(text, str)).lower()
    return tuple(
        say("embedding_word", name=embedding.path.name, word=embedding.word)
        if embedding.word in said
        else say("embedding_word_unused", word=embedding.word, name=embedding.path.name)
        for embedding in model.embeddings
    )


def about_prompt(model: Model, prompt: str, what: Interpretation) -> tuple[str, ...]:
    """Return a sentence for each kind of deviation of the interpretation from the prompt's own words."""
    notes = [say("taken_as", typed=typed, known=known) for typed, known in what.taken.items()]
    for word, nearest in what.nearest.items():
        notes.append(say("nearest_taken", name=model.name, word=word, nearest=nearest))
    if what.unknown:
        notes.append(say("unknown_left_out", name=model.name, quoted=_quoted(what.unknown)))
    if what.unfit:
        notes.append(say("clashing_left_out", quoted=_quoted(what.unfit), prompt=prompt, name=model.name))
    notes += [say("not_there_to_change", word=word, there=there) for word, there in what.denied.items()]
    if what.is_guess:
        notes.append(say("result_is_guess", name=model.name))
    return tuple(notes)


def about_difference(model: Model, source: str, denied: Mapping[str, tuple[str, float]]) -> tuple[str, ...]:
    """Return a sentence if the source states something that the picture or sound does not show.

    Args:
        model: whose classifier read it.
        source: of an edit.
        denied: by each stated value, the recognised value and its probability, 0 to 1.
    """
    certain = {said: there for said, there in denied.items() if there[1] >= SURE}
    if not certain:
        return ()
    pairs = ", ".join(
        say("seen_instead", seen=there, share=100 * share, said=said) for said, (there, share) in certain.items()
    )
    return (say("source_differs", source=source, name=model.name, pairs=pairs),)


def _quoted(words: Sequence[str]) -> str:
    """Return words in the reader's quotation marks, separated by commas."""
    quoted = (say("quoted", word=word) for word in words)
    return reduce(lambda before, word: say("quoted_and", before=before, word=word), quoted)


def about_codec(
    model: Model, content: Float[Tensor, " channels *places"], decoded: Float[Tensor, " channels *places"], name: str
) -> tuple[str, ...]:
    """Return a sentence if the codec loses much more of a file than of its held-out training data.

    Only models of `regrow train` have the necessary figure, in `training.json`.

    Args:
        model: whose codec it is.
        content: the file in the model's frame.
        decoded: the codec's reconstruction of it.
        name: of the file.
    """
    psnr = model.medium.codec_psnr(decoded, content)
    try:
        error = read_training(model.folder)["stages"]["codec"]["validation"]
        usual = 10 * math.log10(4 / error)
    except (KeyError, TypeError, ValueError, ZeroDivisionError):  # the file is the model's, and may hold anything
        return ()
    if psnr is None or psnr > usual - FAR:
        return ()
    return (say("far_from_training", name=name, model=model.name, psnr=psnr, usual=usual),)
