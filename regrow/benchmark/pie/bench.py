"""Run PIE-Bench: edit the same pictures by every method, save the results at once, and measure as its paper does."""

import time
from collections.abc import Generator
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any

from jaxtyping import Float
from PIL import Image
from torch import Tensor

from regrow.benchmark.pie.figures import PieFigures, PieMeasured
from regrow.benchmark.pie.measure import PieNetworks, PieResult, measure
from regrow.benchmark.pie.tasks import MAPPING, PICTURES, SAVED, PieTask, decode_mask, read_tasks
from regrow.benchmark.results_store import ResultLines
from regrow.core.methods.registry import method, names
from regrow.core.progress import Progress, finish
from regrow.editing.edit import edit
from regrow.editing.steps import with_own_method, without_guidance
from regrow.media.files import write_whole
from regrow.media.image.picture import load, to_uint8
from regrow.models.model import Model
from regrow.requests.bench import BenchPie
from regrow.requests.edit import Edit

RESULTS = "results.jsonl"
SETTINGS = ("steps", "guidance", "guidance_share", "invert_guidance", "strength", "attention", "seed")
"""Settings of the request that all methods share."""


def bench_pie(model: Model, request: BenchPie, networks: PieNetworks) -> Generator[Progress, None, PieFigures]:
    """Edit the pictures of PIE-Bench by each method, and measure the results.

    A result that is already in the results folder is not made again, and is measured again only if the measuring
    networks differ. Results are saved under the names of their sources, as by the benchmark's own programs: a .jpg is
    compressed at Pillow's default quality of 75, and measured after compression.

    Args:
        model: a picture model that takes prompts.
        request: the folder, the methods and their settings.
        networks: the networks that measure the results.

    Raises:
        MediaError: the benchmark's folder has a wrong layout, or a task in it is broken.
        ValueError: the model takes no prompts, a method or setting does not fit, or the results folder belongs to
            another model or other settings.
    """
    started = time.monotonic()
    if not model.takes_words:
        raise ValueError(f"{model.name} takes no prompts, and PIE-Bench edits by prompts: take another model.")
    tasks = read_tasks(request.folder, request.categories, request.limit)
    first = {name: _edit_of(request, model, name, tasks[0]) for name in request.methods if not _is_made(request, name)}
    settings = {name: getattr(request, name) for name in SETTINGS}
    heading = {"model": model.content_hash, "dtype": str(model.dtype).removeprefix("torch."), **settings}
    otherwise = "another model, precision or other settings; name another folder by --kept"
    lines = ResultLines(request.kept / RESULTS, heading, otherwise)
    measured = []
    for name in request.methods:
        failure, notes = _why_not(first[name], model) if name in first else ("", ())
        if failure:
            measured.append(PieMeasured(name, failure=failure))
            continue
        results, seconds = [], []
        for i, task in enumerate(tasks):
            outcome = _outcome(request, model, name, task, networks, lines)
            results.append((task.category, PieResult(**outcome["figures"])))
            if outcome["seconds"] is not None:
                seconds.append(outcome["seconds"])
            yield Progress(name, i + 1, len(tasks))
        measured.append(PieMeasured(name, tuple(results), tuple(seconds), notes))
    return PieFigures(
        model.name, settings, tuple(measured), networks.names, networks.missing, round(time.monotonic() - started, 1)
    )


def _is_made(request: BenchPie, name: str) -> bool:
    """Return whether a name is a folder of results that another program made."""
    return name not in names() and Path(name).name == name and (request.kept / name / PICTURES).is_dir()


def _edit_of(request: BenchPie, model: Model, name: str, task: PieTask) -> Edit:
    chosen = method(name)
    # the published rows use the empty negative prompt, unless the method sets its own
    negative = None if chosen.own_negative or chosen.needs else ""
    instructs = model.edits_by_instruction and chosen.needs
    return Edit(
        task.image, (task.instruction if instructs else task.target,), task.source, method=name,
        negative=negative, prompt_expansion="off", cache=False, **{name: getattr(request, name) for name in SETTINGS},
    )  # fmt: skip


def _why_not(request: Edit, model: Model) -> tuple[str, tuple[str, ...]]:
    """Return a sentence that says why a method does not work with a model, or "" and notes if it does."""
    try:
        own, _ = with_own_method(request, model)
        _, notes = without_guidance(own, model)
    except ValueError as problem:
        return str(problem), ()
    if method(own.method) is not method(request.method):
        return f"{model.name} cannot be edited by it; take --methods {own.method}.", ()
    return "", notes


def _outcome(
    request: BenchPie, model: Model, name: str, task: PieTask, networks: PieNetworks, lines: ResultLines
) -> dict[str, Any]:
    """Return the figures and seconds of one edit, from this run or an earlier one."""
    path, key = request.kept / name / PICTURES / task.place, f"{name} {task.id}"
    before = lines.values.get(key)
    if before and before["networks"] == networks.names:
        return before
    seconds = before["seconds"] if before else None
    try:
        if not path.is_file() and not _is_made(request, name):
            begun = time.monotonic()
            made = finish(edit(_edit_of(request, model, name, task), model)).items[0]
            seconds = round(time.monotonic() - begun, 3)
            _save(path, made)
        source = load(task.image).pixels
        result = _own_part(load(path).pixels, source)
        mask = decode_mask(task.runs, *source.shape[-2:])
        figures = asdict(measure(source, result, mask, task.target, networks))
    except ValueError as problem:
        raise ValueError(f"{name} on {task.id} of {MAPPING}: {problem}") from problem
    lines.add(key, {"networks": networks.names, "figures": figures, "seconds": seconds})
    return lines.values[key]


def _save(path: Path, picture: Float[Tensor, "channels h w"]) -> None:
    encoded = BytesIO()
    Image.fromarray(to_uint8(picture)).save(encoded, SAVED[path.suffix.lower()])
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, encoded.getvalue())


def _own_part(picture: Float[Tensor, "3 h w"], source: Float[Tensor, "3 y x"]) -> Float[Tensor, "3 y x"]:
    """Return the result alone: some programs save a strip of pictures, with the result at its right end."""
    height, width = source.shape[-2:]
    is_strip = picture.shape[-2] >= height and picture.shape[-1] > width
    return picture[:, -height:, -width:] if is_strip else picture
