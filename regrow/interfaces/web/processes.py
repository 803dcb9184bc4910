"""Long work in processes of its own, which outlive page and server: trainings and downloads."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import psutil
from PIL import Image

from regrow.interfaces.web.places import page
from regrow.media.home import home
from regrow.training.run_log import read_log

SAME = 5.0
"""Seconds that a process's beginning may be off what was written down."""
POINTS = 500
"""Of a curve, at most: more are not seen in a plot, and are sent to every open page."""


@dataclass(frozen=True)
class Run:
    """A training as its folder tells it.

    Attributes:
        name: of the run and of the model to be.
        state: "running", "finished" or "stopped".
        step: the last one that was logged.
        loss: at that step; None where nothing is logged yet.
        rate: samples a second in the last steps; None where that is not known.
        left: text of the time left; empty where it is not known.
        losses: of the stage at work: rows of step, loss, and which curve it is on, "training" or "held out".
        samples: the newest grid of samples.
        said: the end of what the process printed.
    """

    name: str
    state: str
    step: int
    loss: float | None
    rate: float | None
    left: str
    losses: list[tuple[int, float, str]]
    samples: Path | None
    said: str


def start(name: str, arguments: list[str]) -> None:
    """Start `regrow ARGUMENTS` in a session of its own, its output in the page's folder under this name."""
    folder = page() / "processes"
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-c", "from regrow.interfaces.cli import main; main()", *arguments]
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    status = {"pid": process.pid, "began": _began(process.pid), "command": arguments}
    (folder / f"{name}.json").write_text(json.dumps(status), encoding="utf-8")


def running(name: str) -> int | None:
    """The process that was started under this name, if it is still at work."""
    try:
        status = json.loads((page() / "processes" / f"{name}.json").read_text(encoding="utf-8"))
        pid, began = int(status["pid"]), float(status["began"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if pid < 2:  # to the system, a group, or every process there is
        return None
    try:
        if os.waitpid(pid, os.WNOHANG)[0] == pid:  # a child that has ended
            return None
    except ChildProcessError:
        pass  # a former server's child
    now = _began(pid)
    # the number may be another program's by now; and the clock may have been set since
    return pid if now is not None and abs(now - began) < SAME else None


def _began(pid: int) -> float | None:
    """When the process of this number was started; None where there is none at work."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None


def last_command(name: str) -> list[str]:
    """The arguments of `regrow` that were last started under this name; `[""]` where nothing was."""
    try:
        return json.loads((page() / "processes" / f"{name}.json").read_text(encoding="utf-8"))["command"]
    except (OSError, ValueError, KeyError):
        return [""]


def stop(name: str) -> bool:
    """Ask a process to save and stop; whether there was one."""
    pid = running(name)
    if pid:
        os.kill(pid, signal.SIGTERM)
    return bool(pid)


def output(name: str) -> list[dict[str, Any]]:
    """What a process printed, its beginning and its end: JSON objects, and sentences as {"said": ...}."""
    log = page() / "processes" / f"{name}.log"
    if not log.is_file():
        return []
    data = log.read_bytes()
    if len(data) > 60_000:  # a line a step grows long
        data = data[:30_000].rpartition(b"\n")[0] + b"\n" + data[-30_000:].partition(b"\n")[2]
    printed = []
    for line in data.decode("utf-8", "replace").splitlines():
        try:
            printed.append(json.loads(line))
        except ValueError:
            if line.strip():
                printed.append({"said": line.rsplit("\r", 1)[-1].strip()})
    return printed


def sentences(printed: list[dict[str, Any]]) -> str:
    """The sentences among it: notes, and what is no JSON at all, such as the reason why it ended."""
    lines: list[str] = []
    for line in printed:
        lines += [*line.get("notes", ()), *([line["said"]] if "said" in line else ())]
    return "\n".join(lines[-40:])


def runs() -> list[str]:
    """The names of all trainings, the newest first."""
    folders = [path.parent for path in (home() / "runs").glob("*/request.json")]
    fresh = [path for path in (page() / "processes").glob("*.json") if _is_training(path)]
    stamps = {folder.name: (folder / "request.json").stat().st_mtime for folder in folders}
    stamps |= {path.stem: max(path.stat().st_mtime, stamps.get(path.stem, 0)) for path in fresh}
    return sorted((name for name in stamps if not name.startswith(".")), key=lambda name: -stamps[name])  # dry runs


def run(name: str) -> Run:
    """What is known of a training."""
    folder = home() / "runs" / name
    losses: list[tuple[int, float, str]] = []
    last: list[dict[str, Any]] = []
    fresh = False
    for log in sorted(folder.glob("*/log.jsonl"), key=lambda path: path.stat().st_mtime):
        at = log.stat()
        losses, logged = _curves_of(log, at.st_mtime_ns, at.st_size)
        last = logged or last
        fresh = time.time() - at.st_mtime < 60
    grids = sorted((folder / "samples").glob("*.png"), key=lambda path: path.stat().st_mtime)
    # one from the command line is no process of ours, but its log grows
    at_work = running(name) is not None or (fresh and (folder / "lock").exists())
    state = "finished" if (home() / "models" / name).exists() else "running" if at_work else "stopped"
    printed = output(name)
    left = _left(printed) if state == "running" else ""
    step, loss = (last[-1]["step"], last[-1]["loss"]) if last else (0, None)
    rate = _rate(last) if state == "running" else None
    return Run(name, state, step, loss, rate, left, losses, grids[-1] if grids else None, sentences(printed))


@lru_cache(maxsize=8)
def _curves_of(log: Path, *stamp: int) -> tuple[list[tuple[int, float, str]], list[dict[str, Any]]]:
    """A log's losses, of a long run some `POINTS`, and its last lines with one; read when the log has grown."""
    lines = read_log(log.parent)
    logged = [line for line in lines if "loss" in line]
    losses = [(line["step"], line["loss"], "training") for line in logged[:: 1 + len(logged) // POINTS]]
    held_out = [(line["step"], line["validation"], "held out") for line in lines if "validation" in line]
    return losses + held_out[:: 1 + len(held_out) // POINTS], logged[-20:]


def grid(run: Run) -> Image.Image | None:
    """The newest samples, read here: the runs' folders are not the page's to serve."""
    if not run.samples:
        return None
    with Image.open(run.samples) as image:
        return image.copy()


def _is_training(path: Path) -> bool:
    try:
        return json.loads(path.read_text(encoding="utf-8"))["command"][0] == "train"
    except (OSError, ValueError, KeyError, IndexError):
        return False


def _rate(lines: list[dict[str, Any]]) -> float | None:
    """Samples a second between the first and the last of these lines of a log."""
    if len(lines) < 2 or not lines[-1]["seconds"] > lines[0]["seconds"]:
        return None
    return (lines[-1]["samples"] - lines[0]["samples"]) / (lines[-1]["seconds"] - lines[0]["seconds"])


def _left(printed: list[dict[str, Any]]) -> str:
    """The time that is left of the stage at work, from what it printed last."""
    shares = [line for line in printed if line.get("share")]
    if not shares:
        return ""
    seconds = shares[-1]["seconds"] * (1 / shares[-1]["share"] - 1)
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"
