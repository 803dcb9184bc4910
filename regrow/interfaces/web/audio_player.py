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

CSS = """
.players { display: flex; flex-direction: column; gap: .75rem }
.players .bar { display: flex; flex-wrap: wrap; gap: 1rem; align-items: center; color: var(--body-text-color) }
.players .switch { padding: .5rem .9rem; border-radius: 6px; background: var(--button-secondary-background-fill);
  color: var(--button-secondary-text-color); border: 1px solid var(--border-color-primary); cursor: pointer }
.players label { display: inline-flex; gap: .4rem; align-items: center }
.players figure { margin: 0; padding: .6rem .75rem; border-radius: 6px; background: var(--background-fill-secondary);
  border-left: 4px solid transparent }
.players figure.now { border-left-color: #15803d }
.players figcaption { color: var(--body-text-color); overflow-wrap: anywhere; margin-bottom: .4rem }
.players audio { width: 100%; display: block }
.dark .players audio { color-scheme: dark }
.players .seen { position: relative; margin-top: .5rem; cursor: pointer }
.players .seen img { width: 100%; height: auto; max-height: 13rem; display: block; border-radius: 4px }
.players .seen i { position: absolute; top: 0; bottom: 0; left: 0; width: 2px; background: #22c55e;
  pointer-events: none }
"""
SCRIPT = """<script>
(() => {
  const all = e => [...e.closest('.players').querySelectorAll('audio')];
  const mark = sound => all(sound).forEach(a => a.closest('figure').classList.toggle('now', a === sound));
  document.addEventListener('click', event => {
    const seen = event.target.closest?.('.players .seen');
    if (seen) {
      const audio = seen.closest('figure').querySelector('audio'), box = seen.getBoundingClientRect();
      if (audio.duration) audio.currentTime = audio.duration * (event.clientX - box.left) / box.width;
    } else if (event.target.closest?.('.players .switch')) {
      const sounds = all(event.target), last = sounds.findIndex(a => a.closest('figure').matches('.now'));
      const next = sounds[(last + 1) % sounds.length];
      if (last >= 0) { next.currentTime = sounds[last].currentTime; sounds[last].pause(); }
      mark(next);  // the event comes later
      next.play();
    }
  });
  document.addEventListener('change', event => {
    if (event.target.matches('.players .loop')) all(event.target).forEach(a => { a.loop = event.target.checked; });
  });
  document.addEventListener('play', event => {
    if (!event.target.closest?.('.players')) return;
    document.querySelectorAll('.players audio').forEach(a => { if (a !== event.target) a.pause(); });
    mark(event.target);
  }, true);
  for (const kind of ['timeupdate', 'seeked']) document.addEventListener(kind, event => {
    const line = event.target.closest?.('.players figure')?.querySelector('.seen i');
    if (line) line.style.left = 100 * event.target.currentTime / event.target.duration + '%';
  }, true);
})();
</script>"""
"""Goes into the page's head."""


@dataclass(frozen=True)
class Track:
    """A sound file of the page's own, what it is, and its picture."""

    file: Path
    words: str
    picture: Path | None = None


def players(tracks: list[Track], request: gr.Request) -> str:
    """Players as HTML; of several, one is heard at a time."""
    letters = "ABCDEFGHIJ" if len(tracks) > 1 else " "
    figures = "".join(
        _figure(track, letters[min(i, len(letters) - 1)], said("seen", request)) for i, track in enumerate(tracks)
    )
    switch = f'<button type="button" class="switch">{plain(said("switch", request))}</button>'
    loop = f'<label><input type="checkbox" class="loop" checked>{plain(said("loop_players", request))}</label>'
    return f'<div class="players"><div class="bar">{switch if len(tracks) > 1 else ""}{loop}</div>{figures}</div>'


def heard_of(job: Job, request: gr.Request) -> str:
    """Players of what a job made, after the sound that it was made from if there was one."""
    words = job.settings.get("target") or [job.settings["prompt"]] * len(job.files)
    tracks = [
        Track(job.folder / name, words[i], job.folder / job.beside[f"seen-{i + 1}"]) for i, name in enumerate(job.files)
    ]
    if "original" in job.beside:
        before = said("before", request, words=job.settings["source"])
        tracks.insert(0, Track(job.folder / job.beside["original"], before, job.folder / job.beside["before"]))
    return players(tracks, request)


def _figure(track: Track, letter: str, seen: str) -> str:
    name = plain(f"{letter} {track.words}".strip())
    picture = ""
    if track.picture:
        picture = f'<div class="seen"><img src="{address(track.picture)}" alt="{plain(seen)}"><i></i></div>'
    audio = f'<audio controls loop preload="auto" src="{address(track.file)}" aria-label="{name}"></audio>'
    return f"<figure><figcaption><b>{plain(letter)}</b> {plain(track.words)}</figcaption>{audio}{picture}</figure>"
