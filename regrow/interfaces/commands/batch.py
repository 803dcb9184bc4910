"""`regrow batch`."""

import os
import sys
from typing import TYPE_CHECKING, Annotated

import tyro

from regrow.interfaces.commands import Command
from regrow.interfaces.run import MakingOptions
from regrow.requests.batch import Batch

if TYPE_CHECKING:
    from regrow.interfaces.batch.workers import Workers


def batch(request: Annotated[Batch, tyro.conf.arg(name="")], run: MakingOptions) -> None:
    """Run many jobs, one per line of a file; a stopped run can be continued.

    Exit status: 0 = all are done, 1 = some are not.
    """
    from regrow.interfaces.batch.drive import drive
    from regrow.interfaces.batch.jobs import read_jobs
    from regrow.interfaces.batch.summary import print_summary

    jobs = read_jobs(request.jobs, request.set)
    outcome = drive(jobs, request.out, lambda most: _workers(request, run, most), run.json)
    print_summary(jobs, outcome, request.out, run)
    if outcome.count("done") < len(jobs):
        sys.exit(1)


def _workers(request: Batch, run: MakingOptions, most: int) -> "Workers":
    """Start the requested number of workers, but not more than there are jobs."""
    if request.ray:
        from regrow.interfaces.batch.actors import Actors
        from regrow.interfaces.cluster.connect import connect

        cluster = connect(request.ray, max(1, run.threads), run.device.partition(":")[0] == "cuda")
        return Actors(cluster, min(request.workers or cluster.room, most), request.out.absolute(), run)
    from regrow.interfaces.batch.processes import Processes

    room = max(1, (os.cpu_count() or 1) // max(1, run.threads))
    return Processes(min(request.workers or room, most), request.out, run)


COMMAND = Command("batch", 45, batch)
