"""The request of `regrow sing`, as a frozen dataclass that imports nothing heavy."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from regrow.core.names import SolverName
from regrow.messages.message import say
from regrow.requests.generate import Generate
from regrow.requests.ranges import check_ranges


@dataclass(frozen=True)
class Sing:
    """Sing lyrics on given notes, or in a style with a large model.

    Attributes:
        lyrics: the lyrics, or a text file of them. A line of its own, [verse] or [chorus], begins a part. The songbook
            sings word/phones as written, as in tomato/təmˈAtO.
        style: for a large model: the style, such as "warm pop ballad, female voice".
        model: a name, a folder or a hub id; if not given, the songbook. Where a style is given, it is the first model
            here that takes one.
        tune: notes ("C4 C4 G4:2 R"), or a MIDI, ABC, MusicXML or sound file. :2 is two beats and R a rest; the melody
            of a sound file is followed. If not given, a tune is made by rule from the words and the seed.
        singer: voice of the songbook: heart or low.
        accompany: instrument of the chords, such as "soft piano". Any words of the bandstand.
        language: language of the lyrics, such as en or zh. If not given, it follows from their script, else en.
        bpm: beats per minute; 0 = the tune's, or the model's choice.
        key: key, such as "A minor"; if not given, the tune's or the model's choice. A tune is transposed to it.
        time_signature: time signature, such as 3/4; if not given, the model's choice.
        duration: length in seconds; if not given, the model's own.
        reference_sound: a sound file whose timbre and style the song takes.
        melody: a sound file to make a cover of, for as long as it lasts.
        negative: what the song should not contain, for models with guidance.
        steps: number of steps; if not given, the model's own.
        guidance: how strongly to follow the words, 1 = off; if not given, the model's.
        guidance_share: fraction of the steps with guidance, the first ones.
        solver: solver of the steps. If not given, the model's own.
        seed: seed of the first result; result i has seed + i. A tune made by rule has the seed of the first, for all;
            `regrow replay` makes each again.
        count: number of results.
    """

    lyrics: Positional[str]
    style: str = ""
    model: str = ""
    tune: str = ""
    singer: str = ""
    accompany: str = ""
    language: str = ""
    bpm: Annotated[int, arg(aliases=("--tempo",), metavar="N")] = 0
    key: str = ""
    time_signature: str = ""
    duration: float | None = None
    reference_sound: Path | None = None
    melody: Path | None = None
    negative: str = ""
    steps: int | None = None
    guidance: float | None = None
    guidance_share: float = 1.0
    solver: SolverName | None = None
    seed: int = 0
    count: int = 1

    def __post_init__(self) -> None:
        check_ranges(self)
        if not self.lyrics.strip():
            raise ValueError(say("lyrics_missing"))

    @property
    def has_notes(self) -> bool:
        """Whether it says something that only a model that sings notes takes."""
        return bool(self.tune or self.singer or self.accompany)

    @property
    def has_style(self) -> bool:
        """Whether it says something that only a large model takes."""
        said = (self.style, self.negative, self.language, self.time_signature, self.duration, self.reference_sound)
        return any(said) or self.melody is not None

    def as_generate(self, model: str) -> Generate:
        """Return what a model that sings is asked for.

        Raises:
            ValueError: a setting is out of range.
        """
        given = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "style"}
        return Generate(**{**given, "prompt": self.style, "model": model})
