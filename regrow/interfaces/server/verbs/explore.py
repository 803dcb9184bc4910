"""Explore: edit by one target at several strengths and guidances."""

from collections.abc import Generator
from dataclasses import replace

from regrow.core.methods.registry import method
from regrow.editing.explore import explore as operation
from regrow.interfaces.server.jobs.job import At, Job
from regrow.interfaces.server.jobs.previews import steps_of
from regrow.interfaces.server.schemas.requests import Explore
from regrow.interfaces.server.verbs.making import Open, summary_of
from regrow.interfaces.server.verbs.requests import request_of
from regrow.interfaces.server.verbs.single import as_edit
from regrow.requests.edit import USUAL_GUIDANCE


def explore(job: Job, opened: Open) -> Generator[At, None, None]:
    """Make a sheet from which the user can take the settings of a cell."""
    grid = request_of("explore", Explore, job.settings)
    request = as_edit(grid)
    request = replace(request, target=request.target[:1])
    model = opened(request.model)
    # methods that tune do so for a single guidance
    guidance = USUAL_GUIDANCE if request.guidance is None else request.guidance
    guidances = (guidance,) if method(request.method).tune else grid.guidances
    explored = yield from steps_of(operation(request, model, grid.strengths, guidances), model)
    cells = []
    for i, cell in enumerate(explored.cells):
        job.lay_beside(f"cell-{i}", cell.picture)
        url = f"/api/results/{job.id}/beside/cell-{i}.png"
        cells.append({"strength": cell.request.strength, "guidance": cell.request.guidance, "url": url})
    job.facts |= {"cells": cells, "figures": {"evaluations": explored.evaluations, "seconds": explored.seconds}}
    job.tell(explored.notes)
    job.summary = summary_of(job.facts["figures"])


WORK = explore
