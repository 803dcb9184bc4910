"""Options of songs, which several requests have; they import nothing heavy."""

import re
from dataclasses import dataclass

LANGUAGE = re.compile(r"[a-z]{2,3}|unknown")
KEY = re.compile(r"([A-Ga-g])\s*([#b♯♭]?)\s*(major|minor)", re.IGNORECASE)
TIME_SIGNATURE = re.compile(r"(\d{1,2})(?:/\d{1,2})?")


@dataclass(frozen=True, kw_only=True)
class SongOptions:
    """What is sung, and how.

    Attributes:
        lyrics: what is sung, line by line, with [verse] and [chorus] on lines of their own where the parts begin; on
            the command line the text itself, or a text file. Of an edit what the file sings now.
        language: of the lyrics, a code such as en or zh; if not given, that of their script, or en.
        bpm: beats a minute; 0 leaves it to the model.
        key: such as "A minor"; if not given, the model's choice.
        time_signature: such as 4/4 or 3/4; if not given, the model's choice.
    """

    lyrics: str = ""
    language: str = ""
    bpm: int = 0
    key: str = ""
    time_signature: str = ""

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
            raise ValueError(f'language must be a code such as en, zh or ja; got "{self.language[:40]}".')
        if self.bpm and self.bpm < 20:
            raise ValueError(f"bpm must be 0, which leaves it to the model, or from 20 to 400; got {self.bpm}.")
        if self.key and not KEY.fullmatch(self.key.strip()):
            raise ValueError(f'key must be a note with major or minor, such as "A minor"; got "{self.key[:40]}".')
        if self.time_signature and not TIME_SIGNATURE.fullmatch(self.time_signature.strip()):
            raise ValueError(f'time_signature must be such as 4/4 or 3/4; got "{self.time_signature[:40]}".')
