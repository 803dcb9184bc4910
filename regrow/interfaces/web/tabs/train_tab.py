"""The Train tab: a folder of pictures or sounds becomes a model, in a process that outlives page and server."""

import re
import shutil
import time
from pathlib import Path
from typing import Any, get_args

import gradio as gr
import pandas

from regrow.interfaces.web import processes
from regrow.interfaces.web.fields import ModelField, accessible_names
from regrow.interfaces.web.medium import follow, switch
from regrow.interfaces.web.own_files import owner_of
from regrow.interfaces.web.places import page as place
from regrow.interfaces.web.shared import Page, beginnings, model_names, plain, whole, worded
from regrow.interfaces.web.tabs import Tab
from regrow.interfaces.web.texts import as_page_says, refusal, said, text
from regrow.media.home import home
from regrow.requests.train import NewSize, Train

NAME = re.compile(r"\w[\w .-]{0,60}")


def build(page: Page, tab: Any) -> None:
    """Build the tab."""
    with gr.Row():
        with gr.Column(scale=2, min_width=320):
            medium = switch("train-medium")
            folder = gr.Textbox(label=text("set"), visible=page.local, elem_id="train-folder")
            files = gr.File(label=text("upload_set"), file_count="multiple", height=170)
            name = gr.Textbox(label=text("model_name"), elem_id="train-name")
            start_from = ModelField(beginnings(), value="storybook", label=text("from"), elem_id="train-from")
            sizes = [(text(f"new_{size}"), size) for size in get_args(NewSize)]
            new = gr.Dropdown(sizes, value="small", label=text("new_size"), visible=False, elem_id="train-new")
            how_long = gr.Textbox("20m", label=text("how_long"), elem_id="train-time")
            with gr.Accordion(text("settings"), open=False):
                lora = gr.Slider(0, 64, 0, step=1, label=text("lora"))
                batch = gr.Slider(1, 128, 32, step=1, label=text("batch"), elem_id="train-batch")
                minutes = gr.Number(2, label=text("minutes"), minimum=0)
                steps = gr.Number(0, label=text("train_steps"), precision=0, minimum=0, elem_id="train-steps")
                seed = gr.Number(0, label=text("seed"), precision=0)
            with gr.Row():
                rehearse = gr.Button(text("rehearse"), size="md", elem_id="rehearse")
                go = gr.Button(text("go_train"), variant="primary", size="md", elem_id="go-train")
            answer = gr.Textbox(show_label=False, container=False, interactive=False, lines=1, max_lines=12,
                              elem_id="train-told")  # fmt: skip
        with gr.Column(scale=3, min_width=320):
            chosen = gr.Dropdown(processes.runs(), label=text("runs"), interactive=True, elem_id="runs")
            status = gr.HTML(elem_id="train-status")
            with gr.Row():
                stop = gr.Button(text("stop"), variant="stop", size="md", elem_id="stop-train")
                resume = gr.Button(text("resume"), size="md", elem_id="resume")
            loss = gr.LinePlot(x="step", y="loss", color="curve", label=text("loss"), height=300, elem_id="loss")
            samples = gr.Image(label=text("samples"), interactive=False, buttons=["fullscreen"], elem_id="samples")
            accessible_names(samples)
            log = gr.Textbox(label=text("log"), interactive=False, lines=4, max_lines=12, elem_id="train-log")
    models = gr.State([])  # as they were last seen, since a training that ends makes one more
    last_shown = gr.State(None)  # what the tab showed last
    page.fields["train"] = {"start": start_from, "models": models, "tab": tab}
    clock = gr.Timer(2)
    words = [(folder, "label", "set"), (files, "label", "upload_set"), (batch, "label", "batch")]
    follow(medium, start_from, {}, words)
    start_from.change(lambda start: gr.update(visible=not start), start_from, new, api_visibility="private",
                      show_progress="hidden", queue=False)  # fmt: skip
    inputs = [folder, files, name, medium, start_from, new, how_long, lora, batch, minutes, steps, seed]

    def arguments(request: gr.Request, folder: str, files: list[str] | None, name: str, *rest: Any) -> list[str]:
        kind, start, new, how_long, lora, batch, minutes, steps, seed = rest
        name = worded(name)
        if not NAME.fullmatch(name):
            raise gr.Error(said("no_name", request), print_exception=False)
        if (home() / "runs" / name).exists() or (home() / "models" / name).exists():
            raise gr.Error(said("name_taken", request, name=name), print_exception=False)
        data = _set(name, files) if files else worded(folder)
        if not data:
            raise gr.Error(said("no_set", request), print_exception=False)
        if not files and not page.local:
            raise gr.Error(said("local_only", request), print_exception=False)
        given = {
            "data": Path(data).expanduser().resolve(),
            "name": name,
            "start": start,
            "new": None if start else new,
            "medium": kind,
            "lora": int(lora),
        }
        given |= {"batch": int(batch), "sample_minutes": minutes}
        given |= {"seed": whole(seed, "seed", request), "steps": whole(steps, "train_steps", request)}
        try:
            training = Train(**given, time="" if steps else worded(how_long))
        except ValueError as problem:
            raise refusal(problem, request) from problem
        return command_of(training)

    def dry_run(request: gr.Request, *values: Any) -> Any:
        _, uploaded, name, *_ = values
        command = [*arguments(request, *values), "--dry-run"]
        yield "..."
        key = f".rehearsal-{owner_of(request)[:16]}"
        processes.start(key, command)
        while processes.running(key):
            time.sleep(0.2)
        if uploaded:
            shutil.rmtree(_place_of_set(name), ignore_errors=True)
        yield _in_its_language(processes.sentences(processes.output(key)), request)

    def begin(request: gr.Request, *values: Any) -> tuple[str, Any]:
        command = arguments(request, *values)
        name = command[command.index("--name") + 1]
        if processes.running(name):
            raise gr.Error(said("already", request), print_exception=False)
        processes.start(name, [*command, "--json"])
        return said("started", request), gr.update(choices=processes.runs(), value=name)

    def go_on(name: str | None, request: gr.Request) -> str:
        if not name or processes.running(name):
            return said("already", request)
        processes.start(name, ["train", "--resume", name, "--json"])
        return said("started", request)

    def end(name: str | None, request: gr.Request) -> str:
        return said("stopping", request) if name and processes.stop(name) else ""

    def show(name: str | None, before: Any, request: gr.Request) -> tuple[Any, ...]:
        names, known = processes.runs(), model_names()
        name = name if name in names else names[0] if names else None
        run = processes.run(name) if name else None
        now = (names, known, run)
        if now == before:  # a page that has seen it draws nothing anew
            return tuple(gr.skip() for _ in outputs)
        if run is None:
            return gr.update(choices=[], value=None), "", None, None, "", known, now
        state = said(run.state, request)
        words = said("run_line", request, name=name, state=state, step=run.step)
        if run.loss is not None:
            words += said("run_loss", request, loss=f"{run.loss:.4f}")
        if run.rate:
            words += said("run_rate", request, rate=f"{run.rate:.1f}")
        if run.left:
            words += said("run_left", request, left=run.left)
        status = f'<div class="status {run.state}" role="status">{plain(words)}</div>'
        choice, curves = gr.update(choices=names, value=name), _curves(run.losses)
        return choice, status, curves, processes.grid(run), _in_its_language(run.said, request), known, now

    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    outputs = [chosen, status, loss, samples, log, models, last_shown]
    rehearse.click(dry_run, inputs, answer, **quiet)
    go.click(begin, inputs, [answer, chosen], **quiet).then(show, [chosen, last_shown], outputs, **quiet)
    resume.click(go_on, chosen, answer, **quiet)
    stop.click(end, chosen, answer, **quiet)
    clock.tick(show, [chosen, last_shown], outputs, **quiet)


