"""Run `regrow bench hostile`, and print its results."""

from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING

from regrow.benchmark.hostile import figures as hostile_figures
from regrow.benchmark.hostile.bench import bench_hostile
from regrow.benchmark.hostile.kills import bench_kills
from regrow.interfaces.bench_verbs import report_figures
from regrow.interfaces.hostile import all_kinds
from regrow.interfaces.reporting import set_threads, watched
from regrow.media.output import check_output
from regrow.messages.message import say

if TYPE_CHECKING:
    from regrow.interfaces.run import Report
    from regrow.requests.bench_hostile import BenchHostile


def hostile(request: "BenchHostile", run: "Report") -> None:
    """Read damaged inputs, and kill trainings."""
    if find_spec("httpx") is None:
        raise ValueError(say("hostile_needs_httpx"))
    if request.figures:
        check_output(request.figures)
    set_threads(run)
    found = killed = None
    if request.inputs:
        given = (request.inputs, request.seed, request.only, request.first, request.keep)
        found = watched(bench_hostile(all_kinds, *given), run)
    if request.kills:
        killed = watched(bench_kills(request.kills, request.seed), run)
    print_table = partial(hostile_figures.print_table, found, killed)
    kept = (request.keep,) if found and found.failures else ()
    report_figures(hostile_figures.as_dict(found, killed), run, print_table, request.figures, kept)
