"""Two kinds of training data as one, so that what is learned does not push out what was known."""

from collections.abc import Sequence

import numpy as np

from regrow.media.audio.piano_roll import Sounding
from regrow.training.training_data import Data


def mixed(own: Data, known: Data, sentence: str) -> Data:
    """The items of both, drawn evenly in training; what either holds out stays held out.

    Known as rehearsal (Robins 1995, Connection Science 7.2, "Catastrophic forgetting, rehearsal and pseudorehearsal").

    Args:
        own: what is to be learned.
        known: of the same kind and extent.
        sentence: a sentence on it for the user.
    """
    parts = ((own, slice(None, own.trained_on)), (known, slice(None, known.trained_on)))
    parts += ((own, slice(own.trained_on, None)), (known, slice(known.trained_on, None)))
    places = [(data, int(i)) for data, part in parts for i in np.arange(len(data.items))[part]]

    def words_of(i: int, seed: int) -> str:
        data, place = places[i]
        return data.caption(place, seed)

    def notes_of(i: int) -> Sequence[Sounding] | None:
        data, place = places[i]
        return data.notes_of(place) if data.notes_of else None

    return Data(
        np.concatenate([data.items[part] for data, part in parts]),
        None,
        words_of,
        own.held_out + known.held_out,
        f"{own.content} and {known.content}",
        tuple(sorted({*own.words, *known.words})),
        tuple(sorted({*own.characters, *known.characters})),
        (*own.notes, sentence, *known.notes),
        notes_of if own.notes_of or known.notes_of else None,
        (*own.texts, *known.texts),
    )
