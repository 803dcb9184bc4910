"""The Generate tab: pictures and sounds from words."""

import secrets
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, get_args

import gradio as gr

from regrow.core.names import SolverName, Spacing
from regrow.interfaces.web.jobs import Job
from regrow.interfaces.web.medium import follow, kept_sound, medium_of, sound_field, switch
from regrow.interfaces.web.parts import Page, following, made_files, model_names, worded
from regrow.interfaces.web.places import MOST_SECONDS
from regrow.interfaces.web.players import heard_of
from regrow.interfaces.web.texts import said, text
from regrow.operations.requests import Generate

DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(Generate)}


def generate_tab(page: Page) -> dict[str, Any]:
    """Build the tab; returns the components that `attach` fills in when a page is opened again."""
    with gr.Row():
        with gr.Column(scale=2, min_width=320):
            medium = switch("generate-medium")
            prompt = gr.Textbox(label=text("prompt"), placeholder=text("prompt_hint"), lines=2, elem_id="prompt")
            negative = gr.Textbox(label=text("negative"))
            with gr.Row():
                count = gr.Slider(1, 8, DEFAULTS["count"], step=1, label=text("count"))
                seed = gr.Number(DEFAULTS["seed"], label=text("seed"), precision=0, elem_id="seed")
            with gr.Row(visible=False) as times:
                duration = gr.Number(0, label=text("duration"), minimum=0, maximum=MOST_SECONDS, elem_id="duration")
                loop = gr.Checkbox(label=text("loop"), elem_id="loop")
            with gr.Column(visible=False) as tune:
                melody = sound_field(label=text("melody"), elem_id="melody")
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
                share = gr.Slider(0, 1, DEFAULTS["guidance_share"], step=0.05, label=text("guidance_share"))
                solver = gr.Dropdown(list(get_args(SolverName)), value=DEFAULTS["solver"], label=text("solver"))
                eta = gr.Slider(0, 1, DEFAULTS["eta"], step=0.05, label=text("eta"))
                spacing = gr.Dropdown(list(get_args(Spacing)), value=DEFAULTS["spacing"], label=text("spacing"))
                with gr.Row() as sizes:
                    height = gr.Number(0, label=text("height"), precision=0, minimum=0, maximum=4096)
                    width = gr.Number(0, label=text("width"), precision=0, minimum=0, maximum=4096)
        with gr.Column(scale=3, min_width=320):
            told = gr.HTML(elem_id="generate-status")
            results = gr.Gallery(
                label=text("results"), columns=2, object_fit="contain", height="auto", interactive=False,
                buttons=["download", "fullscreen"], elem_id="generated",
            )  # fmt: skip
            heard = gr.HTML(elem_id="generated-sounds")
    page.fields["generate"] = {
        "prompt": prompt, "negative": negative, "model": model, "steps": steps, "guidance": guidance, "seed": seed,
        "count": count, "solver": solver, "eta": eta, "spacing": spacing, "height": height, "width": width,
        "duration": duration, "loop": loop, "melody": melody, "guidance_share": share,
    }  # fmt: skip
    inputs, outputs = list(page.fields["generate"].values()), [told, results, heard, medium]
    page.fields["generate"]["medium"] = medium
    words = [(prompt, "label", "prompt"), (prompt, "placeholder", "prompt_hint"), (go, "value", "go_generate")]
    follow(medium, model, {"picture": [sizes], "sound": [times, tune]}, [*words, (negative, "label", "negative")])

    def run(
        prompt: str, negative: str, model: str, steps: int, guidance: float, seed: int, count: int, solver: str,
        eta: float, spacing: str, height: int, width: int, duration: float, loop: bool, melody: str | None,
        guidance_share: float, request: gr.Request,
    ) -> Iterator[tuple[Any, ...]]:  # fmt: skip
        """Make pictures from words, or sounds where the model is one of sounds."""
        if not worded(prompt):
            raise gr.Error(said("no_words", request), print_exception=False)
        settings = {
            "prompt": worded(prompt), "negative": worded(negative), "model": model, "steps": steps,
            "guidance": guidance, "guidance_share": guidance_share, "seed": seed, "count": count, "solver": solver,
            "eta": eta, "spacing": spacing,
        }  # fmt: skip
        if medium_of(model) == "sound":
            settings |= {"duration": duration or None, "loop": bool(loop)}
            settings["melody"] = kept_sound(melody, request) if melody else None
        else:
            settings["size"] = [height, width] if height and width else None
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


def shown(job: Job, page: Page, request: gr.Request) -> Iterator[tuple[Any, ...]]:
    """Status and pictures or players of a job until it is over; the switch says which."""
    kind = medium_of(job.settings["model"])
    chosen: Any = kind
    for state, words in following(job, page, request):
        pictures = gr.update(value=state.preview, visible=True) if state.preview else gr.skip()
        sounds = gr.skip()
        if state.state == "done" and kind == "sound":
            pictures, sounds = gr.update(value=None, visible=False), heard_of(state, request)
        elif state.state == "done":
            pictures, sounds = gr.update(value=made_files(state), visible=True), ""
        yield words, pictures, sounds, chosen
        chosen = gr.skip()  # the user may have gone on to the other
