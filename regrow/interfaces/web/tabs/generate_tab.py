"""The Generate tab: pictures and sounds from words."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any, get_args

import gradio as gr

from regrow.core.names import SolverName, Spacing
from regrow.interfaces.web.audio_player import players_of
from regrow.interfaces.web.fields import MODEL_OWN, ModelField, sound_field
from regrow.interfaces.web.jobs import Job
from regrow.interfaces.web.medium import PLAYED, follow, medium_of, switch
from regrow.interfaces.web.own_files import owner_of
from regrow.interfaces.web.places import MOST_SECONDS
from regrow.interfaces.web.shared import (
    DRAWN,
    Page,
    following,
    made_files,
    model_names,
    seeded,
    whole,
    worded,
)
from regrow.interfaces.web.tabs import Tab
from regrow.interfaces.web.tabs.song_fields import song_fields, song_in
from regrow.interfaces.web.texts import options, said, text
from regrow.requests.generate import Generate

MOST_SIDE = 2048
"""Pixels of a side: what the embedded models are made for is a sixteenth of that."""
DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(Generate)}


def build(page: Page, tab: Any) -> None:
    """Build the tab."""
    with gr.Row():
        with gr.Column(scale=2, min_width=320):
            medium = switch("generate-medium")
            prompt = gr.Textbox(label=text("prompt"), placeholder=text("prompt_hint"), lines=2, elem_id="prompt")
            negative = gr.Textbox(label=text("negative"))
            with gr.Row():
                count = gr.Slider(1, 8, DEFAULTS["count"], step=1, label=text("count"))
                seed = gr.Number(DRAWN, label=text("seed"), elem_id="seed")
            with gr.Row(visible=False) as times:
                duration = gr.Number(0, label=text("duration"), elem_id="duration")
                loop = gr.Checkbox(label=text("loop"), elem_id="loop")
            with gr.Column(visible=False) as tune:
                song = song_fields("generate")
                melody = sound_field(label=text("melody"), elem_id="melody")
                reference = sound_field(label=text("reference_sound"), elem_id="reference-sound")
            go = gr.Button(text("go_generate"), variant="primary", elem_id="go-generate")
            with gr.Row():
                again = gr.Button(text("again"), size="md", elem_id="again")
                cancel = gr.Button(text("cancel"), variant="stop", size="md", elem_id="cancel-generate")
            with gr.Accordion(text("settings"), open=False):
                names = model_names()
                model = ModelField(names, value=DEFAULTS["model"], label=text("model"))
                steps = gr.Slider(0, 200, 0, step=1, label=text("edit_steps"), elem_id="generate-steps")
                guidance = gr.Slider(0, 15, 0, step=0.1, label=text("own_guidance"))
                share = gr.Slider(0, 1, DEFAULTS["guidance_share"], step=0.05, label=text("guidance_share"))
                expansion = gr.Radio(
                    options(["on", "off"]),
                    value=DEFAULTS["prompt_expansion"],
                    label=text("drawn_expansion"),
                    elem_id="drawn-expansion",
                )
                solver = gr.Dropdown(options([MODEL_OWN, *get_args(SolverName)]), value=MODEL_OWN, label=text("solver"))
                eta = gr.Slider(0, 1, DEFAULTS["eta"], step=0.05, label=text("eta"))
                spacing = gr.Dropdown(options(get_args(Spacing)), value=DEFAULTS["spacing"], label=text("spacing"))
                with gr.Row() as sizes:
                    height = gr.Number(0, label=text("height"), elem_id="height")
                    width = gr.Number(0, label=text("width"), elem_id="width")
        with gr.Column(scale=3, min_width=320):
            status = gr.HTML(elem_id="generate-status")
            results = gr.Gallery(
                label=text("results"), columns=2, object_fit="contain", height="auto", interactive=False,
                buttons=["download", "fullscreen"], elem_id="generated",
            )  # fmt: skip
            players_shown = gr.HTML(elem_id="generated-sounds")
    page.fields["generate"] = {
        "prompt": prompt, "negative": negative, "model": model, "steps": steps, "guidance": guidance, "seed": seed,
        "count": count, "solver": solver, "eta": eta, "spacing": spacing, "height": height, "width": width,
        "duration": duration, "loop": loop, "melody": melody, "guidance_share": share, "prompt_expansion": expansion,
        "reference_sound": reference, **song,
    }  # fmt: skip
    inputs, outputs = list(page.fields["generate"].values()), [status, results, players_shown, medium]
    page.fields["generate"]["medium"] = medium
    words = [(prompt, "label", "prompt"), (prompt, "placeholder", "prompt_hint"), (go, "value", "go_generate")]
    follow(medium, model, {"picture": [sizes], "sound": [times, tune]}, [*words, (negative, "label", "negative")])

    names = list(page.fields["generate"])[: len(inputs)]

    def settings_of(request: gr.Request, values: tuple[Any, ...]) -> dict[str, Any]:
        given = dict(zip(names, values, strict=True))
        height, width, duration, loop, tune = (given.pop(n) for n in ("height", "width", "duration", "loop", "melody"))
        voice, sung = given.pop("reference_sound"), song_in({name: given.pop(name) for name in song})
        for name in ("prompt", "negative"):
            given[name] = worded(given[name])
        if not given["prompt"] and not sung["lyrics"]:
            raise gr.Error(said("no_words", request), print_exception=False)
        given |= {"steps": int(given["steps"]) or None, "guidance": given["guidance"] or None}
        given["solver"] = None if given["solver"] == MODEL_OWN else given["solver"]

        def of_sounds() -> dict[str, Any]:
            if not 0 <= (duration or 0) <= MOST_SECONDS:
                raise gr.Error(said("no_duration", request, most=MOST_SECONDS), print_exception=False)
            melody, reference = (page.kept("sound", file, request) if file else None for file in (tune, voice))
            return {
                "duration": duration or None, "loop": bool(loop), "melody": melody, "reference_sound": reference, **sung
            }  # fmt: skip

        def of_pictures() -> dict[str, Any]:
            sides = [whole(side, name, request) for side, name in ((height, "height"), (width, "width"))]
            if max(sides) > MOST_SIDE:
                raise gr.Error(said("too_wide", request, most=MOST_SIDE), print_exception=False)
            return {"size": sides if any(sides) else None}

        return given | {"picture": of_pictures, "sound": of_sounds}[medium_of(given["model"])]()

    def run(request: gr.Request, *values: Any, fresh: bool = False) -> Iterator[tuple[Any, ...]]:
        settings = settings_of(request, values)
        settings["seed"], drawn = seeded(DRAWN if fresh else settings["seed"], request)
        yield from shown(page.ask(request, "generate", settings, drawn), page, request)

    def run_again(request: gr.Request, *values: Any) -> Iterator[tuple[Any, ...]]:
        yield from run(request, *values, fresh=True)

    def api(request: gr.Request, prompt: str, model: str, seed: float, count: float, duration: float) -> list[str]:
        """Make pictures or sounds from words; a duration of 0 is the model's own. All else as on a fresh page."""
        given = {"prompt": prompt, "model": model, "seed": seed, "count": count, "duration": duration}
        given |= {"melody": None, "reference_sound": None}
        values = {name: page.fields["generate"][name].value for name in names} | given
        settings = settings_of(request, tuple(values.values()))
        settings["seed"], _ = seeded(settings["seed"], request)
        return page.made(request, "generate", settings)

    def stop(request: gr.Request) -> None:
        """Cancel what this browser generates."""
        if job := page.worker.latest(owner_of(request), ("generate",)):
            page.worker.cancel(job)

    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    last: dict[str, Any] = quiet | {"trigger_mode": "multiple"}  # what is asked for while something grows counts too
    for trigger in (go.click, prompt.submit):
        trigger(run, inputs, outputs, **last)
    again.click(run_again, inputs, outputs, **last)
    page.reports(melody, "sound")
    page.reports(reference, "sound")
    files = gr.File(file_count="multiple", visible=False)
    gr.Button(visible=False).click(api, [prompt, model, seed, count, duration], files, api_name="generate")
    cancel.click(stop, None, None, api_name="cancel_generate", queue=False)
    page.last_jobs["generate"] = shown, outputs


def shown(job: Job, page: Page, request: gr.Request) -> Iterator[tuple[Any, ...]]:
    """Status and pictures or players of a job until it is over; the switch says which."""
    kind = medium_of(job.settings["model"])
    chosen: Any = kind
    for state, words in following(job, page, request):
        pictures = gr.update(value=state.preview, visible=True) if state.preview else gr.skip()
        sounds = gr.skip()
        if state.state == "done" and kind in PLAYED:
            pictures, sounds = gr.update(value=None, visible=False), players_of(state, request)
        elif state.state == "done":
            pictures, sounds = gr.update(value=made_files(state), visible=True), ""
        yield words, pictures, sounds, chosen
        chosen = gr.skip()  # the user may have gone on to the other


TAB = Tab("generate", 2, build)
