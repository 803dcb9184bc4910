"""Options of songs, which several requests have; they import nothing heavy."""

import re
from dataclasses import dataclass

from regrow.messages.message import say

LANGUAGE = re.compile(r"[a-z]{2,3}|unknown")
KEY = re.compile(r"([A-Ga-g])\s*([#b♯♭]?)\s*(major|minor)", re.IGNORECASE)
TIME_SIGNATURE = re.compile(r"(\d{1,2})(?:/\d{1,2})?")


@dataclass(frozen=True, kw_only=True)
class SongOptions:
    """The settings of a song.

    Attributes:
        lyrics: lyrics, or a text file of them; of an edit, the current ones. A line of its own, [verse] or [chorus],
            begins a part.
        language: language of the lyrics, such as en or zh. If not given, it follows from their script, else en.
        bpm: tempo in beats per minute; 0 = the model's choice.
        key: key, such as "A minor"; if not given, the model's choice.
        time_signature: time signature, such as 3/4; if not given, the model's choice.
        tune: notes ("C4 C4 G4:2 R"), or a MIDI, ABC, MusicXML or sound file. :2 is two beats and R a rest; the melody
            of a sound file is followed. It is for models that sing notes (the embedded songbook). If not given, a tune
            is made by rule from the words and the seed.
        singer: voice of the songbook: heart or low. If not given, heart, or the voice of the file.
    """

    lyrics: str = ""
    language: str = ""
    bpm: int = 0
    key: str = ""
    time_signature: str = ""
    tune: str = ""
    singer: str = ""

    @property
    def is_song(self) -> bool:
        """Whether anything is said of a song."""
        return bool(self.lyrics or self.language or self.bpm or self.key or self.time_signature)

    def check_song(self) -> None:
        """Refuse what no song has.

        Raises:
            ValueError: naming the option and what it may be.
        """
        if self.language and not LANGUAGE.fullmatch(self.language):
            raise ValueError(say("language_malformed", language=self.language[:40]))
        if self.bpm and self.bpm < 20:
            raise ValueError(say("bpm_out_of_range", bpm=self.bpm))
        if self.key and not KEY.fullmatch(self.key.strip()):
            raise ValueError(say("key_malformed", key=self.key[:40]))
        if self.time_signature and not TIME_SIGNATURE.fullmatch(self.time_signature.strip()):
            raise ValueError(say("time_signature_malformed", time_signature=self.time_signature[:40]))
