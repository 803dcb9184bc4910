"""Songs as prompts: the style in words, the lyrics below it, and what is said of tempo, key and metre.

A prompt is one text all the way through an edit: cached paths, batches, negatives and interpolation know nothing else.
So a song is one text, too, which the families that sing take apart:

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
"""Languages that their script names, kana before the Chinese characters that Japanese has as well."""


@dataclass(frozen=True)
class Song:
    """What is sung, and how.

    Attributes:
        lyrics: lines, with parts such as [verse] and [chorus] on lines of their own; empty for none.
        language: its code, such as en or zh; empty for that of the lyrics' script, en where that says nothing.
        bpm: beats a minute; 0 leaves it to the model.
        key: such as A minor; empty leaves it to the model.
        time_signature: beats a bar, such as 4 or 3; empty leaves it to the model.
    """

    lyrics: str = ""
    language: str = ""
    bpm: int = 0
    key: str = ""
    time_signature: str = ""

    @property
    def sung_in(self) -> str:
        """The language's code, found by the script where it is not given."""
        if self.language:
            return self.language
        return next((code for code, script in _SCRIPTS if script.search(self.lyrics)), "en")


def song_prompt(style: str, song: Song) -> str:
    """Return style and song as one prompt; the style itself where the song says nothing."""
    if song == Song():
        return style
    said = (song.language, song.bpm or "", song.key, song.time_signature)
    head = [f"# {name}: {value}" for name, value in zip(_FIELDS, said, strict=True) if value]
    return "\n".join([*([style] if style else []), *head, "# lyrics", song.lyrics])


def split_song(prompt: str) -> tuple[str, Song]:
    """Return a prompt's style and its song; a `Song()` where it has none.

    Raises:
        ValueError: its bpm is no whole number.
    """
    match = _SONG.match(prompt)
    if match is None:
        return prompt, Song()
    found = dict(line[2:].split(": ", 1) for line in match["head"].split("\n") if line)
    bpm = found.get("bpm", "0")
    if not bpm.isdecimal():
        raise ValueError(f'bpm must be a whole number of beats a minute; got "{bpm}".')
    return match["style"], Song(
        match["lyrics"], found.get("language", ""), int(bpm), found.get("key", ""), found.get("time signature", "")
    )
