"""What several tabs share: what was dropped, what a job says, watching one, choices."""

import re
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr

from regrow.interfaces.web.jobs import Job
from regrow.interfaces.web.medium import FIELDS
from regrow.interfaces.web.own_files import OwnFiles, caller_of, owner_of
from regrow.interfaces.web.places import keep_picture, keep_sound
from regrow.interfaces.web.texts import TEXTS, as_page_says, refusal, said, text
from regrow.interfaces.web.worker import Worker
from regrow.media.files import MediaError
from regrow.media.medium import medium_of
from regrow.models.open import list_models

SETTLES = 0.35
"""Seconds that a slider rests before something grows again: a hand that goes on moves it sooner."""

DRAWN = -1
"""Stands in the field of a seed that is to be drawn; gradio shows an empty field as 0, which is a seed."""


@dataclass
class Page:
    """What the tabs of one page know of each other.

    Attributes:
        worker: that does the work.
        local: whether only this computer can reach the page, so that its folders may be named.
        files: whose files are whose.
        tabs: the tabs themselves, to switch between.
        fields: of each tab, its settings' components by the setting's name.
        moves: how often each browser has moved a slider that grows something again.
        on_load: what is brought up to date when the page is opened, and the components that it fills in.
        last_jobs: by the kind of job, what shows a browser's last one again when the page is opened, and where.
    """

    worker: Worker
    local: bool
    files: OwnFiles
    tabs: Any = None
    fields: dict[str, dict[str, Any]] = field(default_factory=dict)
    moves: dict[str, int] = field(default_factory=dict)
    on_load: list[tuple[Callable[..., Any], list[Any]]] = field(default_factory=list)
    last_jobs: dict[str, tuple["Show", list[Any]]] = field(default_factory=dict)

    def ask(self, request: gr.Request, kind: str, settings: dict[str, Any], drawn: bool = False) -> Job:
        """Have something done; where this browser's last job of the kind is the same and not over yet, it is that.

        Args:
            request: who asks.
            kind: of job.
            settings: for it.
            drawn: whether its seed was drawn here, so that a press of the button too many is not another wish.
        """
        before = self.worker.latest(owner_of(request), (kind,))
        seed = {"seed": settings["seed"]} if drawn else {}
        if before and not before.over and before.settings | seed == settings:
            return before
        return self.worker.submit(
            owner_of(request), kind, settings, {"seed_drawn": drawn} if "seed" in settings else {}
        )

    def kept(self, medium: str, file: str | None, request: gr.Request) -> str:
        """The path under which a dropped picture or sound is kept for good.

        Raises:
            gr.Error: with one sentence.
        """
        if not file:
            raise gr.Error(said({"picture": "no_picture", "sound": "no_sound"}[medium], request), print_exception=False)
        try:
            kept = {"picture": keep_picture, "sound": keep_sound}[medium](file)
        except (MediaError, OSError) as problem:
            raise refusal(problem, request) from problem
        self.files.grant(caller_of(request), kept)
        return str(kept)

    def reports(self, field: Any, medium: str) -> None:
        """Let a field say at once what is wrong with the file that it is given, and empty it."""
        wrong = gr.State(0)  # how often; the field itself would be none for whoever asks while it is looked at

        def report(file: str | None, before: int, request: gr.Request) -> Any:
            try:
                if file:
                    self.kept(medium, file, request)
                return gr.skip()
            except gr.Error as problem:
                gr.Warning(str(problem.message), title="regrow")
                return before + 1

        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        field.change(report, [field, wrong], wrong, **quiet)
        wrong.change(lambda: None, None, field, **quiet)

    def superseded(self, job: Job) -> bool:
        """Whether its browser has asked for another of its kind since, which is shown in its place."""
        return self.worker.latest(job.owner, (job.kind,)) is not job

    def settled(self, request: gr.Request) -> bool:
        """Whether a slider that has just moved stays where it is, for as long as a hand takes to go on."""
        owner = owner_of(request)
        self.moves[owner] = move = self.moves.get(owner, 0) + 1
        time.sleep(SETTLES)
        return self.moves[owner] == move

    def made(self, request: gr.Request, kind: str, settings: dict[str, Any]) -> list[str]:
        """Have something done and wait for it: the absolute paths of what was made.

        Raises:
            gr.Error: it failed or was cancelled.
        """
        job = self.worker.submit(owner_of(request), kind, settings)
        for _ in self.worker.watch(job):
            pass
        if job.state != "done":
            raise gr.Error(job.error or said("cancelled", request), print_exception=False)
        return made_files(job)


Show = Callable[[Job, Page, gr.Request], Iterator[tuple[Any, ...]]]
"""Yields what a job fills in, until it is over."""


