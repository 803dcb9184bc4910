"""The state of a training, read from its folder and its process."""

from pathlib import Path
from typing import Literal
from urllib.parse import quote

from pydantic import BaseModel

from regrow.interfaces.server import processes
from regrow.interfaces.server.errors import Refused
from regrow.interfaces.server.processes import Printed
from regrow.interfaces.server.trainings.curves import curves_of
from regrow.media.home import home
from regrow.media.one_process import holder


class Run(BaseModel):
    """A training.

    Attributes:
        name: of the run, and of the model that it makes.
        state: "running", "finished" or "stopped".
        step: the last logged step.
        loss: at that step; None if none is logged yet, or it is not finite.
        rate: samples per second in the last steps; None if unknown.
        left: remaining seconds of the current stage; None if unknown.
        losses: of the current stage: rows of step, loss and curve, "training" or "held out".
        samples: the address of the newest grid of samples; None if there is none yet.
        said: the last sentences that the process printed, one per line.
    """

    name: str
    state: Literal["running", "finished", "stopped"]
    step: int
    loss: float | None
    rate: float | None
    left: float | None
    losses: list[tuple[int, float, str]]
    samples: str | None
    said: str


def runs(owner: str | None) -> list[str]:
    """Return the names of trainings, newest first, without dry runs.

    Args:
        owner: owner of the trainings; None for all trainings, including those of the command line.
    """
    stamps: dict[str, float] = {}
    for path in (home() / "runs").glob("*/request.json"):
        stamps[path.parent.name] = path.stat().st_mtime if path.is_file() else 0.0
    for name, started in processes.all_started().items():
        if started.command[0] == "train":
            stamps[name] = max(processes.noted_at(name), stamps.get(name, 0.0))
    shown = (name for name in stamps if not name.startswith("."))
    return sorted((name for name in shown if owner is None or is_of(name, owner)), key=lambda name: -stamps[name])


def is_of(name: str, owner: str) -> bool:
    """Return whether a training was started by this owner."""
    started = processes.started(name)
    return bool(started and started.owner == owner != "")


def is_at_work(name: str) -> bool:
    """Return whether a process runs this training, started by the page or the command line."""
    return processes.running(name) is not None or holder(home() / "runs" / name) is not None


def own_run(name: str, owner: str | None) -> Run:
    """Return the state of an owner's training; an owner of None may see all trainings.

    Raises:
        Refused: there is none of this name, or it belongs to another owner.
    """
    if name not in runs(None) or (owner is not None and not is_of(name, owner)):
        raise Refused(404, "no_training", name=f"{name:.80}")
    return run(name)


def run(name: str) -> Run:
    """Return the state of a training."""
    folder = home() / "runs" / name
    curves = curves_of(folder)
    at_work = is_at_work(name)
    state = "running" if at_work else "finished" if (home() / "models" / name).exists() else "stopped"
    printed = processes.output(name)
    grid = newest_grid(name)
    return Run(
        name=name,
        state=state,
        step=curves.step,
        loss=curves.loss,
        rate=curves.rate if at_work else None,
        left=_left(printed) if at_work else None,
        losses=curves.points,
        samples=f"/api/trainings/{quote(name)}/samples?v={grid.stat().st_mtime_ns}" if grid else None,
        said="\n".join(processes.sentences(printed)),
    )


def newest_grid(name: str) -> Path | None:
    """Return the newest grid of samples of a training; None if there is none yet."""
    grids = [path for path in (home() / "runs" / name / "samples").glob("*.png") if path.is_file()]
    return max(grids, key=lambda path: path.stat().st_mtime, default=None)


def _left(printed: list[Printed]) -> float | None:
    """Return the remaining seconds of the current stage, from the last printed line."""
    last = next((line for line in reversed(printed) if line.share and line.seconds is not None), None)
    return None if last is None else round(max(0.0, (last.seconds or 0.0) * (1 / (last.share or 1.0) - 1)), 1)
