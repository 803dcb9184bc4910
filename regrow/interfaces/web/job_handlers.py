"""The kinds of work that the page asks for, each from a job's settings to files in the job's folder."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from regrow.core.methods.registry import method
from regrow.editing.codec_cache import through_codec
from regrow.editing.edit import edit as editing
from regrow.editing.explore import explore as exploring
from regrow.editing.generate import generate as generating
from regrow.editing.inspect import inspect as inspecting
from regrow.editing.melody import as_requested
from regrow.editing.recipe import Recipe
from regrow.editing.replay import recipe_in, replay, request_from
from regrow.interfaces.reporting import slug
from regrow.interfaces.web.jobs import At, Job, Work
from regrow.interfaces.web.medium import shows_reconstruction
from regrow.interfaces.web.rewound import rewound
from regrow.interfaces.web.worker import steps_of
from regrow.media.files import MediaError
from regrow.models.denoising import in_tiles
from regrow.models.model import Model
from regrow.requests.edit import USUAL_GUIDANCE, Edit
from regrow.requests.generate import Generate
from regrow.verification.formulas import SECTIONS, verify

Open = Callable[[str], Model]
STRENGTHS, GUIDANCES = (0.5, 0.7, 0.85, 1.0), (2.0, 4.0, 7.0)
"""Of the explore sheet."""


def generate(job: Job, opened: Open) -> Generator[At, None, None]:
    """Pictures or sounds from a prompt."""
    size = job.settings.get("size")
    model = opened(job.settings["model"])
    files = {name: job.settings.get(name) for name in ("melody", "reference_sound")}
    given: dict[str, Any] = _tuples(job.settings) | {name: Path(file) if file else None for name, file in files.items()}
    if size:  # of which one side may be left to the model
        given["size"] = tuple(given_side or own for given_side, own in zip(size, model.size, strict=True))
    request = Generate(**given)
    made = yield from steps_of(generating(request, model), model)
    _keep(job, made.items, made.rate, made.recipes, [request.prompt] * request.count, model)
    job.tell(made.notes)
    job.facts |= {"figures": made.recipes[0]["figures"], "guess": made.recipes[0]["guess"]}


def edit(job: Job, opened: Open) -> Generator[At, None, None]:
    """An edit of every target; beside it the file as it was, and its reconstruction where the page shows one."""
    request = _edit_request(job)
    model = opened(request.model)
    medium = model.medium
    medium.check(request, model)
    frame = medium.load(request.image, model, request)
    request = replace(request, **frame.settings)
    model = in_tiles(model.of_length(frame.content.shape[-1]), request.tiles)
    latents = through_codec(model, frame.content, request.cache).latents
    before = yield from rewound(request, as_requested(request, model, frame.content)[0], latents)
    edited = yield from steps_of(editing(request, model), model)
    _keep(job, edited.items, edited.rate, edited.recipes, request.target, model)
    _lay_original(job, *medium.original(frame), model)
    mask = edited.region.picture(0) if edited.region else None
    if mask is not None:
        job.lay_beside("mask", mask)
    taken = edited.recipes[0]["settings"]["strength"]
    chosen = method(edited.recipes[0]["settings"]["method"])
    # which tune again for every guidance, or have no way back to the picture
    if shows_reconstruction(medium) and not (chosen.tune or chosen.needs):
        # under the source's own prompt guidance leads nowhere, so one evaluation a step is enough
        plain = replace(request, target=(request.source,), to_lyrics="", guidance=1.0, negative=None)
        if request.frame != "region":  # which is cut out around it
            plain = replace(plain, mask=None, region=None)
        # and under sentences as full as the edit's, whose path is there
        expansion = request.prompt_expansion if edited.prompts else "off"
        plain = replace(plain, strength=taken, attention="none", emphasis=(), prompt_expansion=expansion)
        back = yield from steps_of(editing(plain, model), model)
        job.lay_beside("reconstruction", back.frames[0])
        job.facts["reconstruction"] = back.recipes[0]["figures"]["to_source"]
        job.facts["returns_source"] = chosen.returns_source
    job.tell(edited.notes)
    job.facts |= {"strength": taken} if request.strength is None else {}
    job.facts |= {"figures": edited.recipes[0]["figures"], "guess": edited.recipes[0]["guess"]}
    job.facts |= {"rewound": before, "reused": edited.reused and not before}


def explore(job: Job, opened: Open) -> Generator[At, None, None]:
    """One target at several strengths and guidances; only to be looked at, and to take a cell's settings."""
    request = _edit_request(job)
    request = replace(request, target=request.target[:1])
    model = opened(request.model)
    # a method that tunes does so for one guidance
    guidance = USUAL_GUIDANCE if request.guidance is None else request.guidance
    guidances = (guidance,) if method(request.method).tune else GUIDANCES
    explored = yield from steps_of(exploring(request, model, STRENGTHS, guidances), model)
    cells = []
    for i, cell in enumerate(explored.cells):
        job.lay_beside(f"cell-{i}", cell.picture)
        cells.append({"strength": cell.request.strength, "guidance": cell.request.guidance})
    job.facts |= {"cells": cells, "figures": {"evaluations": explored.evaluations, "seconds": explored.seconds}}
    job.tell(explored.notes)


