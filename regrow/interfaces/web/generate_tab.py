"""The Generate tab: pictures from words."""

import secrets
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, get_args

import gradio as gr

from regrow.core.names import SolverName, Spacing
from regrow.interfaces.web.jobs import Job
from regrow.interfaces.web.parts import Page, following, made_files, model_names, worded
from regrow.interfaces.web.texts import said, text
from regrow.operations.requests import Generate

DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(Generate)}


def generate_tab(page: Page) -> dict[str, Any]:
    """Build the tab; returns the components that `attach` fills in when a page is opened again."""
    with gr.Row():
        with gr.Column(scale=2, min_width=320):
            prompt = gr.Textbox(label=text("prompt"), placeholder=text("prompt_hint"), lines=2, elem_id="prompt")
            negative = gr.Textbox(label=text("negative"))
            with gr.Row():
                count = gr.Slider(1, 8, DEFAULTS["count"], step=1, label=text("count"))
                seed = gr.Number(DEFAULTS["seed"], label=text("seed"), precision=0, elem_id="seed")
            go = gr.Button(text("go_generate"), variant="primary", elem_id="go-generate")
            with gr.Row():
                again = gr.Button(text("again"), size="md")
                another = gr.Button(text("another"), size="md", elem_id="another")
                cancel = gr.Button(text("cancel"), variant="stop", size="md", elem_id="cancel-generate")
            with gr.Accordion(text("settings"), open=False):
                names = model_names()
                model = gr.Dropdown(names, value=DEFAULTS["model"], label=text("model"))
                steps = gr.Slider(1, 200, DEFAULTS["steps"], step=1, label=text("steps"), elem_id="generate-steps")
                guidance = gr.Slider(0, 15, DEFAULTS["guidance"], step=0.1, label=text("guidance"))
                solver = gr.Dropdown(list(get_args(SolverName)), value=DEFAULTS["solver"], label=text("solver"))
                eta = gr.Slider(0, 1, DEFAULTS["eta"], step=0.05, label=text("eta"))
                spacing = gr.Dropdown(list(get_args(Spacing)), value=DEFAULTS["spacing"], label=text("spacing"))
                with gr.Row():
                    height = gr.Number(0, label=text("height"), precision=0, minimum=0, maximum=4096)
                    width = gr.Number(0, label=text("width"), precision=0, minimum=0, maximum=4096)
        with gr.Column(scale=3, min_width=320):
            told = gr.HTML(elem_id="generate-status")
            results = gr.Gallery(
                label=text("results"), columns=2, object_fit="contain", height="auto", interactive=False,
                buttons=["download", "fullscreen"], elem_id="generated",
            )  # fmt: skip
    page.fields["generate"] = {
        "prompt": prompt, "negative": negative, "model": model, "steps": steps, "guidance": guidance, "seed": seed,
        "count": count, "solver": solver, "eta": eta, "spacing": spacing, "height": height, "width": width,
    }  # fmt: skip
    inputs, outputs = list(page.fields["generate"].values()), [told, results]

    def run(
        prompt: str, negative: str, model: str, steps: int, guidance: float, seed: int, count: int, solver: str,
        eta: float, spacing: str, height: int, width: int, request: gr.Request,
    ) -> Iterator[tuple[str, Any]]:  # fmt: skip
        """Make pictures from words."""
        if not worded(prompt):
            raise gr.Error(said("no_words", request), print_exception=False)
        settings = {
            "prompt": worded(prompt), "negative": worded(negative), "model": model, "steps": steps,
            "guidance": guidance, "seed": seed, "count": count, "solver": solver, "eta": eta, "spacing": spacing,
            "size": [height, width] if height and width else None,
        }  # fmt: skip
        yield from shown(page.worker.submit(page.owner(request), "generate", settings), page, request)

    def stop(request: gr.Request) -> None:
        """Cancel what this browser generates."""
        if job := page.worker.latest(page.owner(request), ("generate",)):
            page.worker.cancel(job)

    for trigger in (go.click, prompt.submit):
        trigger(run, inputs, outputs, api_name="generate" if trigger == go.click else None,
                api_visibility="public" if trigger == go.click else "private", show_progress="hidden")  # fmt: skip
    again.click(run, inputs, outputs, api_visibility="private", show_progress="hidden")
    another.click(lambda: secrets.randbelow(2**31), None, seed, api_visibility="private").then(
        run, inputs, outputs, api_visibility="private", show_progress="hidden"
    )
    cancel.click(stop, None, None, api_name="cancel_generate", queue=False)
    return {"outputs": outputs, "shown": shown}


def shown(job: Job, page: Page, request: gr.Request) -> Iterator[tuple[str, Any]]:
    """Status and pictures of a job until it is over."""
    for state, words in following(job, page, request):
        if state.state == "done":
            yield words, made_files(state)
        else:
            yield words, state.preview or gr.skip()
