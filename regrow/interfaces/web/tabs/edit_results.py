"""Where the Edit tab shows what happens: status, preview, and the results of pictures and of sounds."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from regrow.interfaces.web.assets import asset
from regrow.interfaces.web.audio_player import players_of
from regrow.interfaces.web.fields import accessible_names
from regrow.interfaces.web.jobs import Job
from regrow.interfaces.web.medium import medium_of
from regrow.interfaces.web.shared import Page, beside, following, made_files
from regrow.interfaces.web.texts import text

SHOW_STATUS = asset("show_status.js")
"""On a phone the status and all results are below the settings, out of sight."""


@dataclass(frozen=True)
class EditResults:
    """Where the Edit tab shows what happens; `pictures` and `sounds` hold what is for one medium alone."""

    status: gr.HTML
    growing: gr.Gallery
    compared: gr.ImageSlider
    reconstruction: gr.Image
    targets: gr.Gallery
    mask: gr.Image
    keep_mask: gr.Button
    shown: gr.State
    players: gr.HTML
    one: gr.Radio
    medium: gr.Radio
    pictures: gr.Column
    sounds: gr.Column

    @property
    def outputs(self) -> list[Any]:
        """The components in the order that `shown` fills them."""
        return [
            self.status, self.growing, self.compared, self.reconstruction, self.targets, self.mask, self.keep_mask,
            self.shown, self.players, self.one, self.medium,
        ]  # fmt: skip


def shown(job: Job, page: Page, request: gr.Request) -> Iterator[tuple[Any, ...]]:
    """Status, preview and results of an edit until it is over."""
    medium: Any = medium_of(job.settings["model"])
    results = {"picture": _pictures, "sound": _sounds}[medium]
    for state, words in following(job, page, request):
        if state.state == "done":
            yield words, gr.update(value=None, visible=False), *results(state, request), medium
        else:
            preview = gr.update(value=state.preview, visible=True) if state.preview else gr.skip()
            preview = gr.update(value=None, visible=False) if state.over else preview
            yield words, preview, *(gr.skip() for _ in range(8)), medium
        medium = gr.skip()  # the user may have gone on to the other


def _pictures(job: Job, request: gr.Request) -> tuple[Any, ...]:
    """What a done edit of a picture fills in."""
    before, files, mask = beside(job, "original"), made_files(job), beside(job, "mask")
    whole = job.settings["image"] if Path(job.settings["image"]).suffix != ".img" else before
    return (
        (whole, files[0]),
        beside(job, "reconstruction"),
        gr.update(value=list(zip(files, job.settings["target"], strict=True)), visible=len(files) > 1),
        gr.update(value=mask, visible=bool(mask)),
        gr.update(visible=bool(mask)),
        {"files": files, "picked": 0, "before": whole, "strength": job.facts.get("strength")},
        gr.skip(),
        gr.skip(),
    )


def _sounds(job: Job, request: gr.Request) -> tuple[Any, ...]:
    """What a done edit of a sound fills in."""
    files = made_files(job)
    choices = [(target, i) for i, target in enumerate(job.settings["target"])]
    return (
        *(gr.skip() for _ in range(5)),
        {"files": files, "picked": 0, "before": beside(job, "original"), "strength": job.facts.get("strength")},
        players_of(job, request),
        gr.update(choices=choices, value=0, visible=len(files) > 1),
    )


def edit_results(medium: gr.Radio) -> EditResults:
    """The components."""
    status = gr.HTML(elem_id="edit-status")
    growing = gr.Gallery(
        label=text("growing"), columns=2, height="auto", object_fit="contain", visible=False, interactive=False,
        buttons=[], elem_id="growing",
    )  # fmt: skip
    with gr.Column() as pictures:
        compared = gr.ImageSlider(
            label=text("before_after"), interactive=False, max_height=520, buttons=["download", "fullscreen"],
            elem_id="compared",
        )  # fmt: skip
        targets = gr.Gallery(
            label=text("edited"), columns=3, height="auto", object_fit="contain", visible=False, interactive=False,
            allow_preview=False, buttons=[], elem_id="wishes",
        )  # fmt: skip
        with gr.Row():
            reconstruction = gr.Image(
                label=text("reconstruction"),
                interactive=False,
                height=240,
                buttons=["download"],
                elem_id="reconstruction",
            )
            mask = gr.Image(
                label=text("found_mask"), interactive=False, height=240, visible=False, buttons=["download"],
                elem_id="found-mask", type="filepath",
            )  # fmt: skip
        accessible_names(reconstruction)
        accessible_names(mask)
        keep_mask = gr.Button(text("keep_mask"), size="md", visible=False, elem_id="keep-mask")
    with gr.Column(visible=False) as sounds:
        players = gr.HTML(elem_id="edited-sounds")
        one = gr.Radio([], label=text("one_result"), visible=False, elem_id="one-wish")
    nothing = gr.State({"files": [], "picked": 0, "before": None, "strength": None})
    return EditResults(
        status,
        growing,
        compared,
        reconstruction,
        targets,
        mask,
        keep_mask,
        nothing,
        players,
        one,
        medium,
        pictures,
        sounds,
    )
