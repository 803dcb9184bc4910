"""Steps that verbs with results share: save files and pictures beside them, and record sentences."""

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from regrow.editing.recipe import Recipe
from regrow.editing.result import Result
from regrow.interfaces.reporting import slug
from regrow.interfaces.server.jobs.job import Job
from regrow.interfaces.server.verbs.beside import lay_beside
from regrow.media.medium import Medium
from regrow.messages.message import say
from regrow.models.model import Model

Open = Callable[[str], Model]
"""Opens a model by its name."""


def keep(job: Job, made: Result, words: Sequence[str], model: Model) -> list[str]:
    """Save results with their recipes into the job's folder, record figures and notes, and return the files' names.

    Args:
        job: that made them.
        made: the results.
        words: of each result, for the name of its file.
        model: that made them.
    """
    names = keep_items(job, made.items, made.rate, made.recipes, words, model.medium, model)
    job.tell(made.notes)
    job.facts |= {"figures": made.recipes[0]["figures"], "guess": made.recipes[0]["guess"]}
    job.summary = summary_of(made.recipes[0]["figures"], made.reused)
    return names


def keep_items(
    job: Job,
    items: Sequence[Tensor],
    rate: int | None,
    recipes: Sequence[Recipe],
    words: Sequence[str],
    medium: Medium,
    model: Model,
) -> list[str]:
    """Save further results of a job, and for sounds the picture that is shown."""
    names = []
    for item, recipe, text in zip(items, recipes, words, strict=True):
        number = len(job.files) + 1
        name = f"{slug(text)}-{number}{medium.ending}"
        job.tell(medium.save(job.folder / name, item, recipe, rate))
        preview = medium.preview(item, rate, model)
        if preview is not None:
            job.lay_beside(f"seen-{number}", preview)
        job.files.append(name)
        names.append(name)
    return names


def lay_original(job: Job, item: Tensor, rate: int | None, model: Model) -> None:
    """Save the original beside the results, in a format that all browsers support, and a picture of it."""
    preview = model.medium.preview(item, rate, model)
    if preview is None:
        lay_beside(job, "original", item)
        return
    job.lay_beside("before", preview)
    job.beside["original"] = f"beside/original{model.medium.ending}"
    model.medium.save(job.folder / job.beside["original"], item, None, rate)


def summary_of(figures: dict[str, Any], reused: bool = False) -> str:
    """Return the sentence on the cost of a result."""
    counted = figures["evaluations"]
    calls = sum(counted.values()) if isinstance(counted, dict) else counted
    kept = say("path_was_kept") if reused else ""
    return say("making_took", calls=calls, seconds=figures["seconds"], kept=kept)
