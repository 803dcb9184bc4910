"""Files that regrow wrote and reads again: inverted paths, trainings to resume, and its cache."""

from pathlib import Path

import torch

from regrow.benchmark.hostile.homes import home_at
from regrow.benchmark.hostile.kind import Kind
from regrow.core.levels import Level
from regrow.core.trajectory import Trajectory
from regrow.editing.inspect import facts_of
from regrow.editing.trajectories import load_trajectory, save_trajectory
from regrow.models.open import open_model
from regrow.requests.train import Train
from regrow.training.checkpoint import Checkpoint, read_newest_checkpoint, write_checkpoint
from regrow.training.run_log import read_log
from regrow.training.runs import check_request, clear, keep_request, other_data, resumed, run_of


def _make_path(folder: Path) -> None:
    levels = (Level(1.0, 0.0), Level(0.8, 0.6), Level(0.0, 1.0))
    states = tuple(torch.full((1, 4, 2, 2), float(i)) for i in range(3))
    made_of = {"image": "0" * 32, "model": "0" * 64, "source": "a cat", "steps": 2}
    save_trajectory(folder / "path.safetensors", Trajectory(levels, states), made_of)


def _read_path(folder: Path, name: str) -> None:
    load_trajectory(folder / name)
    facts_of(folder / name)


def _make_run(folder: Path) -> None:
    with home_at(folder / "home"):
        request = Train(data=folder, name="mine", steps=4, new="tiny")
        (run_of("mine") / "denoiser").mkdir(parents=True)
        keep_request(request)
        other_data("mine", "0" * 32)
        for step in (1, 2):
            write_checkpoint(run_of("mine") / "denoiser", Checkpoint({"w": torch.ones(3)}, {"step": step}))
        line = '{"step": %d, "seconds": 1.5, "loss": 0.5, "samples": 8, "memory": 1}\n'
        (run_of("mine") / "denoiser" / "log.jsonl").write_text("".join(line % step for step in (1, 2)))


def _read_run(folder: Path, name: str) -> None:
    request = resumed(Train(resume="mine"))
    check_request(request)
    clear(request)
    other_data("mine", "1" * 32)
    read_newest_checkpoint(run_of("mine") / "denoiser")
    read_log(run_of("mine") / "denoiser")


def _make_cache(folder: Path) -> None:
    with home_at(folder / "home"):
        assert open_model("songbook").content_hash


def _read_cache(folder: Path, name: str) -> None:
    assert open_model("songbook").content_hash


def state_kinds() -> tuple[Kind, ...]:
    """Return the kinds of this file."""
    return (
        Kind("trajectories", _make_path, ("*.safetensors",), _read_path),
        Kind("training-state", _make_run, ("home/runs/mine/*",), _read_run),
        Kind("cache", _make_cache, ("home/cache/*",), _read_cache, 0.5),
    )
