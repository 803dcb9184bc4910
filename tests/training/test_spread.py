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

from regrow.requests.train import Train
from regrow.training.distributed import Share
from regrow.training.train import train

TWO = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--max-restarts", "2"]
TWO += ["--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0"]


TINY = Train(
    name="tiny", world="storybook", new="tiny", size=64, scenes=8, hold_out=2, steps=1, batch=2, prompts=("a cat",)
)
FURTHER = Train(name="two", world="storybook", start="tiny", scenes=8, hold_out=2, steps=4, batch=4, prompts=("a cat",))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a tiny model to go on from."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGROW_HOME", str(home))
        list(train(TINY))
    return home


def curve(home: Path, request: Train) -> list[float]:
    """The losses of one process: this one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGROW_HOME", str(home))
        states = [state.fit for state in train(request) if state.fit]
    return [state.loss for state in states if state.loss is not None]


def start_two(home: Path) -> subprocess.Popen[str]:
    """The same training by two processes."""
    told = f"train --world storybook --from tiny --name two --scenes 8 --hold-out 2 --steps {FURTHER.steps} --batch 4"
    command = [
        *TWO,
        "-m",
        "regrow",
        *told.split(),
        "--minutes",
        "0.001",
        "--threads",
        "1",
        "--json",
        "--prompts",
        "a cat",
    ]
    environment = {**os.environ, "REGROW_HOME": str(home), "OMP_NUM_THREADS": "1"}
    environment["TORCH_DISABLE_SHARE_RDZV_TCP_STORE"] = "1"  # docs/how-to/scale.md
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_processes_of_which_one_is_killed_give_the_curve_of_one_and_so_does_accumulation(home: Path) -> None:
    process = start_two(home)
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("{") and json.loads(line).get("step", 0) >= 2:
            break
    time.sleep(0.2)
    os.kill(children(process.pid)[-1], signal.SIGKILL)
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    assert "Resuming at step" in out
    assert (home / "models" / "two" / "model_index.json").is_file()
    told = [json.loads(line) for line in (*lines, *out.splitlines()) if line.startswith("{")]
    losses = {line["step"]: line["loss"] for line in told if line.get("loss") is not None}
    alone, parts = (curve(home, replace(FURTHER, name=f"by {n}", accumulate=n)) for n in (1, 2))
    assert [losses[step] for step in sorted(losses)] == pytest.approx(alone, rel=1e-4)
    assert parts == pytest.approx(alone, rel=1e-4)


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found]


def test_shares_are_equal_parts() -> None:
    assert [Share(0, index=i, count=3).of(6) for i in range(3)] == [slice(0, 2), slice(2, 4), slice(4, 6)]
    with pytest.raises(
        ValueError, match="A batch of 6 cannot be divided into 4 equal parts \\(processes x --accumulate\\)"
    ):
        Share(0, count=4).of(6)
