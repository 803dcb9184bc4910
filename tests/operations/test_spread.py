"""Real processes that train together: the same curve as one process, and a killed one comes back."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from regrow.operations.spread import Share
from regrow.operations.train import train
from regrow.operations.training_request import Train

TWO = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--max-restarts", "2"]
TWO += ["--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a tiny model to go on from."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGROW_HOME", str(home))
        list(train(Train(name="tiny", world="storybook", size=64, scenes=8, hold_out=2, steps=1, batch=2)))
    return home


SETTINGS = Train(name="tiny", world="storybook", start="tiny", scenes=8, hold_out=2, batch=4, steps=5)


def curve(home: Path, name: str, **settings: int) -> list[float]:
    """The losses of one process: this one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGROW_HOME", str(home))
        states = [state.fit for state in train(replace(SETTINGS, name=name, **settings)) if state.fit]  # pyright: ignore[reportArgumentType]
    return [state.loss for state in states if state.loss is not None]


def start(home: Path, name: str, steps: int, *more: str) -> subprocess.Popen[str]:
    """A training of two processes with the same settings."""
    request = ["-m", "regrow", "train", "--world", "storybook", "--from", "tiny", "--name", name]
    settings = ["--steps", str(steps), "--batch", "4", "--scenes", "8", "--hold-out", "2", "--json", "--threads", "1"]
    environment = {**os.environ, "REGROW_HOME": str(home), "OMP_NUM_THREADS": "1"}
    environment["TORCH_DISABLE_SHARE_RDZV_TCP_STORE"] = "1"  # docs/scale.md says why
    command = [*TWO, *request, *settings, *more]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def losses(process: subprocess.Popen[str]) -> list[float]:
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    lines = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    return [line["loss"] for line in lines if line.get("loss") is not None]


def test_two_processes_give_the_curve_of_one_and_so_does_accumulation(home: Path) -> None:
    two = losses(start(home, "two", 5))
    assert len(two) == 5
    assert two == pytest.approx(curve(home, "alone"), rel=1e-4)
    assert two == pytest.approx(curve(home, "parts", accumulate=2), rel=1e-4)


def test_a_killed_process_is_started_again_and_goes_on(home: Path) -> None:
    process = start(home, "killed", 8, "--minutes", "0.001")
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("{") and json.loads(line).get("step", 0) >= 3:
            break
    time.sleep(0.2)
    os.kill(children(process.pid)[-1], signal.SIGKILL)
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    assert "Resuming at step" in out
    assert (home / "models" / "killed" / "model_index.json").is_file()


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found]


def test_shares_are_equal_parts() -> None:
    assert [Share(0, index=i, count=3).of(6) for i in range(3)] == [slice(0, 2), slice(2, 4), slice(4, 6)]
    with pytest.raises(ValueError, match="A batch of 6 cannot be cut into 4 equal parts"):
        Share(0, count=4).of(6)
