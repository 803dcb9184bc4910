"""Make a tune for words without one: a phrase of melody for each line."""

from collections.abc import Sequence
from random import Random

from regrow.prompts.songs.harmony import MAJOR as MAJOR_MODE
from regrow.prompts.songs.harmony import read_key
from regrow.prompts.songs.placing import Sung
from regrow.prompts.songs.tune_note import Tune, TuneNote
from regrow.worlds.songbook.score import HEART
from regrow.worlds.songbook.songs import OCTAVES
from regrow.worlds.songbook.tunes import MAJOR, MINOR, Key, melody, rhythm

METRE = 4
LONGEST_PHRASE = 14
"""Most syllables between two rests."""
_LOWEST_TONIC = -4
"""The lowest tonic, in semitones from the C of the singer's octave."""


def tune_by_rule(syllables: Sequence[Sung], key: str = "", singer: str = HEART, seed: int = 0) -> Tune:
    """Return a tune of one note for each syllable; lines end on a long note and a rest, and bars have four beats.

    Args:
        syllables: of the words, at least one.
        key: such as "A minor"; drawn if not given.
        singer: determines the range.
        seed: of the tune.

    Raises:
        ValueError: the key is invalid.
    """
    random = Random(f"tune {seed}")
    tonic, scale = random.randrange(12), MAJOR
    if key:
        tonic, mode = read_key(key)
        scale = MAJOR if mode == MAJOR_MODE else MINOR
    middle = OCTAVES.get(singer, OCTAVES[HEART])
    own = Key(middle + _LOWEST_TONIC + (tonic - _LOWEST_TONIC) % 12, scale)
    notes: list[TuneNote] = []
    phrases = _phrases(syllables)
    for number, phrase in enumerate(phrases, 1):
        beats = rhythm(["ˈ" in syllable.phones for syllable in phrase], METRE, random)
        pitches = melody(len(phrase), own, random)
        rest = -sum(beats) % METRE
        if rest > 2:  # hold the last note instead of such a long rest
            beats[-1], rest = beats[-1] + rest - 1, 1.0
        elif rest < 0.5:
            beats[-1], rest = beats[-1] - 0.5, rest + 0.5
        if number == len(phrases):  # end on the nearer tonic
            pitches[-1] = min((own.tonic, own.tonic + 12), key=lambda pitch: abs(pitch - pitches[-1]))
        notes += [TuneNote(pitch, span) for pitch, span in zip(pitches, beats, strict=True)]
        if number < len(phrases):
            notes.append(TuneNote(None, rest))
    return Tune(tuple(notes))


def _phrases(syllables: Sequence[Sung]) -> list[list[Sung]]:
    """Return syllables by line; long lines are cut after words into pieces of about equal length."""
    phrases: list[list[Sung]] = []
    left = list(syllables)
    while left:
        end = next((i for i, syllable in enumerate(left, 1) if syllable.ends_line), len(left))
        line, left = left[:end], left[end:]
        length = len(line) / -(-len(line) // LONGEST_PHRASE)
        phrases.append([])
        for syllable in line:
            if len(phrases[-1]) >= length and syllable.word != "-":
                phrases.append([])
            phrases[-1].append(syllable)
    return phrases
