"""Songs as prompts: a style, optional tempo, key and metre, and the lyrics.

Cached paths, batches, negative prompts and interpolation take a prompt as a single text. So a song is a single text,
too, which the families that sing split into its parts:

    warm pop ballad, female voice
    # language: en
    # bpm: 92
    # key: A minor
    # time signature: 4
    # lyrics
    [verse]
    Soft notes in the morning light
"""

import re
from dataclasses import dataclass

from regrow.messages.message import say

_FIELDS = ("language", "bpm", "key", "time signature")
_SONG = re.compile(
    rf"\A(?P<style>.*?)(?P<head>(?:(?:\A|\n)# (?:{'|'.join(_FIELDS)}): [^\n]*)*)(?:\A|\n)# lyrics\n(?P<lyrics>.*)\Z",
    re.DOTALL,
)
_SCRIPTS = (
    ("ja", re.compile("[\u3040-\u30ff]")),
    ("ko", re.compile("[\u1100-\u11ff\uac00-\ud7af]")),
    ("zh", re.compile("[\u4e00-\u9fff]")),
    ("ru", re.compile("[\u0400-\u04ff]")),
    ("ar", re.compile("[\u0600-\u06ff]")),
    ("th", re.compile("[\u0e00-\u0e7f]")),
    ("hi", re.compile("[\u0900-\u097f]")),
)
"""Languages by their script; kana come before Chinese characters, which Japanese uses as well."""


@dataclass(frozen=True)
class Song:
    """Lyrics, and how they are sung.

    Attributes:
        lyrics: lines, with section marks such as [verse] and [chorus] on lines of their own; empty for none.
        language: its code, such as en or zh; empty to detect it by the lyrics' script, with en as the default.
        bpm: beats per minute; 0 leaves it to the model.
        key: such as A minor; empty leaves it to the model.
        time_signature: beats per bar, such as 4 or 3; empty leaves it to the model.
    """

    lyrics: str = ""
    language: str = ""
    bpm: int = 0
    key: str = ""
    time_signature: str = ""

    @property
    def sung_in(self) -> str:
        """The language's code, detected by the script if not given."""
        if self.language:
            return self.language
        return next((code for code, script in _SCRIPTS if script.search(self.lyrics)), "en")


def song_prompt(style: str, song: Song) -> str:
    """Return style and song as one prompt; the style alone for an empty song."""
    if song == Song():
        return style
    said = (song.language, song.bpm or "", song.key, song.time_signature)
    head = [f"# {name}: {value}" for name, value in zip(_FIELDS, said, strict=True) if value]
    return "\n".join([*([style] if style else []), *head, "# lyrics", song.lyrics])


def split_song(prompt: str) -> tuple[str, Song]:
    """Split a prompt into its style and its song; an empty `Song()` if it has none.

    Raises:
        ValueError: its bpm is not a whole number.
    """
    match = _SONG.match(prompt)
    if match is None:
        return prompt, Song()
    found = dict(line[2:].split(": ", 1) for line in match["head"].split("\n") if line)
    bpm = found.get("bpm", "0")
    if not bpm.isdecimal():
        raise ValueError(say("bpm_no_whole_number", bpm=bpm))
    return match["style"], Song(
        match["lyrics"], found.get("language", ""), int(bpm), found.get("key", ""), found.get("time signature", "")
    )
