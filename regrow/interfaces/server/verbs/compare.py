"""Compare: make one edit by several methods, strengths, guidances and models, and measure each."""

import math
from collections.abc import Generator
from dataclasses import replace
from itertools import product
from typing import Any

from regrow.editing.result import Result
from regrow.interfaces.server.jobs.job import At, Job
from regrow.interfaces.server.schemas.requests import Compare
from regrow.interfaces.server.verbs.making import Open, keep_items, lay_original
from regrow.interfaces.server.verbs.requests import request_of
from regrow.interfaces.server.verbs.single import as_edit, edited
from regrow.media.image.distance import WINDOW, psnr, ssim
from regrow.messages.message import as_json, say, sentence_of
from regrow.models.model import Model
from regrow.requests.edit import Edit

OUTSIDE, WHOLE = "outside", "whole"
"""Where distances to the source are measured: outside the mask, or everywhere."""


def compare(job: Job, opened: Open) -> Generator[At, None, None]:
    """Make a result and a row of figures for each combination; the row of a refused one holds the reason."""
    grid = request_of("compare", Compare, job.settings)
    request = as_edit(grid)
    ways = list(product(grid.models or (request.model,), grid.methods or (request.method,)))
    each = list(product(grid.strengths or (request.strength,), grid.guidances or (request.guidance,)))
    rows: list[dict[str, Any]] = []
    job.facts |= {"rows": rows, "items": {}, "measured": OUTSIDE if request.mask or request.region else WHOLE}
    for (model_name, method), (strength, guidance) in product(ways, each):
        way = {"method": method, "strength": strength, "guidance": guidance, "model": model_name}
        try:
            tried = replace(request, **way)
            model = opened(model_name)
            made, _ = yield from edited(tried, model)
        except (ValueError, OSError) as problem:
            rows.append(way | _nothing(as_json(sentence_of(problem))))
            continue
        _add(job, rows, way, tried, made, model)
    if all(row["error"] for row in rows):
        raise ValueError(rows[0]["error"])
    job.summary = say("cells_made", count=sum(not row["error"] for row in rows), whole=len(rows))


def _add(job: Job, rows: list[dict[str, Any]], way: dict[str, Any], request: Edit, made: Result, model: Model) -> None:
    """Store the results of one combination, and add their rows."""
    words = [f"{target} {way['method']}" for target in request.target]
    names = keep_items(job, made.items, made.rate, made.recipes, words, model.medium, model)
    if "original" not in job.beside:
        assert made.frame, "a file was changed"
        lay_original(job, *model.medium.original(made.frame), model)
    job.tell(note for note in made.notes if note not in job.notes)
    for i, (name, target) in enumerate(zip(names, request.target, strict=True)):
        settings, figures = made.recipes[i]["settings"], made.recipes[i]["figures"]
        counted = figures["evaluations"]
        taken = {key: settings[key] for key in ("method", "strength", "guidance")}
        rows.append(
            way | taken | _distances(made, i, model)
            | {"target": target, "evaluations": sum(counted.values()), "seconds": figures["seconds"]}
            | {"result": f"{job.id}/{name}", "error": ""}
        )  # fmt: skip
        job.facts["items"][name] = {"words": target, "method": settings["method"], "model": way["model"]}
    job.facts["guess"] = made.recipes[0]["guess"]


def _distances(made: Result, index: int, model: Model) -> dict[str, Any]:
    """Return distances of a result to the source by name: outside the mask if there is one."""
    mask = made.region.picture(index) if made.region else None
    if mask is None:
        return {"psnr": None, "ssim": None} | made.recipes[index]["figures"]["to_source"]
    assert made.frame, "a file was changed"
    before, result, stays = model.medium.original(made.frame)[0], made.items[index], mask[0] <= -1
    inner = stays[WINDOW // 2 : -(WINDOW // 2), WINDOW // 2 : -(WINDOW // 2)]
    if not inner.any() or before.shape != result.shape:  # everything may change, or a layer was added
        return {"psnr": None, "ssim": None}
    decibels = psnr(result, before, stays)
    return {
        "psnr": None if math.isinf(decibels) else round(decibels, 2),
        "ssim": round(ssim(result, before, stays), 4),
    }


def _nothing(error: str | dict[str, Any]) -> dict[str, Any]:
    nothing = dict.fromkeys(("psnr", "ssim", "evaluations", "seconds", "result", "target"))
    return nothing | {"error": error}


WORK = compare