def _in_its_language(words: str, request: gr.Request) -> str:
    """Sentences, one a line, as the page says them."""
    return "\n".join(as_page_says(line, request) for line in words.splitlines())


def _curves(losses: list[tuple[int, float, str]]) -> pandas.DataFrame | None:
    """The plot's table of a run's losses; none where there are none yet, since an empty plot stays empty.

    A plot keeps the curves that it began with, too: so both are there before their first values.
    """
    if not losses:
        return None
    awaited = [(losses[0][0], float("nan"), curve) for curve in ("training", "held out")]
    return pandas.DataFrame([*awaited, *losses], columns=["step", "loss", "curve"])


def command_of(training: Train) -> list[str]:
    """The command line of what the tab can ask for."""
    times = ["--steps", str(training.steps)] if training.steps else ["--for", training.time]
    beginning = ["--from", training.start] if training.start else []
    beginning += ["--new", training.new] if training.new else []
    return [
        "train", str(training.data), "--name", training.name, "--medium", str(training.medium), *beginning, *times,
        "--lora", str(training.lora), "--batch", str(training.batch), "--sample-minutes", str(training.between_grids),
        "--seed", str(training.seed),
    ]  # fmt: skip


def _set(name: str, files: list[str]) -> str:
    """A folder of its own for uploaded pictures or sounds, and captions."""
    folder = _place_of_set(name)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for file in files:
        shutil.copyfile(file, folder / Path(file).name)
    return str(folder)


def _place_of_set(name: str) -> Path:
    return place() / "sets" / worded(name)


TAB = Tab("train", 4, build)
