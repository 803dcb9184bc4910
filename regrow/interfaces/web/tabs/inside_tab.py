"""The Look inside tab: the path to noise and back or what a sound is, what a level keeps, the maths proved live."""

from collections.abc import Iterator
from typing import Any

import gradio as gr
import pandas

from regrow.editing.strength import USUAL
from regrow.interfaces.web.fields import ModelField, PictureField, accessible_names, sound_field
from regrow.interfaces.web.medium import follow, medium_of, switch
from regrow.interfaces.web.own_files import owner_of
from regrow.interfaces.web.places import EXAMPLE, PIANO
from regrow.interfaces.web.shared import (
    Page,
    beside,
    following,
    model_names,
    worded,
)
from regrow.interfaces.web.tabs import Tab
from regrow.interfaces.web.texts import TEXTS, said, text


def build(page: Page, tab: Any) -> None:
    """Build the tab."""
    with gr.Row():
        with gr.Column(scale=2, min_width=320):
            medium = switch("look-medium")
            with gr.Column() as picture_in:
                image = PictureField(
                    label=text("picture"), sources=["upload", "clipboard"], height=220, elem_id="look-picture"
                )
                example = gr.Button(text("example"), size="md", visible=EXAMPLE.is_file(), elem_id="look-example")
            with gr.Column(visible=False) as sound_in:
                sound = sound_field(label=text("sound"), elem_id="look-sound")
                piano = gr.Button(text("piano"), size="md", visible=PIANO.is_file(), elem_id="look-piano")
            source = gr.Textbox(label=text("source"), placeholder=text("source_hint"))
            model = ModelField(model_names(), value="storybook", label=text("model"))
            steps = gr.Slider(2, 100, 28, step=1, label=text("steps"), elem_id="look-steps")
            strength = gr.Slider(0.05, 1, USUAL, step=0.05, label=text("strength_curve"))
            look = gr.Button(text("look"), variant="primary", elem_id="go-look")
            cancel = gr.Button(text("cancel"), variant="stop", size="md", elem_id="cancel-look")
        with gr.Column(scale=3, min_width=320):
            status = gr.HTML(elem_id="look-status")
            strip = gr.Image(
                label=text("strip"), interactive=False, buttons=["download", "fullscreen"], elem_id="strip"
            )
            accessible_names(strip)
            curve = gr.LinePlot(
                x="step", y="alpha_bar", color="part", label=text("curve"), height=300,
                color_map={"kept": "#64748b", "regrown": "#15803d"}, elem_id="curve",
            )  # fmt: skip
    page.fields["inside"] = {"model": model}
    words = [(look, "value", "look"), (strip, "label", "strip")]
    follow(medium, model, {"picture": [picture_in, source], "sound": [sound_in]}, words)
    levels = gr.State([])
    page.reports(image, "picture")
    page.reports(sound, "sound")
    gr.Markdown(text("prove_about"))
    with gr.Row():
        prove = gr.Button(text("prove"), elem_id="go-prove")
        halt = gr.Button(text("cancel"), variant="stop", elem_id="cancel-prove")
    proved = gr.HTML(elem_id="prove-status")
    columns = ["state", "check", "error", "allowed", "formula", "from_paper", "against"]
    table = gr.Dataframe(
        headers=[TEXTS[name]["en"] for name in columns], datatype="str", wrap=True,
        interactive=False, max_height=420, label=text("check"), elem_id="checks",
        column_widths=[70, 210, 95, 95, 310, 210, 220],  # not shares, which a phone makes a letter wide
    )  # fmt: skip

    def run_look(
        image: str | None, sound: str | None, source: str, model: str, steps: int, strength: float, request: gr.Request
    ) -> Iterator[tuple[Any, ...]]:
        kind = medium_of(model)
        file = page.kept(kind, {"picture": image, "sound": sound}[kind], request)
        settings = {"image": file, "source": worded(source), "model": model, "steps": steps}
        for state, words in following(page.ask(request, "look", settings), page, request):
            if state.state == "done":
                bars = state.facts["alpha_bar"]
                yield words, beside(state, "page"), drawn(bars, strength), bars
            else:
                yield words, gr.skip(), gr.skip(), gr.skip()

    def run_prove(request: gr.Request) -> Iterator[tuple[Any, Any]]:
        shown = 0
        for state, words in following(page.ask(request, "verify", {}), page, request):
            rows = list(state.facts.get("rows", ()))
            if state.state == "done":
                passed = sum(row[0] == "pass" for row in rows)
                judged = sum(row[0] in ("pass", "fail") for row in rows)
                words = (
                    f'<div class="status done" role="status">{said("proved", request, passed=passed, all=judged)}</div>'
                )
            status = [[said(f"state_{state_of}", request), *rest] for state_of, *rest in rows]
            headed = gr.update(headers=[said(name, request) for name in columns], value=status)
            yield words, headed if len(rows) != shown else gr.skip()
            shown = len(rows)

    def take_example(request: gr.Request) -> tuple[str, str]:
        return page.kept("picture", str(EXAMPLE), request), said("source_hint", request)

    def take_piano(request: gr.Request) -> str:
        return page.kept("sound", str(PIANO), request)

    def stop(kind: str, request: gr.Request) -> None:
        if job := page.worker.latest(owner_of(request), (kind,)):
            page.worker.cancel(job)

    def stop_look(request: gr.Request) -> None:
        stop("look", request)

    def stop_prove(request: gr.Request) -> None:
        stop("verify", request)

    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    look.click(run_look, [image, sound, source, model, steps, strength], [status, strip, curve, levels], **quiet)
    example.click(take_example, None, [image, source], **quiet)
    piano.click(take_piano, None, sound, **quiet)
    cancel.click(stop_look, None, None, queue=False, api_visibility="private")
    halt.click(stop_prove, None, None, queue=False, api_visibility="private")
    strength.release(drawn, [levels, strength], curve, **quiet)
    prove.click(run_prove, None, [proved, table], **quiet)


def drawn(bars: list[float], strength: float) -> pandas.DataFrame | None:
    """alpha-bar by step from noise to picture; what an edit of this strength walks is a part of its own."""
    if not bars:
        return None
    steps = len(bars) - 1
    start = steps - max(1, round(strength * steps))
    rows = [(i, bar, "kept") for i, bar in enumerate(bars[: start + 1])]
    rows += [(i, bar, "regrown") for i, bar in enumerate(bars[start:], start)]
    return pandas.DataFrame(rows, columns=["step", "alpha_bar", "part"])


TAB = Tab("inside", 5, build)
