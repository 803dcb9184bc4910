"""Songs of requests, as the prompts that a model which sings takes apart."""

import re
from dataclasses import replace

from regrow.messages.message import say
from regrow.models.model import Model
from regrow.models.song import Song, song_prompt
from regrow.prompts.expand_edit import Expanded
from regrow.requests.edit import Edit
from regrow.requests.song_options import KEY, TIME_SIGNATURE, SongOptions

_TAG = re.compile(r"[ \t]*(\[[^\[\]\n]{1,60}\])[ \t]*")

LYRICS_UNKNOWN = say("old_lyrics_missing")


def song_of(options: SongOptions, model: Model) -> Song:
    """Return what a request says of a song, in the model's spelling.

    Raises:
        ValueError: the model does not sing, and something is said.
    """
    if not options.is_song or model.reads_scores:  # whose prompt is the song
        return Song()
    if not model.sings:
        raise ValueError(say("model_takes_no_lyrics", name=model.name))
    key, time = KEY.fullmatch(options.key.strip()), TIME_SIGNATURE.fullmatch(options.time_signature.strip())
    return Song(
        laid_out(options.lyrics),
        options.language,
        options.bpm,
        f"{key[1].upper()}{key[2].replace('♯', '#').replace('♭', 'b').lower()} {key[3].lower()}" if key else "",
        time[1] if time else "",
    )


def laid_out(lyrics: str) -> str:
    """Return lyrics with every tag such as [verse] on a line of its own, as models were trained on them."""
    lines = []
    for line in lyrics.strip().splitlines():
        parts = [part.strip() for part in _TAG.split(line)]
        lines += [part for part in parts if part] if len(parts) > 1 else [line.rstrip()]
    return "\n".join(lines)


def as_songs(expanded: Expanded, written: Edit, model: Model) -> Expanded:
    """Return the prompts of an edit with the lyrics that belong to them: the source's, and those of the targets.

    Args:
        expanded: its prompts as the model gets them.
        written: the request as the user wrote it.
        model: the checkpoint.

    Raises:
        ValueError: the model does not sing, and lyrics are given.
    """
    request = expanded.request
    before = song_of(request, model)
    after = song_of(replace(request, lyrics=request.to_lyrics or request.lyrics), model)
    if before == after == Song():
        return expanded
    targets = tuple(song_prompt(target, after) for target in request.target)
    notes = (LYRICS_UNKNOWN,) if request.to_lyrics and not request.lyrics else ()
    return Expanded(
        replace(request, source=song_prompt(request.source, before), target=targets),
        dict(zip(written.target, targets, strict=True)),
        (*expanded.notes, *notes),
        expanded.guessed,
    )
