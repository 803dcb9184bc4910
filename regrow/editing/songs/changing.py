"""What an edit changes in a song: its words, tune, singer and tempo, and the spans where it sounds different."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from regrow.messages.message import say
from regrow.prompts.songs.setting import in_range, with_tune, with_words
from regrow.prompts.songs.tune import read_tune
from regrow.requests.edit import Edit
from regrow.worlds.songbook.alignment import FRAME
from regrow.worlds.songbook.changes import changed_frames, runs_of
from regrow.worlds.songbook.score import Score, is_score, read_score


def changed_score(request: Edit, old: Score, target: str) -> tuple[Score, tuple[str, ...]]:
    """Return the score that an edit asks for, and sentences for the user.

    Args:
        request: with words, a tune, a singer or a tempo.
        old: of its file.
        target: one of the request's: a score, words, or the source where only the request's own fields change.

    Raises:
        ValueError: nothing changes, options contradict each other, or words and tune do not fit together.
        MediaError: the tune's file cannot be read.
    """
    if is_score(target):
        return read_score(target), ()
    if request.to_lyrics and target and target != request.source:
        raise ValueError(say("words_and_target"))
    if request.key and not request.tune:
        raise ValueError(say("key_without_tune"))
    notes: tuple[str, ...] = ()
    if request.lyrics and request.lyrics.casefold().split() != " ".join(old.words).casefold().split():
        notes = (say("file_has_own_lyrics", words=" ".join(old.words)[:80]),)
    new = replace(old, singer=request.singer or old.singer)  # first, as a tune is moved into the singer's range
    if words := request.to_lyrics or (target if target != request.source else ""):
        new, said = with_words(new, words)
        notes += said
        if not request.to_lyrics:  # which might have been meant for an instruction
            notes = (say("taken_for_its_words", words=words[:80]), *notes)
    if request.tune:
        tune = read_tune(request.tune)
        new, more = with_tune(new, tune, key=request.key)
        notes += (*tune.remarks, *more)
    elif request.singer:
        new, more = in_range(new)
        notes += more
    new = replace(new, tempo=float(request.bpm)) if request.bpm else new
    if new == old:
        raise ValueError(say("sings_that_already", name=request.image.name))
    return new, notes


def spans_of_changes(old: Score, targets: Sequence[Score]) -> str | None:
    """Return the spans in which scores sound different, as requests have them; None where that is everywhere.

    Raises:
        ValueError: they sound different nowhere, as other words of the same sounds do.
    """
    masks = [mask for new in targets if (mask := changed_frames(old, new)) is not None]
    if len(masks) < len(targets):
        return None
    runs = runs_of(np.logical_or.reduce(masks))
    if not len(runs):
        raise ValueError(say("sounds_the_same"))
    return ",".join(f"{first * FRAME:g}:{last * FRAME:g}" for first, last in runs)


def check_span(request: Edit, changed: str | None) -> None:
    """Refuse a span that leaves out some of what changes: the file would say that it sings what it does not.

    Raises:
        ValueError: naming the seconds that change.
    """
    if not request.spans:
        return
    if changed is None:
        raise ValueError(say("changes_everywhere", span=request.span))
    inside = (
        any(begin - FRAME <= since and until <= end + FRAME for begin, end in request.spans)
        for since, until in replace(request, span=changed).spans
    )
    if not all(inside):
        raise ValueError(say("changes_outside_span", changed=changed, span=request.span))
