"""Players of sounds, each with its waveform and mel below, and the switch from one to the next at the same position.

They are the browser's own: it knows how to play, loop, seek and be used by keyboard.
"""

from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from regrow.interfaces.web.jobs import Job
from regrow.interfaces.web.places import address
from regrow.interfaces.web.shared import plain
from regrow.interfaces.web.texts import said


@dataclass(frozen=True)
class Track:
    """A sound file of the page's own, what it is, and its picture."""

    file: Path
    words: str
    picture: Path | None = None


def players(tracks: list[Track], request: gr.Request) -> str:
    """Players as HTML; of several, one plays at a time."""
    letters = "ABCDEFGHIJ" if len(tracks) > 1 else " "
    figures = "".join(
        _figure(track, letters[min(i, len(letters) - 1)], said("seen", request)) for i, track in enumerate(tracks)
    )
    switch = f'<button type="button" class="switch">{plain(said("switch", request))}</button>'
    loop = f'<label><input type="checkbox" class="loop" checked>{plain(said("loop_players", request))}</label>'
    return f'<div class="players"><div class="bar">{switch if len(tracks) > 1 else ""}{loop}</div>{figures}</div>'


def players_of(job: Job, request: gr.Request) -> str:
    """Players of what a job made, after the sound that it was made from if there was one."""
    words = job.settings.get("target") or [job.settings["prompt"]] * len(job.files)
    tracks = [
        Track(job.folder / name, words[i], job.folder / job.beside[f"seen-{i + 1}"]) for i, name in enumerate(job.files)
    ]
    if "original" in job.beside:
        before = said("before", request, words=job.settings["source"])
        tracks.insert(0, Track(job.folder / job.beside["original"], before, job.folder / job.beside["before"]))
    return players(tracks, request)


def _figure(track: Track, letter: str, alt: str) -> str:
    name = plain(f"{letter} {track.words}".strip())
    picture = ""
    if track.picture:
        picture = f'<div class="seen"><img src="{address(track.picture)}" alt="{plain(alt)}"><i></i></div>'
    audio = f'<audio controls loop preload="auto" src="{address(track.file)}" aria-label="{name}"></audio>'
    return f"<figure><figcaption><b>{plain(letter)}</b> {plain(track.words)}</figcaption>{audio}{picture}</figure>"
