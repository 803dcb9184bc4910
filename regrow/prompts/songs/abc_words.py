"""Words of ABC (the ABC music standard 2.1, section 5), which music21 does not read."""

import re
from collections.abc import Sequence
from dataclasses import replace

from regrow.prompts.songs.tune_note import Tune

_FIELD = re.compile(r"[A-Za-z+]:")
_NO_NOTES = re.compile(r'%.*|"[^"]*"|![^!]*!|\{[^}]*\}|\[[A-Za-z]:[^\]]*\]')
_NOTES = re.compile(r"\[[^\]|]*[A-Ga-g][^\]]*\]|[A-Ga-g]")
_SYLLABLES = re.compile(r"[^\s\-_*|]+|[-_*|]")


def with_words_of_abc(tune: Tune, lines: Sequence[str]) -> Tune:
    """Return a tune with the lyrics of its ABC text.

    They are the first `w:` line below each line of notes, or all `W:` lines if there is no `w:` line. `w:` lines also
    mark notes that continue a syllable; these marks are used only if lines and tune have equally many notes.

    Args:
        tune: of the same text.
        lines: the text of one tune in ABC.
    """
    words, places, counts, open_line = [], [], [], False
    for line in lines:
        if line.startswith("w:") and open_line:
            text, starts = _syllables(line[2:])
            words.append(text)
            places.append(starts[: counts[-1]] + [True] * (counts[-1] - len(starts)))
            open_line = False
        elif not _FIELD.match(line) and not line.startswith("%"):
            count = len(_NOTES.findall(_NO_NOTES.sub("", line)))
            if open_line:
                places.append([True] * counts[-1])
            if count:
                counts.append(count)
            open_line = count > 0
    if open_line:
        places.append([True] * counts[-1])
    if not words:
        words = [line[2:].strip() for line in lines if line.startswith("W:")]
        return replace(tune, lyrics="\n".join(word for word in words if word))
    starts = [start for line in places for start in line]
    notes = tune.notes
    if len(starts) == len(tune.sung):
        order = iter(starts)
        begun = [note.pitch is None or next(order) for note in notes]
        notes = tuple(
            replace(note, sung_on=not begins and i > 0 and notes[i - 1].pitch is not None)
            for i, (note, begins) in enumerate(zip(notes, begun, strict=True))
        )
    return replace(tune, notes=notes, lyrics="\n".join(text for text in words if text))


def _syllables(line: str) -> tuple[str, list[bool]]:
    """Return the text of a `w:` line, and for each of its notes whether a syllable begins there."""
    text, starts, joined = "", [], False
    for sign in _SYLLABLES.findall(line.replace("\\-", "‑")):
        if sign == "|":
            continue
        if sign in "_*":
            starts.append(False)
        elif sign == "-":
            if joined:  # the second of two hyphens holds the syllable for another note
                starts.append(False)
            joined = True
            continue
        else:
            text += ("" if joined or not text else " ") + sign.replace("~", " ").replace("‑", "-")
            starts.append(True)
            joined = False
    return text, starts
