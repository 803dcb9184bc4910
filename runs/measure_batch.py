"""Measure `regrow batch`: its throughput, the start-up of its workers, and the overhead of a job.

    python runs/measure_batch.py out/batch --workers 1 2 --ray local

Each row is a separate batch. `edit` jobs edit the example cat; `empty` jobs name a model that does not exist, so that
only the batch itself takes time: the attempt, the messages to and from the worker, and the record on disk. All rows are
measured in turn, `--rounds` times, so that other programs on the machine affect all of them alike; medians are shown.
CPU seconds are those between the first result and the last; other programs hardly affect them.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import astuple, dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
EDIT = {"verb": "edit", "image": str(ROOT / "examples" / "cat.png"), "target": "make it a dog",
        "source": "an orange cat on a beach"}  # fmt: skip
EMPTY = {"verb": "generate", "prompt": "a cat", "model": "none"}


@dataclass(frozen=True)
class Figures:
    """Times of a batch.

    Attributes:
        first: seconds until the first result.
        a_job: mean seconds from one result to the next.
        whole: seconds of the command.
        cpu: CPU seconds of all processes per job.
        driver: the command's own part of `cpu`.
    """

    first: float
    a_job: float
    whole: float
    cpu: float
    driver: float


def measured(jobs: Path, count: int, out: Path, options: list[str]) -> Figures:
    """Run a batch in an empty folder, and return its times."""
    shutil.rmtree(out, ignore_errors=True)
    command = [sys.executable, "-m", "regrow", "batch", str(jobs), "--out", str(out), "--json", *options]
    began, at = time.monotonic(), time.time()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    spent = Spent(process.pid)
    printed = process.communicate()[0]
    whole = time.monotonic() - began
    if not printed:
        sys.exit(f"stopped: {' '.join(command)} failed")
    facts = json.loads(printed.splitlines()[-1])
    assert facts["done"] + facts["failed"] == count, facts
    written = sorted(path.stat().st_mtime - at for path in out.glob("*.json"))
    between = max(1, count - 1)
    cpu, driver = ((last - first) / between for first, last in zip(*map(spent.at, written[::between]), strict=True))
    return Figures(written[0], (written[-1] - written[0]) / between, whole, cpu, driver)


class Spent:
    """CPU seconds of a process and its descendants, sampled ten times per second."""

    def __init__(self, pid: int) -> None:
        self._root, self._began = psutil.Process(pid), time.monotonic()
        self._each, self._samples = dict[int, float](), [(0.0, 0.0, 0.0)]
        threading.Thread(target=self._look, daemon=True).start()

    def at(self, seconds: float) -> tuple[float, float]:
        """Return the CPU seconds of all processes, and of the first alone, this many seconds after the beginning."""
        return min(self._samples, key=lambda sample: abs(sample[0] - seconds))[1:]

    def _look(self) -> None:
        while True:
            try:
                tree = [self._root, *self._root.children(recursive=True)]
            except psutil.Error:  # it has ended
                return
            for process in tree:
                with suppress(psutil.Error):
                    times = process.cpu_times()
                    self._each[process.pid] = times.user + times.system
            now = time.monotonic() - self._began
            self._samples.append((now, sum(self._each.values()), self._each.get(self._root.pid, 0.0)))
            time.sleep(0.1)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--ray", default="", help="also measure with Ray at this address, such as local")
    parser.add_argument("--jobs", type=int, default=20, help="edits of a row")
    parser.add_argument("--empty", type=int, default=200, help="empty jobs of a row")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--engine", default="auto")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    kinds = {"edit": (EDIT | {"steps": given.steps}, given.jobs), "empty": (EMPTY, given.empty)}
    ways = {"pool": [], **({"ray": ["--ray", given.ray]} if given.ray else {})}
    rows: dict[tuple[str, str, int], list[Figures]] = {}
    for _ in range(given.rounds):
        for kind, (job, count) in kinds.items():
            jobs = given.out / f"{kind}.jsonl"
            jobs.write_text("\n".join(json.dumps(job | {"seed": seed}) for seed in range(count)))
            for workers in given.workers:
                for way, options in ways.items() if count else ():
                    options = [*options, "--workers", str(workers), "--engine", given.engine]
                    figures = measured(jobs, count, given.out / "row", options)
                    rows.setdefault((kind, way, workers), []).append(figures)
                    print(kind, way, workers, figures, flush=True)
    print("\n| jobs | workers | first result, s | s a job | CPU s a job | of these the driver's |")
    print("| --- | --- | --- | --- | --- | --- |")
    for (kind, way, workers), several in rows.items():
        first, a_job, _, cpu, driver = map(statistics.median, zip(*map(astuple, several), strict=True))
        print(f"| {kind} | {way} {workers} | {first:.1f} | {a_job:.3f} | {cpu:.3f} | {driver:.4f} |")


if __name__ == "__main__":
    main()
