"""What several tabs share: who asks, what a job says, watching one, a picture field that opens nothing, choices."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from regrow.families.registry import list_models
from regrow.interfaces.web.jobs import Job
from regrow.interfaces.web.places import keep_picture
from regrow.interfaces.web.texts import TEXTS, said, text
from regrow.interfaces.web.worker import Worker
from regrow.media.files import MediaError


@dataclass
class Page:
    """What the tabs of one page know of each other.

    Attributes:
        worker: that does the work.
        local: whether only this computer can reach the page.
        owners: the browser that a gradio session belongs to: sessions end with the page, browsers stay.
        tabs: the tabs themselves, to switch between.
        fields: of each tab, its settings' components by the setting's name.
    """

    worker: Worker
    local: bool
    owners: dict[str, str] = field(default_factory=dict)
    tabs: Any = None
    fields: dict[str, dict[str, Any]] = field(default_factory=dict)

    def owner(self, request: gr.Request) -> str:
        """Whose request this is."""
        session = request.session_hash or ""
        return self.owners.get(session, session)

    def find(self, job: str) -> Job | None:
        """A job by its id."""
        return self.worker.jobs.get(job)


def upload(**options: Any) -> gr.Image:
    """A picture field that hands over the file as it came: gradio would decode it and lose the recipe.

    Show and hide a column around it: gradio makes a component that is itself updated anew, as an ordinary one.
    """
    field = gr.Image(**options)
    field.preprocess = lambda payload: payload.path if payload else None
    return field


def kept(file: str | None, request: gr.Request) -> str:
    """The path under which a dropped picture is kept for good.

    Raises:
        gr.Error: with one sentence.
    """
    if not file:
        raise gr.Error(said("no_picture", request), print_exception=False)
    try:
        return str(keep_picture(file))
    except (MediaError, OSError) as problem:
        raise gr.Error(str(problem), print_exception=False) from problem


def status(job: Job, page: Page, request: gr.Request) -> str:
    """Where a job stands, as a sentence with a bar; for screen readers it is a live region."""
    share = None
    if job.state == "waiting":
        words = said("waiting", request, place=page.worker.place(job))
    elif job.state == "running":
        part, index, steps = job.progress
        share = index / steps if steps else None
        named = said(f"part_{part}", request) if f"part_{part}" in TEXTS else part
        words = said("opening", request)
        if part:
            words = said("step" if steps else "step_of_unknown", request, part=named, index=index, steps=steps)
    elif job.state == "failed":
        words = said("failed", request, error=job.error)
    else:
        words = said("cancelled", request) if job.state == "cancelled" else _summary(job, request)
    bar = "" if share is None else f'<progress max="1" value="{share:.3f}" aria-label="{plain(words)}"></progress>'
    return f'<div class="status {job.state}" role="status" aria-live="polite">{plain(words)}{bar}</div>'


def following(job: Job, page: Page, request: gr.Request) -> Iterator[tuple[Job, str]]:
    """The job and its status, whenever it changed."""
    for state in page.worker.watch(job):
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
    sentences = []
    if figures := job.facts.get("figures"):
        counted = figures["evaluations"]
        total = sum(counted.values()) if isinstance(counted, dict) else counted
        total += job.facts.get("rewound", 0)
        sentences.append(said("done", request, evaluations=total, seconds=figures["seconds"]))
    if job.facts.get("reused"):
        sentences.append(said("kept_path", request))
    if back := job.facts.get("reconstruction") or job.facts.get("codec"):
        sentences.append(said("psnr", request, psnr="∞" if back["psnr"] is None else back["psnr"]))
    for part, decibels in job.facts.get("lost", {}).items():
        sentences.append(said(f"lost_{part}", request, decibels=decibels))
    if "identical" in job.facts:
        sentences.append(said("same" if job.facts["identical"] else "not_same", request))
    return " ".join([*sentences, *job.notes])


def worded(value: str | None) -> str:
    """What stands in a field for words; one that was never shown, as in a closed box, has None."""
    return (value or "").strip()


def plain(words: str) -> str:
    """Words, which may come from a file or a user, as text in HTML."""
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        words = words.replace(sign, entity)
    return words
