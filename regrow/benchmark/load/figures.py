"""The figures of a load: waiting times, response times, and growth of the memory."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import linear_regression, mean, quantiles
from typing import Any, TextIO

from regrow.benchmark.load.clients import Done

SETTLED = 100
"""Jobs after which memory growth is measured: caches are full by then."""


@dataclass(frozen=True)
class Memory:
    """A measurement of the server's memory.

    Attributes:
        at: seconds since the load began.
        jobs: number of jobs done by then.
        megabytes: resident MiB of the server and its workers.
    """

    at: float
    jobs: int
    megabytes: float


@dataclass(frozen=True)
class LoadFigures:
    """Figures of a load.

    Attributes:
        clients: number of programs.
        browsers: number of browsers.
        seconds: duration until the last result.
        done: finished jobs.
        faults: sentences on what was wrong; empty if nothing was.
        answers: response times of the server to small requests, in seconds.
        memory: measurements of the server's memory.
    """

    clients: int
    browsers: int
    seconds: float
    done: Sequence[Done]
    faults: Sequence[str]
    answers: Sequence[float]
    memory: Sequence[Memory]

    @property
    def slope(self) -> float | None:
        """Memory growth in MiB per job, by least squares after the first `SETTLED` jobs; None if there are too few."""
        settled = [one for one in self.memory if one.jobs >= SETTLED]
        if len({one.jobs for one in settled}) < 2:
            return None
        return linear_regression([one.jobs for one in settled], [one.megabytes for one in settled]).slope

    def lines(self) -> Iterator[dict[str, Any]]:
        """Yield the lines of a JSON Lines file: the summary, each job, each measurement of the memory."""
        yield {"kind": "summary", **as_dict(self)}
        yield from ({"kind": "job", **asdict(one)} for one in self.done)
        yield from ({"kind": "memory", **asdict(one)} for one in self.memory)


def percentile(values: Sequence[float], percent: int) -> float | None:
    """Return a percentile from 1 to 99, interpolated between neighbours; None if there are no values."""
    if len(values) < 2:
        return values[0] if values else None
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def as_dict(figures: LoadFigures) -> dict[str, Any]:
    """Return the summary of a load JSON-able."""
    done = figures.done
    spread = {"wait": [one.waited for one in done], "result": [one.whole for one in done], "front": figures.answers}
    return {
        "clients": figures.clients,
        "browsers": figures.browsers,
        "seconds": round(figures.seconds, 1),
        "jobs": len(done),
        "jobs_of_browsers": sum(one.user.startswith("browser") for one in done),
        "jobs_a_second": round(len(done) / figures.seconds, 2) if figures.seconds else None,
        "together": round(mean(one.together for one in done), 2) if done else None,
        **{f"{name}_p{p}": _rounded(percentile(each, p)) for name, each in spread.items() for p in (50, 95)},
        "megabytes_first": _rounded(next((one.megabytes for one in figures.memory if one.jobs >= SETTLED), None)),
        "megabytes_last": _rounded(figures.memory[-1].megabytes if figures.memory else None),
        "megabytes_a_job": _rounded(figures.slope, 4),
        "faults": list(figures.faults),
    }


def print_table(figures: LoadFigures, out: TextIO) -> None:
    """Print the summary of a load."""
    facts = as_dict(figures)
    print(f"{facts['clients']} clients and {facts['browsers']} browsers, {facts['seconds']} s: {facts['jobs']} jobs, "
          f"{facts['jobs_of_browsers']} of them typed; {facts['jobs_a_second']} a second, "
          f"{facts['together']} in a batch", file=out)  # fmt: skip
    print(f"{'seconds':28} {'p50':>8} {'p95':>8}", file=out)
    names = {"wait": "until a job is begun", "result": "until its result is known", "front": "response time"}
    for name, words in names.items():
        print(f"{words:28} {facts[f'{name}_p50']!s:>8} {facts[f'{name}_p95']!s:>8}", file=out)
    print(f"memory {facts['megabytes_first']} MB after {SETTLED} jobs, {facts['megabytes_last']} MB at the end, "
          f"{facts['megabytes_a_job']} MB a job", file=out)  # fmt: skip
    for fault in facts["faults"][:20]:
        print(f"FAULT: {fault}", file=out)
    print(f"{len(facts['faults'])} faults" if facts["faults"] else "no faults", file=out)


def json_lines(figures: LoadFigures) -> bytes:
    """Return the lines of `LoadFigures.lines` as a file."""
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in figures.lines()).encode()


def _rounded(value: float | None, digits: int = 3) -> float | None:
    return None if value is None else round(value, digits)
