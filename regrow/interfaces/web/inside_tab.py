"""The Look inside tab: the path to noise or what a sound is, how much each level keeps, and the maths proved live."""

from collections.abc import Iterator
from typing import Any

import gradio as gr
import pandas

from regrow.interfaces.web.edit_settings import DEFAULTS
from regrow.interfaces.web.medium import follow, kept_sound, medium_of, sound_field, switch
from regrow.interfaces.web.parts import Page, beside, following, kept, model_names, upload, worded
from regrow.interfaces.web.texts import said, text


def inside_tab(page: Page) -> None:
    """Build the tab."""
    with gr.Row():
        with gr.Column(scale=2, min_width=320):
            medium = switch("look-medium")
            with gr.Column() as picture_in:
                image = upload(
                    label=text("picture"), sources=["upload", "clipboard"], height=220, elem_id="look-picture"
                )
            with gr.Column(visible=False) as sound_in:
                sound = sound_field(label=text("drop_sound"), elem_id="look-sound")
            source = gr.Textbox(label=text("source"), placeholder=text("source_hint"))
            model = gr.Dropdown(model_names(), value="storybook", label=text("model"))
            steps = gr.Slider(2, 100, 28, step=1, label=text("steps"), elem_id="look-steps")
            strength = gr.Slider(0.05, 1, DEFAULTS["strength"], step=0.05, label=text("strength_curve"))
            look = gr.Button(text("look"), variant="primary", elem_id="go-look")
        with gr.Column(scale=3, min_width=320):
            told = gr.HTML(elem_id="look-status")
            strip = gr.Image(
                label=text("strip"), interactive=False, buttons=["download", "fullscreen"], elem_id="strip"
            )
            curve = gr.LinePlot(
                x="step", y="alpha_bar", color="part", label=text("curve"), height=300,
                color_map={"kept": "#64748b", "regrown": "#15803d"}, elem_id="curve",
            )  # fmt: skip
    page.fields["inside"] = {"model": model}
    words = [(look, "value", "look"), (strip, "label", "strip")]
    follow(medium, model, {"picture": [picture_in, source], "sound": [sound_in]}, words)
    levels = gr.State([])
    gr.Markdown(text("prove_about"))
    prove = gr.Button(text("prove"), elem_id="go-prove")
    proved = gr.HTML(elem_id="prove-status")
    table = gr.Dataframe(
        headers=["state", "check", "error", "allowed", "formula", "source", "against"], datatype="str", wrap=True,
        interactive=False, max_height=420, label=text("check"), elem_id="checks",
        column_widths=["8%", "20%", "8%", "8%", "24%", "16%", "16%"],
    )  # fmt: skip

    def run_look(
        image: str | None, sound: str | None, source: str, model: str, steps: int, strength: float, request: gr.Request
    ) -> Iterator[tuple[Any, ...]]:
        file = kept_sound(sound, request) if medium_of(model) == "sound" else kept(image, request)
        settings = {"image": file, "source": worded(source), "model": model, "steps": steps}
        job = page.worker.submit(page.owner(request), "look", settings)
        for state, words in following(job, page, request):
            if state.state == "done":
                bars = state.facts["alpha_bar"]
                yield words, beside(state, "page"), drawn(bars, strength), bars
            else:
                yield words, gr.skip(), gr.skip(), gr.skip()

    def run_prove(request: gr.Request) -> Iterator[tuple[Any, Any]]:
        job = page.worker.submit(page.owner(request), "verify", {})
        shown = 0
        for state, words in following(job, page, request):
            rows = list(state.facts.get("rows", ()))
            if state.state == "done":
                passed = sum(row[0] == "pass" for row in rows)
                judged = sum(row[0] in ("pass", "fail") for row in rows)
                words = (
                    f'<div class="status done" role="status">{said("proved", request, passed=passed, all=judged)}</div>'
                )
            yield words, rows if len(rows) != shown else gr.skip()
            shown = len(rows)

    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    look.click(run_look, [image, sound, source, model, steps, strength], [told, strip, curve, levels], **quiet)
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
