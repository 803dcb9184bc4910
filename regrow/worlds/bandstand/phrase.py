"""Phrases of the bandstand: all values that define one, with checks, sampling and counterfactuals."""

import dataclasses
from dataclasses import dataclass
from random import Random
from typing import Any

from regrow.messages.message import say

MELODIC = (
    "piano",
    "guitar",
    "electric guitar",
    "violin",
    "flute",
    "clarinet",
    "trumpet",
    "saxophone",
    "organ",
    "choir",
    "marimba",
    "sitar",
)
"""The instruments that play notes of a scale."""
KITS = ("drum kit", "drum machine")
"""The instruments that play beats."""
INSTRUMENTS = MELODIC + KITS
PATTERNS = ("melody", "arpeggio", "chords", "bass line", "beat")
SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "pentatonic": (0, 2, 4, 4, 7, 9, 9),
    "none": (),
}
"""Semitones of the seven steps above the tonic. The pentatonic scale repeats notes to have seven, too, so that every
tune exists in every scale. Only a beat has no scale."""
TEMPOS = {"slow": 80, "medium": 120, "fast": 160}
"""Beats a minute: two, three and four bars of four beats in six seconds."""
REGISTERS = {"low": 48, "middle": 60, "high": 72, "none": 0}
"""The lowest tonic of each register, as a MIDI key (60 is middle C); only a beat has no register."""
KEYS = 6
"""Number of keys in a register: its tonics are this many successive semitones, so that registers do not overlap."""

INSTRUMENTS_OF = {pattern: KITS if pattern == "beat" else MELODIC for pattern in PATTERNS}
"""The instruments that can play each pattern."""
SCALES_OF = {pattern: ("none",) if pattern == "beat" else ("major", "minor", "pentatonic") for pattern in PATTERNS}
"""The scales that fit each pattern."""
REGISTERS_OF = {
    "melody": ("middle", "low", "high"),
    "arpeggio": ("middle", "low", "high"),
    "chords": ("middle", "low", "high"),
    "bass line": ("low",),
    "beat": ("none",),
}
"""The registers that fit each pattern: a bass line is low by definition."""
QUIETEST, LOUDEST = -60.0, -20.0
"""Lowest and highest level of a phrase: RMS of the whole clip, in dB relative to an RMS of 1."""


@dataclass(frozen=True)
class Phrase:
    """All values that define a bandstand phrase.

    Attributes:
        instrument: one of INSTRUMENTS_OF[pattern].
        pattern: one of PATTERNS.
        scale: one of SCALES_OF[pattern].
        tempo: one of TEMPOS.
        register: one of REGISTERS_OF[pattern].
        key: semitones of the tonic above C, 0 to 5; it does not change a beat.
        tune: seed of the notes, 0 or more; another scale, register, key or tempo keeps the tune.
        level: RMS of the whole clip in dB relative to an RMS of 1, from -60 to -20.

    Raises:
        ValueError: a field has a value that is not allowed.
    """

    instrument: str = "piano"
    pattern: str = "melody"
    scale: str = "major"
    tempo: str = "medium"
    register: str = "middle"
    key: int = 0
    tune: int = 0
    level: float = -25.0

    def __post_init__(self) -> None:
        where = f" in pattern {self.pattern!r}"
        _check("pattern", self.pattern, PATTERNS)
        _check("instrument", self.instrument, INSTRUMENTS_OF[self.pattern], where)
        _check("scale", self.scale, SCALES_OF[self.pattern], where)
        _check("tempo", self.tempo, tuple(TEMPOS))
        _check("register", self.register, REGISTERS_OF[self.pattern], where)
        if isinstance(self.key, bool) or not isinstance(self.key, int) or not 0 <= self.key < KEYS:
            raise ValueError(say("key_out_of_range", key=self.key, last=KEYS - 1))
        if isinstance(self.tune, bool) or not isinstance(self.tune, int) or self.tune < 0:
            raise ValueError(say("tune_not_whole", tune=self.tune))
        level = self.level
        if isinstance(level, bool) or not isinstance(level, (int, float)) or not QUIETEST <= level <= LOUDEST:
            raise ValueError(say("level_out_of_loudness", level=level, quietest=QUIETEST, loudest=LOUDEST))

    @classmethod
    def random(cls, seed: int) -> "Phrase":
        """Return the phrase number `seed` of an endless sequence, the same on every machine and in every process.

        The instrument is uniform; kits play beats. The others play 35 % melodies, 25 % arpeggios, 25 % chords and 15 %
        bass lines. All else is uniform and independent: the register among those that fit the pattern, the level from
        -28 to -22.
        """
        random = Random(f"bandstand {seed}")
        instrument = random.choice(INSTRUMENTS)
        pattern = random.choices(PATTERNS[:-1], (35, 25, 25, 15))[0]
        if instrument in KITS:
            pattern = "beat"
        return cls(
            instrument=instrument,
            pattern=pattern,
            scale=random.choice(SCALES_OF[pattern]),
            tempo=random.choice(tuple(TEMPOS)),
            register=random.choice(REGISTERS_OF[pattern]),
            key=random.randrange(KEYS),
            tune=random.randrange(1_000_000),
            level=round(random.uniform(-28.0, -22.0), 2),
        )

    def replace(self, **changes: Any) -> "Phrase":
        """Return the counterfactual: the same phrase with some fields changed.

        Another instrument keeps notes, times and level. A kit cannot play notes of a scale, nor other instruments a
        beat: that is an error. If `pattern` changes, an instrument, scale or register that does not fit it and is not
        in `changes` becomes the first one that fits.

        Raises:
            ValueError: a field does not exist, or a value is not allowed.
        """
        names = tuple(field.name for field in dataclasses.fields(self))
        for name in changes:
            _check("field", name, names)
        pattern = changes.get("pattern", self.pattern)
        if pattern in PATTERNS:
            fitting = (("instrument", INSTRUMENTS_OF), ("scale", SCALES_OF), ("register", REGISTERS_OF))
            for name, allowed in fitting:
                if pattern != self.pattern and name not in changes and getattr(self, name) not in allowed[pattern]:
                    changes[name] = allowed[pattern][0]
        return dataclasses.replace(self, **changes)


def _check(name: str, value: object, allowed: tuple[str, ...], where: str = "") -> None:
    if value not in allowed:
        raise ValueError(
            say("value_not_allowed", name=name, value=value, allowed=", ".join(map(repr, allowed)), where=where)
        )
