"""Songs of the songbook: lyrics and a tune for every seed, and variants with other words."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random

from regrow.worlds.songbook.alignment import FRAME, LEAD, UNIT
from regrow.worlds.songbook.phones import syllables
from regrow.worlds.songbook.score import HEART, LOW, Note, Score
from regrow.worlds.songbook.tunes import MAJOR, MINOR, Key, melody, rhythm

SECONDS = 5.0
"""Duration of a song, including the silence around it."""
OCTAVES = {HEART: 60.0, LOW: 48.0}
"""MIDI number of the C in the middle of a singer's range."""
RHYMES = 0.3
"""Fraction of songs whose lyrics are lines of a rhyme; the others have random common words."""

Word = tuple[str, str]
"""A word and its phones."""


@cache
def words() -> tuple[Word, ...]:
    """Return the 5,000 commonest English words, the commonest first, with their phones."""
    lines = (Path(__file__).parent / "words.txt").read_text(encoding="utf-8").splitlines()
    return tuple((word, phones) for word, phones in (line.split() for line in lines))


@cache
def rhymes() -> tuple[tuple[Word, ...], ...]:
    """Return lines of nursery rhymes and carols, all in the public domain."""
    lines = (Path(__file__).parent / "rhymes.txt").read_text(encoding="utf-8").splitlines()
    return tuple(tuple((word, phones) for word, phones in (e.split("/") for e in line.split())) for line in lines)


def song(seed: int, number: int = 0, seconds: float = SECONDS) -> Score:
    """Return the song of a seed and a number: one line that fits into `seconds`.

    Tempo, key, metre, singer, vibrato, levels, rests and held vowels are random, too.
    """
    random = Random(f"song {seed} {number}")
    singer = random.choice((HEART, HEART, LOW))
    scale = random.choice((MAJOR, MAJOR, MINOR))
    key = Key(OCTAVES[singer] + random.randint(-4, 9), scale)
    metre, tempo = random.choice((4, 4, 3)), random.randint(70, 150)
    if random.random() < RHYMES:
        lines = rhymes()
        at = random.randrange(len(lines))
        chosen = [word for line in (*lines[at:], *lines[:at])[:4] for word in line]
    else:
        chosen = [drawn(random) for _ in range(24)]
    score = Score(
        (), tempo, singer, vibrato=random.choice((0.0, 12.0, 20.0, 30.0)), glide=random.choice((0.04, 0.06, 0.09))
    )
    notes = fitted(set_to(chosen, key, metre, random), tempo, seconds)
    return score.with_notes(notes) if notes else song(seed, number + 1, seconds)  # its first words were too long


def drawn(random: Random) -> Word:
    """Return a random word; with probability 0.35 it is drawn from the commonest 600 only."""
    every = words()
    return random.choice(every[:600] if random.random() < 0.35 else every)


def set_to(chosen: Sequence[Word], key: Key, metre: int, random: Random) -> list[Note]:
    """Set words to a melody in the key, with rests, levels and held vowels.

    Args:
        chosen: words with their phones.
        key: key of the tune.
        metre: 3 or 4.
        random: source of random numbers.
    """
    parts = [(part, word if not i else "-") for word, phones in chosen for i, part in enumerate(syllables(phones))]
    beats = rhythm(["ˈ" in part for part, _ in parts], metre, random)
    pitches = melody(len(parts), key, random)
    level, notes = random.choice((0.0, 0.0, -3.0, -6.0)), []
    for (phones, word), length, pitch in zip(parts, beats, pitches, strict=True):
        if word != "-" and notes and random.random() < 0.06:
            notes.append(Note(None, random.choice((0.5, 1.0))))
        loud = max(-12.0, min(0.0, level + random.choice((-2.0, 0.0, 0.0, 2.0))))
        if length >= 2 and random.random() < 0.25:
            notes.append(Note(pitch, length / 2, phones, word, loud))
            notes.append(Note(pitch + random.choice((-2.0, 2.0)), length / 2, "~", level=loud))
        else:
            notes.append(Note(pitch, length, phones, word, loud))
    return notes


def fitted(notes: Sequence[Note], tempo: float, seconds: float) -> list[Note]:
    """Return the notes of whole words that fit into `seconds`, including the silence before and after."""
    left = (seconds - 2 * LEAD * UNIT * FRAME) * tempo / 60
    kept: list[Note] = []
    for note in notes:
        left -= note.beats
        if left < 0:
            broken = note.word == "-" or note.sung_on
            while broken and kept:
                broken = kept.pop().word in ("", "-")
            break
        kept.append(note)
    while kept and kept[-1].pitch is None:
        kept.pop()
    return kept


def other_words(score: Score, random: Random, count: int = 1) -> tuple[Score, tuple[int, ...]]:
    """Return a score with other words on the same notes, and the numbers of the words that changed.

    Whole words, chosen by `random`, are replaced by words with as many syllables.
    """
    starts = [i for i, note in enumerate(score.notes) if note.word not in ("", "-")]
    chosen = sorted(random.sample(range(len(starts)), min(count, len(starts))))
    notes = list(score.notes)
    for number in chosen:
        places = [starts[number]]
        for i in range(starts[number] + 1, len(notes)):
            if notes[i].word == "-":
                places.append(i)
            elif notes[i].word or notes[i].pitch is None:
                break
        while True:
            word, phones = drawn(random)
            parts = syllables(phones)
            if len(parts) == len(places) and word != notes[places[0]].word:
                break
        for i, (place, part) in enumerate(zip(places, parts, strict=True)):
            notes[place] = replace(notes[place], phones=part, word="-" if i else word)
    return score.with_notes(notes), tuple(chosen)
