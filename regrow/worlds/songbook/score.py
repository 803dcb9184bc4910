"""Scores: lyrics on notes, written as a text that is used as a prompt.

    # singer: heart
    # tempo: 100
    C4 1 twˈɪŋ twinkle
    C4 1 kᵊl -
    G4 1 lˈɪ little
    G4 1 Tᵊl -
    R 0.5
    A4 1 stˈɑɹ star
    B4 1 ~

A line is a note: its pitch, its beats, the phones of its syllable and the word that they belong to ("-" for a further
syllable of the same word; "~" holds the previous vowel). R is a rest. A level in dB may follow, such as @-6.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from regrow.messages.message import say
from regrow.worlds.songbook.phones import VOWELS, split_phones

HEART, LOW = "heart", "low"
SINGERS = (HEART, LOW)
"""Singers of the songbook: the teacher's voice, and the same with lower formants, an octave lower."""
LOWEST, HIGHEST = 36.0, 84.0
"""MIDI numbers of the lowest and the highest note of a score."""
SLOWEST, FASTEST = 30.0, 300.0
MOST_NOTES = 2000
_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_PITCH = re.compile(r"([A-Ga-g])([#b♯♭]{0,2})(-?\d)(?:([+-]\d{1,2})c)?")
_HEADER = re.compile(r"# (singer|tempo|vibrato|glide): (.+)")


@dataclass(frozen=True)
class Note:
    """A note, or a rest.

    Attributes:
        pitch: MIDI number, 60 is C4, fractions allowed; None for a rest.
        beats: its length in beats.
        phones: phones of the syllable, with stress marks; "~" to hold the previous vowel; "" for a rest.
        word: the word, if this is its first syllable; "-" for a further one, "" for a rest and a held vowel.
        level: level in dB.
    """

    pitch: float | None
    beats: float
    phones: str = ""
    word: str = ""
    level: float = 0.0

    @property
    def sung_on(self) -> bool:
        """Whether it holds the previous vowel."""
        return self.phones == "~"

    @property
    def text(self) -> str:
        """Its line in a score."""
        name = "R" if self.pitch is None else pitch_name(self.pitch)
        level = f"@{self.level:g}" if self.level else ""
        return " ".join(part for part in (name, f"{self.beats:g}", self.phones, self.word, level) if part)


@dataclass(frozen=True)
class Score:
    """Lyrics on notes, and how they are sung.

    Attributes:
        notes: the notes in order.
        tempo: beats per minute.
        singer: one of a model's singers.
        vibrato: cents to each side, on notes of 0.55 s or more.
        glide: seconds of the pitch's glide from one note to the next.
    """

    notes: tuple[Note, ...]
    tempo: float = 100.0
    singer: str = HEART
    vibrato: float = 20.0
    glide: float = 0.06

    @property
    def text(self) -> str:
        """The score as a prompt; `read_score` reads it."""
        head = [f"# singer: {self.singer}", f"# tempo: {self.tempo:g}"]
        usual = Score(())
        head += [
            f"# {name}: {getattr(self, name):g}"
            for name in ("vibrato", "glide")
            if getattr(self, name) != getattr(usual, name)
        ]
        return "\n".join([*head, *(note.text for note in self.notes)])

    @property
    def words(self) -> tuple[str, ...]:
        """The words in order."""
        return tuple(note.word for note in self.notes if note.word not in ("", "-"))

    def with_notes(self, notes: Sequence[Note]) -> "Score":
        """Return the same score with other notes."""
        return replace(self, notes=tuple(notes))


def is_score(text: str) -> bool:
    """Return whether a prompt is the text of a score."""
    return text.startswith("# singer: ")


@lru_cache(maxsize=4096)
def read_score(text: str) -> Score:
    """Read the text of a score.

    Raises:
        ValueError: a line cannot be read (the message names it), or a value is out of range.
    """
    head: dict[str, str] = {}
    notes: list[Note] = []
    for number, line in enumerate(text.strip().splitlines(), 1):
        if match := _HEADER.fullmatch(line.strip()):
            head[match[1]] = match[2].strip()
        elif line.strip():
            try:
                notes.append(_note(line.split(), notes))
            except ValueError as problem:
                raise ValueError(
                    say("score_line_wrong", number=number, line=line.strip()[:60], problem=problem)
                ) from None
    if len(notes) > MOST_NOTES:
        raise ValueError(say("score_too_long", most=MOST_NOTES, count=len(notes)))
    numbers = {name: _number(head[name], name) for name in ("tempo", "vibrato", "glide") if name in head}
    score = Score(tuple(notes), singer=head.get("singer", HEART), **numbers)
    if not SLOWEST <= score.tempo <= FASTEST:
        raise ValueError(say("tempo_out_of_range", slowest=SLOWEST, fastest=FASTEST, tempo=score.tempo))
    if not (0 <= score.vibrato <= 100 and 0 <= score.glide <= 0.3):
        raise ValueError(say("vibrato_out_of_range"))
    return score


def _note(parts: Sequence[str], before: Sequence[Note]) -> Note:
    level = 0.0
    if parts[-1].startswith("@"):
        level, parts = _number(parts[-1][1:], "a level"), parts[:-1]
        if not -40 <= level <= 6:
            raise ValueError(say("note_level_out_of_range", level=level))
    if len(parts) < 2:
        raise ValueError(say("note_incomplete"))
    beats = _number(parts[1], "beats")
    if not 0.01 <= beats <= 64:
        raise ValueError(say("beats_out_of_range", given=parts[1]))
    if parts[0] == "R":
        return Note(None, beats)
    pitch = pitch_number(parts[0])
    if len(parts) == 3 and parts[2] == "~":
        if not before or before[-1].pitch is None:
            raise ValueError(say("no_vowel_to_hold"))
        return Note(pitch, beats, "~", level=level)
    if len(parts) != 4:
        raise ValueError(say("note_lacks_parts"))
    phones = split_phones(parts[2])
    if sum(phone in VOWELS for phone in phones) != 1:
        raise ValueError(say("syllable_needs_one_vowel", phones=parts[2], vowels=" ".join(VOWELS)))
    return Note(pitch, beats, parts[2], parts[3], level)


def _number(text: str, name: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if number != number or abs(number) == float("inf"):
        raise ValueError(say("score_number_wrong", name=name, text=text[:20]))
    return number


def pitch_number(name: str) -> float:
    """Return the MIDI number of a pitch such as C4, F#4, Bb3 or A4+20c (20 cents higher).

    Raises:
        ValueError: it is not a pitch, or is out of range.
    """
    match = _PITCH.fullmatch(name)
    if match is None:
        raise ValueError(say("no_pitch", name=name[:20]))
    bent = sum(1 if sign in "#♯" else -1 for sign in match[2])
    number = 12 * (int(match[3]) + 1) + _STEPS[match[1].upper()] + bent + int(match[4] or 0) / 100
    if not LOWEST <= number <= HIGHEST:
        raise ValueError(say("pitch_out_of_range", name=name, lowest=pitch_name(LOWEST), highest=pitch_name(HIGHEST)))
    return number


def pitch_name(number: float) -> str:
    """Return the name of a MIDI number, with sharps, and cents for fractions."""
    whole = round(number)
    cents = round(100 * (number - whole))
    return f"{_NAMES[whole % 12]}{whole // 12 - 1}" + (f"{cents:+d}c" if cents else "")