def again(job: Job, opened: Open) -> Generator[At, None, None]:
    """A result of the page made again, with whether it is the same; its input and mask are found by who asks."""
    recipe = recipe_in(Path(job.settings["file"]))
    places = []
    for read in ("input", "mask", "reference_sound"):
        if "file" in recipe.get(read, ()):
            if not job.settings.get(read):
                raise MediaError("What this was made from is not on the page any more: drop it on the Edit tab.")
            places.append(Path(job.settings[read]).parent)
    request = request_from(recipe, *places)
    model = opened(request.model)
    replayed = yield from steps_of(replay(recipe, request, model), model)
    name = Path(job.settings["file"]).stem
    _keep(job, [replayed.item], replayed.rate, [replayed.recipe], [name], model)
    job.facts |= {"identical": replayed.identical, "figures": replayed.recipe["figures"]}


def look(job: Job, opened: Open) -> Generator[At, None, None]:
    """The page of `regrow inspect`, and the levels of the model's path to noise."""
    model, steps = opened(job.settings["model"]), job.settings["steps"]
    yield At("look", 0, 0)
    walk = inspecting(Path(job.settings["image"]), job.settings["source"], steps, model)
    inspected = yield from steps_of(walk, model)
    assert inspected.page is not None
    job.lay_beside("page", inspected.page)
    job.facts["alpha_bar"] = [level.alpha**2 for level in model.grid(steps, shape=model.latent_shape(*model.extent))]
    job.facts |= inspected.lost
    job.tell(inspected.facts["notes"])


def prove(job: Job, opened: Open) -> Generator[At, None, None]:
    """`regrow verify`, row by row."""
    rows = job.facts["rows"] = []
    for check in verify():
        figures = ["" if value is None else f"{value:.1e}" for value in (check.error, check.tolerance)]
        rows.append([check.state, check.name, *figures, check.formula, check.source, check.against])
        yield At("verify", len(rows), 0)
    job.facts["sections"] = len(SECTIONS)


KINDS: dict[str, Work] = {
    "generate": generate,
    "edit": edit,
    "explore": explore,
    "again": again,
    "look": look,
    "verify": prove,
}


def _edit_request(job: Job) -> Edit:
    settings = _tuples(job.settings)
    mask = settings["mask"] if settings["mask"] in (None, "auto") else Path(settings["mask"])
    return Edit(**{**settings, "image": Path(settings["image"]), "mask": mask})


def _keep(
    job: Job, items: Sequence[Tensor], rate: int | None, recipes: Sequence[Recipe], words: Sequence[str], model: Model
) -> None:
    """Write results into the job's folder, each with its recipe, and a picture beside it where it is none."""
    for i, (item, recipe) in enumerate(zip(items, recipes, strict=True), 1):
        name = f"{slug(words[i - 1])}-{i}{model.medium.ending}"
        job.notes += model.medium.save(job.folder / name, item, recipe, rate)
        preview = model.medium.preview(item, rate, model)
        if preview is not None:
            job.lay_beside(f"seen-{i}", preview)
        job.files.append(name)


def _lay_original(job: Job, item: Tensor, rate: int | None, model: Model) -> None:
    """Lay what was edited beside the results, in a format that every browser shows, and a picture of it."""
    preview = model.medium.preview(item, rate, model)
    if preview is None:
        job.lay_beside("original", item)
        return
    job.lay_beside("before", preview)
    job.beside["original"] = f"beside/original{model.medium.ending}"
    model.medium.save(job.folder / job.beside["original"], item, None, rate)


def _tuples(settings: dict) -> dict:
    """Settings as they come from JSON, which knows no tuples."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()}
