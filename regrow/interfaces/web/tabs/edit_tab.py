"""The Edit tab: a picture or a sound becomes another."""

from collections.abc import Iterator
from typing import Any

import gradio as gr

from regrow.editing.strength import USUAL
from regrow.interfaces.web.fields import PictureField, sound_field
from regrow.interfaces.web.jobs import Job
from regrow.interfaces.web.medium import EMBEDDED, FIELDS, follow, medium_of, switch
from regrow.interfaces.web.own_files import owner_of
from regrow.interfaces.web.places import EXAMPLE, MOST_SECONDS, PIANO
from regrow.interfaces.web.shared import Page, beside, following, seeded, worded
from regrow.interfaces.web.tabs import Tab
from regrow.interfaces.web.tabs.edit_results import SHOW_STATUS, edit_results, shown
from regrow.interfaces.web.tabs.edit_settings import edit_settings
from regrow.interfaces.web.tabs.edit_where import board, follow_picture, where
from regrow.interfaces.web.tabs.song_fields import song_fields, song_in
from regrow.interfaces.web.texts import said, text


def build(page: Page, tab: Any) -> None:
    """Build the tab."""
    with gr.Row():
        with gr.Column(scale=2, min_width=320):
            medium = switch("edit-medium")
            with gr.Column() as picture_in:
                image = PictureField(
                    label=text("picture"), sources=["upload", "clipboard"], height=260, elem_id="picture"
                )
                example = gr.Button(text("example"), size="md", visible=EXAMPLE.is_file(), elem_id="example")
            with gr.Column(visible=False) as sound_in:
                sound = sound_field(label=text("sound"), elem_id="sound")
                piano = gr.Button(text("piano"), size="md", visible=PIANO.is_file(), elem_id="piano")
            source = gr.Textbox(label=text("source"), placeholder=text("source_hint"), elem_id="source")
            target = gr.Textbox(label=text("target"), placeholder=text("target_hint"), lines=2, elem_id="target")
            go = gr.Button(text("go_edit"), variant="primary", elem_id="go-edit")
            strength = gr.Slider(
                0.05,
                1,
                USUAL,
                step=0.05,
                label=text("strength"),
                info=text("strength_info"),
                elem_id="strength",
            )
            by_kind = gr.Checkbox(True, label=text("by_kind"), container=False, elem_id="by-kind")
            cancel = gr.Button(text("cancel"), variant="stop", size="md", elem_id="cancel-edit")
            with gr.Row(visible=False) as span:
                begin = gr.Number(0, label=text("begin"), elem_id="begin")
                end = gr.Number(0, label=text("end"), elem_id="end")
            with gr.Column(visible=False) as sung:
                song = song_fields("edit", edits=True)
            place = where()
            with gr.Accordion(text("settings"), open=False):
                settings, for_pictures, for_sounds = edit_settings()
        with gr.Column(scale=3, min_width=320):
            results = edit_results(medium)
            reuse = gr.Button(text("use_result"), size="md", elem_id="use-result")
            try_all = gr.Button(text("explore"), size="md", elem_id="explore")
            sheet = gr.Gallery(
                label=text("sheet"), columns=3, height="auto", object_fit="contain", visible=False, interactive=False,
                allow_preview=False, buttons=[], elem_id="sheet",
            )  # fmt: skip
    fields = {
        "image": image,
        "target": target,
        "source": source,
        "strength": strength,
        "by_kind": by_kind,
        "medium": medium,
        "sound": sound,
        "begin": begin,
        "end": end,
        **song,
        **place.settings,
        **settings,
    }
    names, inputs = list(fields), list(fields.values())
    page.fields["edit"] = fields | {"stays": place.stays}
    parts = {
        "picture": [picture_in, place.whole, results.pictures, try_all, *for_pictures],
        "sound": [sound_in, span, sung, results.sounds, *for_sounds],
    }
    words = [(source, "label", "source"), (source, "placeholder", "source_hint"), (go, "value", "go_edit")]
    words += [(target, "placeholder", "target_hint"), (reuse, "value", "use_result")]
    follow(medium, settings["model"], parts, words)
    follow_picture(page, place, image)
    for field, kind in ((image, "picture"), (place.mask, "picture"), (sound, "sound")):
        page.reports(field, kind)

    def settings_of(request: gr.Request, values: tuple[Any, ...]) -> dict[str, Any]:
        given = dict(zip(names, values, strict=True))
        targets = _lines(given["target"])
        kind, sound, begin, end = (given.pop(name) for name in ("medium", "sound", "begin", "end"))
        kind = kind or medium_of(given["model"])  # gradio gives the switch as none while a run may still set it
        given["image"] = page.kept(kind, {"picture": given["image"], "sound": sound}[kind], request)
        words = song_in({name: given.pop(name) for name in song})
        given |= {
            "target": targets,
            "source": worded(given["source"]),
            "negative": worded(given["negative"]) or None,
            "steps": given["steps"] or None,
            "region": worded(given["region"]) or None,
            "emphasis": worded(given["emphasis"]).split(),
            "mask": "auto"
            if given.pop("find_mask")
            else page.kept("picture", given["mask"], request)
            if given["mask"]
            else None,
        }
        given["strength"] = None if given.pop("by_kind") else given["strength"]

        def of_sounds() -> dict[str, Any]:  # which takes nothing of the fields for pictures
            span = _span(begin or 0, end or 0, request)
            return {"mask": None, "region": None, "frame": "auto", "tiles": False, "span": span, **words}

        given |= {"picture": dict, "sound": of_sounds}[kind]()
        if not targets and not given.get("to_lyrics"):
            raise gr.Error(said("no_target", request), print_exception=False)
        return given

    def ask(request: gr.Request, kind: str, values: tuple[Any, ...], last: Job | None = None, **more: Any) -> Job:
        settings = settings_of(request, values) | more
        settings["seed"], drawn = seeded(settings["seed"], request, last)
        return page.ask(request, kind, settings, drawn)

    def run(request: gr.Request, *values: Any) -> Iterator[tuple[Any, ...]]:
        yield from shown(ask(request, "edit", values), page, request)

    def run_explore(request: gr.Request, *values: Any) -> Iterator[tuple[Any, Any, Any]]:
        last = page.worker.latest(owner_of(request), ("edit",))  # whose noise is kept while its settings are tried
        for state, words in following(ask(request, "explore", values, last), page, request):
            if state.state == "done":
                cells = state.facts["cells"]
                pictures = [(beside(state, f"cell-{i}"), said("cell", request, **cell)) for i, cell in enumerate(cells)]
                yield words, gr.update(value=pictures, visible=True), cells
            else:
                yield words, gr.skip(), gr.skip()

    def regrow(request: gr.Request, *values: Any) -> Iterator[tuple[Any, ...]]:
        given = dict(zip(names, values, strict=True))
        words = worded(given["target"]) or worded(given["to_lyrics"])
        if not given[FIELDS[given["medium"] or medium_of(given["model"])]] or not words:
            return  # there is nothing yet that could grow again
        if not page.settled(request):
            return
        before = page.worker.latest(owner_of(request), ("edit",))
        job = ask(request, "edit", values, before, strength=given["strength"])
        if before and before is not job:
            page.worker.cancel(before)  # the slider has moved on
        yield from shown(job, page, request)

    def stop(request: gr.Request) -> None:
        """Cancel what this browser edits."""
        if job := page.worker.latest(owner_of(request), ("edit", "explore")):
            page.worker.cancel(job)

    def take_cell(cells: list[dict[str, float]], event: gr.SelectData) -> tuple[float, float, bool]:
        return cells[event.index]["strength"], cells[event.index]["guidance"], False

    def go_where_it_was(state: dict[str, Any], by_kind: bool) -> Any:
        return state["strength"] if by_kind and state["strength"] else gr.skip()

    def take_example(request: gr.Request) -> tuple[str, str, str]:
        return page.kept("picture", str(EXAMPLE), request), said("source_hint", request), said("target_hint", request)

    def take_piano(request: gr.Request) -> tuple[str, str, str]:
        words = said("source_hint_sound", request), said("target_hint_sound", request)
        return page.kept("sound", str(PIANO), request), *words

    def pick(state: dict[str, Any], event: gr.SelectData) -> tuple[Any, dict[str, Any]]:
        now = state | {"picked": event.index}
        return (state["before"], state["files"][event.index]), now

    def keep(mask: str, file: str | None, request: gr.Request) -> tuple[Any, ...]:
        return mask, False, board(page.kept("picture", file, request), page.kept("picture", mask, request), request)

    def use(state: dict[str, Any], words: str, kind: str | None, model: str) -> tuple[Any, ...]:
        if not state["files"]:
            return (gr.skip(),) * 5
        targets, file = _lines(words), state["files"][state["picked"]]
        now = targets[min(state["picked"], len(targets) - 1)] if targets else ""
        return *(file if name == (kind or medium_of(model)) else gr.skip() for name in FIELDS), now, "", True

    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    last: dict[str, Any] = quiet | {"trigger_mode": "multiple"}  # what is asked for while something grows counts too
    for trigger in (go.click, source.submit):
        # the slider is no output of the run itself: gradio gives an output that is still awaited as none
        trigger(run, inputs, results.outputs, **last).then(go_where_it_was, [results.shown, by_kind], strength, **quiet)
    go.click(None, None, None, js=SHOW_STATUS, api_visibility="private")
    strength.input(lambda: False, None, by_kind, **quiet)
    strength.input(regrow, inputs, results.outputs, **last)
    example.click(take_example, None, [image, source, target], **quiet)
    piano.click(take_piano, None, [sound, source, target], **quiet)
    cancel.click(stop, None, None, api_name="cancel_edit", queue=False)
    results.targets.select(pick, results.shown, [results.compared, results.shown], **quiet)
    cells = gr.State([])
    try_all.click(run_explore, inputs, [results.status, sheet, cells], **quiet)
    sheet.select(take_cell, cells, [strength, settings["guidance"], by_kind], **quiet).then(
        regrow, inputs, results.outputs, **last
    )
    results.keep_mask.click(keep, [results.mask, image], [place.mask, place.find_mask, place.painter], **quiet)
    reuse.click(
        use, [results.shown, target, medium, settings["model"]], [image, sound, source, target, place.stays], **quiet
    )
    results.one.input(lambda state, one: state | {"picked": one}, [results.shown, results.one], results.shown, **quiet)

    def api(request: gr.Request, image: str, source: str, target: str, strength: float) -> list[str]:
        """Edit a picture; every line of target is an edit. Other settings are as they stand on a fresh page."""
        return finished(request, {"image": image, "target": target, "source": source, "strength": strength})

    def api_sound(request: gr.Request, sound: str, source: str, target: str, strength: float) -> list[str]:
        """Edit a sound likewise."""
        given = {"sound": sound, "target": target, "source": source, "strength": strength, "medium": "sound"}
        return finished(request, given | {"model": EMBEDDED["sound"]})

    def finished(request: gr.Request, given: dict[str, Any]) -> list[str]:
        values = {name: component.value for name, component in fields.items()} | {"image": None, "sound": None}
        values |= {"by_kind": False} | given
        settings = settings_of(request, tuple(values[name] for name in names))
        settings["seed"], _ = seeded(settings["seed"], request)
        return page.made(request, "edit", settings)

    made = gr.File(file_count="multiple", visible=False)
    gr.Button(visible=False).click(api, [image, source, target, strength], made, api_name="edit")
    gr.Button(visible=False).click(api_sound, [sound, source, target, strength], made, api_name="edit_sound")
    page.last_jobs["edit"] = shown, results.outputs


def _span(begin: float, end: float, request: gr.Request) -> str | None:
    """The seconds that may change, as an edit is told them; None for all of it, an end of 0 for all that follows.

    Raises:
        gr.Error: there are no such seconds.
    """
    if not begin and not end:
        return None
    if not 0 <= begin < (end or MOST_SECONDS) <= MOST_SECONDS:
        raise gr.Error(said("no_span", request, most=MOST_SECONDS), print_exception=False)
    return f"{begin:g}:{end or MOST_SECONDS:g}"


def _lines(words: str | None) -> list[str]:
    """Return the target prompts: one a line."""
    return [line.strip() for line in worded(words).splitlines() if line.strip()]


TAB = Tab("edit", 1, build)
