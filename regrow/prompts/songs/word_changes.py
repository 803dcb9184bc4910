"""Find the changed words of a song, and their notes."""

from collections.abc import Sequence
from difflib import SequenceMatcher

from regrow.worlds.songbook.score import Note


def word_spans(notes: Sequence[Note]) -> list[tuple[int, int]]:
    """Return for each word the index of its first note, and one past that of its last."""
    spans: list[tuple[int, int]] = []
    for i, note in enumerate(notes):
        if note.word not in ("", "-"):
            spans.append((i, i + 1))
        elif note.pitch is not None and spans:
            spans[-1] = (spans[-1][0], i + 1)
    return spans


def changed_words(before: Sequence[str], after: Sequence[str]) -> list[tuple[int, int, int, int]]:
    """Return where words differ: begin and end among the old ones, then among the new ones; case is ignored.

    Equally many words are compared one by one. Otherwise, equal words at both ends are matched first: in repeated words
    such as "la la la", the longest common run may be anywhere.

    Args:
        before: the old words.
        after: the new words.
    """
    old, new = [_compared(word) for word in before], [_compared(word) for word in after]
    if len(old) == len(new):
        differs = [a != b for a, b in zip(old, new, strict=True)]
        begins = [i for i, other in enumerate(differs) if other and not (i and differs[i - 1])]
        ends = [i + 1 for i, other in enumerate(differs) if other and not (i + 1 < len(old) and differs[i + 1])]
        return [(a, b, a, b) for a, b in zip(begins, ends, strict=True)]
    least = min(len(old), len(new))
    head = next((i for i in range(least) if old[i] != new[i]), least)
    tail = next((i for i in range(least - head) if old[-1 - i] != new[-1 - i]), least - head)
    matcher = SequenceMatcher(None, old[head : len(old) - tail], new[head : len(new) - tail], autojunk=False)
    return [
        (i + head, i_end + head, j + head, j_end + head)
        for change, i, i_end, j, j_end in matcher.get_opcodes()
        if change != "equal"
    ]


def _compared(word: str) -> str:
    """Return a word normalised for comparison: without case, and without punctuation at its ends."""
    return word.casefold().replace("’", "'").strip("'.,;:!?\"-")