def status(job: Job, page: Page, request: gr.Request) -> str:
    """Where a job stands, as a sentence with a bar; for screen readers it is a live region."""
    share = None
    if job.state == "waiting":
        place = page.worker.place(job)
        words = said("waiting", request, place=place) if place else said("opening", request)
    elif job.state == "running":
        part, index, steps = job.progress
        share = index / steps if steps else None
        named = said(f"part_{part}", request) if f"part_{part}" in TEXTS else part
        words = said("opening", request)
        if part:
            words = said("step" if steps else "step_of_unknown", request, part=named, index=index, steps=steps)
    elif job.state == "failed":
        words = said("failed", request, error=spoken(job, job.error, request))
    else:
        words = said("cancelled", request) if job.state == "cancelled" else _summary(job, request)
    bar = "" if share is None else f'<progress max="1" value="{share:.3f}" aria-label="{plain(words)}"></progress>'
    return f'<div class="status {job.state}" role="status" aria-live="polite">{plain(words)}{bar}</div>'


def spoken(job: Job, sentence: str, request: gr.Request) -> str:
    """A sentence of a job's operation as the page says it, without the names under which it keeps what was dropped."""
    for name in ("image", "mask", "melody"):
        file = job.settings.get(name)
        if isinstance(file, str) and "/" in file:
            what = FIELDS[medium_of(file).name] if name == "image" else name
            for written in (file, Path(file).name):
                sentence = sentence.replace(written, said(f"the_{what}", request))
    sentence = as_page_says(sentence, request)
    return sentence[:1].upper() + sentence[1:]


def following(job: Job, page: Page, request: gr.Request) -> Iterator[tuple[Job, str]]:
    """The job and its status, whenever it changed, until it is over or the browser has asked for another."""
    for state in page.worker.watch(job):
        if page.superseded(job):
            return
        yield state, status(state, page, request)


def made_files(job: Job) -> list[str]:
    """What a job made, as absolute paths."""
    return [str(job.folder / name) for name in job.files]


def beside(job: Job, what: str) -> str | None:
    """What is shown with it."""
    return str(job.folder / job.beside[what]) if what in job.beside else None


def model_names() -> list[str]:
    """The models that can be chosen."""
    return [listed.name for listed in list_models() if listed.family]


def beginnings() -> list[Any]:
    """What a training can begin from: nothing, or a model that is here."""
    return [(text("new_model"), ""), *model_names()]


def _summary(job: Job, request: gr.Request) -> str:
    sentences = [said("guess", request)] if job.facts.get("guess") else []
    if figures := job.facts.get("figures"):
        counted = figures["evaluations"]
        total = sum(counted.values()) if isinstance(counted, dict) else counted
        total += job.facts.get("rewound", 0)
        sentences.append(said("done", request, evaluations=total, seconds=job.facts["took"]))
    if job.kind in ("generate", "edit") and "seed" in job.settings:
        sentences.append(said("seed_was", request, seed=job.settings["seed"]))
    if job.facts.get("reused"):
        sentences.append(said("kept_path", request))
    if back := job.facts.get("reconstruction") or job.facts.get("codec"):
        own = "codec" in job.facts or job.facts.get("returns_source")
        psnr = "∞" if back["psnr"] is None else back["psnr"]
        sentences.append(said("psnr_own" if own else "psnr_path", request, psnr=psnr))
    for part, decibels in job.facts.get("lost", {}).items():
        sentences.append(said(f"lost_{part}", request, decibels=decibels))
    if "identical" in job.facts:
        sentences.append(said("same" if job.facts["identical"] else "not_same", request))
    return " ".join([*sentences, *(spoken(job, note, request) for note in job.notes)])


def seeded(value: float | None, request: gr.Request, last: Job | None = None) -> tuple[int, bool]:
    """A seed, and whether it was drawn: where none stands in the field, anew or as for the last job.

    Raises:
        gr.Error: what stands there is no seed.
    """
    if value not in (None, DRAWN):
        return whole(value, "seed", request), False
    return (last.settings["seed"] if last else secrets.randbelow(2**31)), True


def whole(value: float | None, name: str, request: gr.Request) -> int:
    """A number that must be whole, as seeds are; an empty field is 0.

    Raises:
        gr.Error: it is not, or none that 63 bits hold.
    """
    if value is None:
        return 0
    if value != int(value) or not 0 <= value < 2**63:
        label = re.split("[:：(（]", said(name, request))[0].strip()
        raise gr.Error(said("not_whole", request, name=label, value=f"{value:g}"), print_exception=False)
    return int(value)


def worded(value: str | None) -> str:
    """What stands in a field for words; one that was never shown, as in a closed box, has None."""
    return (value or "").strip()


def plain(words: str) -> str:
    """Words, which may come from a file or a user, as text in HTML."""
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        words = words.replace(sign, entity)
    return words
