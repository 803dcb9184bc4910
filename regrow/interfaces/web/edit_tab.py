"""The Edit tab: a picture becomes another."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from regrow.interfaces.web.edit_settings import edit_settings
from regrow.interfaces.web.jobs import Job
from regrow.interfaces.web.parts import Page, beside, following, kept, made_files, upload, worded
from regrow.interfaces.web.places import EXAMPLE
from regrow.interfaces.web.texts import TEXTS, said, text


@dataclass(frozen=True)
class Stage:
    """Where the Edit tab shows what happens."""

    told: gr.HTML
    growing: gr.Gallery
    compared: gr.ImageSlider
    reconstruction: gr.Image
    wishes: gr.Gallery
    mask: gr.Image
    keep_mask: gr.Button
    shown: gr.State

    @property
    def outputs(self) -> list[Any]:
        """The components in the order that `shown` fills them."""
        return [
            self.told, self.growing, self.compared, self.reconstruction, self.wishes, self.mask, self.keep_mask,
            self.shown,
        ]  # fmt: skip


def edit_tab(page: Page) -> dict[str, Any]:
    """Build the tab; returns the components that `attach` fills in when a page is opened again."""
    with gr.Row():
        with gr.Column(scale=2, min_width=320):
            image = upload(label=text("picture"), sources=["upload", "clipboard"], height=260, elem_id="picture")
            example = gr.Button(text("example"), size="md", visible=EXAMPLE.is_file(), elem_id="example")
            source = gr.Textbox(label=text("source"), placeholder=text("source_hint"), elem_id="source")
            target = gr.Textbox(label=text("target"), placeholder=text("target_hint"), lines=2, elem_id="target")
            go = gr.Button(text("go_edit"), variant="primary", elem_id="go-edit")
            strength = gr.Slider(
                0.05, 1, 0.75, step=0.05, label=text("strength"), info=text("strength_info"), elem_id="strength"
            )
            find_mask = gr.Checkbox(label=text("find_mask"), elem_id="find-mask")
            cancel = gr.Button(text("cancel"), variant="stop", size="md", elem_id="cancel-edit")
            with gr.Accordion(text("settings"), open=False):
                settings = edit_settings()
        with gr.Column(scale=3, min_width=320):
            stage = _stage()
            reuse = gr.Button(text("use_result"), size="md", elem_id="use-result")
            try_all = gr.Button(text("explore"), size="md", elem_id="explore")
            sheet = gr.Gallery(
                label=text("sheet"), columns=3, height=480, object_fit="contain", visible=False, interactive=False,
                allow_preview=False, buttons=[], elem_id="sheet",
            )  # fmt: skip
    fields = {
        "image": image,
        "target": target,
        "source": source,
        "strength": strength,
        "find_mask": find_mask,
        **settings,
    }
    page.fields["edit"] = fields
    names, inputs = list(fields), list(fields.values())

    def asked(request: gr.Request, values: tuple[Any, ...]) -> dict[str, Any]:
        given = dict(zip(names, values, strict=True))
        wishes = [line.strip() for line in worded(given["target"]).splitlines() if line.strip()]
        given["image"] = kept(given["image"], request)
        if not wishes:
            raise gr.Error(said("no_wish", request), print_exception=False)
        given |= {
            "target": wishes,
            "source": worded(given["source"]),
            "negative": worded(given["negative"]) or None,
            "region": worded(given["region"]) or None,
            "emphasis": worded(given["emphasis"]).split(),
            "mask": "auto" if given.pop("find_mask") else kept(given["mask"], request) if given["mask"] else None,
        }
        return given

    def run(request: gr.Request, *values: Any) -> Iterator[tuple[Any, ...]]:
        yield from shown(page.worker.submit(page.owner(request), "edit", asked(request, values)), page, request)

    def run_explore(request: gr.Request, *values: Any) -> Iterator[tuple[Any, Any, Any]]:
        job = page.worker.submit(page.owner(request), "explore", asked(request, values))
        for state, words in following(job, page, request):
            if state.state == "done":
                cells = state.facts["cells"]
                pictures = [(beside(state, f"cell-{i}"), said("cell", request, **cell)) for i, cell in enumerate(cells)]
                yield words, gr.update(value=pictures, visible=True), cells
            else:
                yield words, gr.skip(), gr.skip()

    def regrow(request: gr.Request, *values: Any) -> Iterator[tuple[Any, ...]]:
        given = dict(zip(names, values, strict=True))
        if given["image"] and worded(given["target"]):  # else there is nothing yet that could grow again
            before = page.worker.latest(page.owner(request), ("edit",))
            if before:
                page.worker.cancel(before)  # the slider has moved on
            yield from run(request, *values)

    def stop(request: gr.Request) -> None:
        """Cancel what this browser edits."""
        if job := page.worker.latest(page.owner(request), ("edit", "explore")):
            page.worker.cancel(job)

    def take_cell(cells: list[dict[str, float]], event: gr.SelectData) -> tuple[float, float]:
        return cells[event.index]["strength"], cells[event.index]["guidance"]

    def take_example(request: gr.Request) -> tuple[str, str, str]:
        chinese = said("edit", request) == TEXTS["edit"][1]
        return kept(str(EXAMPLE), request), TEXTS["source_hint"][chinese], TEXTS["target_hint"][chinese]

    def pick(state: dict[str, Any], event: gr.SelectData) -> tuple[Any, dict[str, Any]]:
        now = state | {"picked": event.index}
        return (state["before"], state["files"][event.index]), now

    def use(state: dict[str, Any], words: str) -> tuple[Any, Any, Any]:
        if not state["files"]:
            return gr.skip(), gr.skip(), gr.skip()
        wishes = [line.strip() for line in worded(words).splitlines() if line.strip()]
        now = wishes[min(state["picked"], len(wishes) - 1)] if wishes else ""
        return state["files"][state["picked"]], now, ""

    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    for trigger in (go.click, source.submit):
        trigger(run, inputs, stage.outputs, **quiet)
    strength.release(regrow, inputs, stage.outputs, **quiet)
    example.click(take_example, None, [image, source, target], **quiet)
    cancel.click(stop, None, None, api_name="cancel_edit", queue=False)
    stage.wishes.select(pick, stage.shown, [stage.compared, stage.shown], **quiet)
    cells = gr.State([])
    try_all.click(run_explore, inputs, [stage.told, sheet, cells], **quiet)
    sheet.select(take_cell, cells, [strength, settings["guidance"]], **quiet).then(
        regrow, inputs, stage.outputs, **quiet
    )
    stage.keep_mask.click(lambda mask: (mask, False), stage.mask, [settings["mask"], find_mask], **quiet)
    reuse.click(use, [stage.shown, target], [image, source, target], **quiet)

    def api(request: gr.Request, image: str, source: str, target: str, strength: float) -> list[str]:
        """Edit a picture; every line of target is a wish. Other settings are as they stand on a fresh page."""
        plain = {name: component.value for name, component in settings.items()}
        values = {"image": image, "target": target, "source": source, "strength": strength, **plain}
        values["find_mask"] = False
        for _ in run(request, *(values[name] for name in names)):
            pass
        job = page.worker.latest(page.owner(request), ("edit",))
        assert job is not None
        if job.state != "done":
            raise gr.Error(job.error or said("cancelled", request), print_exception=False)
        return made_files(job)

    made = gr.File(file_count="multiple", visible=False)
    gr.Button(visible=False).click(api, [image, source, target, strength], made, api_name="edit")
    return {"outputs": stage.outputs, "shown": shown}


def shown(job: Job, page: Page, request: gr.Request) -> Iterator[tuple[Any, ...]]:
    """Status, preview and results of an edit until it is over."""
    for state, words in following(job, page, request):
        if state.state == "done":
            before, files, mask = beside(state, "original"), made_files(state), beside(state, "mask")
            whole = state.settings["image"] if Path(state.settings["image"]).suffix != ".img" else before
            yield (
                words,
                gr.update(value=None, visible=False),
                (whole, files[0]),
                beside(state, "reconstruction"),
                gr.update(value=list(zip(files, state.settings["target"], strict=True)), visible=len(files) > 1),
                gr.update(value=mask, visible=bool(mask)),
                gr.update(visible=bool(mask)),
                {"files": files, "picked": 0, "before": whole},
            )
        else:
            preview = gr.update(value=state.preview, visible=True) if state.preview else gr.skip()
            preview = gr.update(value=None, visible=False) if state.over else preview
            yield words, preview, *(gr.skip() for _ in range(6))


def _stage() -> Stage:
    told = gr.HTML(elem_id="edit-status")
    growing = gr.Gallery(
        label=text("growing"), columns=2, height=240, object_fit="contain", visible=False, interactive=False,
        buttons=[], elem_id="growing",
    )  # fmt: skip
    compared = gr.ImageSlider(
        label=text("before_after"), interactive=False, max_height=520, buttons=["download", "fullscreen"],
        elem_id="compared",
    )  # fmt: skip
    wishes = gr.Gallery(
        label=text("wishes"), columns=3, height="auto", object_fit="contain", visible=False, interactive=False,
        allow_preview=False, buttons=[], elem_id="wishes",
    )  # fmt: skip
    with gr.Row():
        reconstruction = gr.Image(
            label=text("reconstruction"), interactive=False, height=240, buttons=["download"], elem_id="reconstruction"
        )
        mask = gr.Image(
            label=text("found_mask"), interactive=False, height=240, visible=False, buttons=["download"],
            elem_id="found-mask", type="filepath",
        )  # fmt: skip
    keep_mask = gr.Button(text("keep_mask"), size="md", visible=False, elem_id="keep-mask")
    nothing = gr.State({"files": [], "picked": 0, "before": None})
    return Stage(told, growing, compared, reconstruction, wishes, mask, keep_mask, nothing)
