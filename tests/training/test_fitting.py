"""Training that is killed for real goes on where it was, and ends where it would have ended."""

import json
import math
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from small_run import small_run
from torch import nn

from regrow.training.checkpoint import Checkpoint, read_newest_checkpoint, write_checkpoint
from regrow.training.codec_stage import CodecStage, crops
from regrow.training.distributed import Share, make_accelerator
from regrow.training.loop import DivergedError, FitState, fit
from regrow.training.optimizer import MuonAdamW, orthogonalise
from regrow.training.run_log import RunLog
from regrow.training.settings import Fit

SCRIPT = Path(__file__).with_name("small_run.py")
START = multiprocessing.get_context("forkserver")
"""Every process of it begins as a copy of one that has imported torch, so that six do not import it six times."""
START.set_forkserver_preload(["regrow.training.loop", "accelerate"])


def ones(network: nn.Module, share: Share) -> torch.Tensor:
    return network(torch.ones(1, 2)).square().mean()


def start(folder: Path) -> tuple[BaseProcess, Connection]:
    heard, said = START.Pipe(duplex=False)
    process = START.Process(target=small_run, args=(folder, said.send))
    process.start()
    said.close()
    return process, heard


def test_a_run_killed_five_times_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    whole, _heard = start(tmp_path / "whole")
    moments = random.Random(7)
    resumed_later = 0
    for _ in range(5):
        process, heard = start(tmp_path / "killed")
        resumed_later += int(heard.recv().split()[0]) > 1
        time.sleep(moments.uniform(0.05, 0.35))
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
    last, _also_heard = start(tmp_path / "killed")
    for process in (last, whole):
        process.join(timeout=120)
        assert process.exitcode == 0
    assert resumed_later >= 3
    expected = load_file(tmp_path / "whole" / "final.safetensors")
    found = load_file(tmp_path / "killed" / "final.safetensors")
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())


@pytest.mark.skipif(
    subprocess.run(["unshare", "-rm", "true"], check=False).returncode != 0, reason="no namespaces here"
)
def test_a_full_disk_pauses_and_loses_nothing(tmp_path: Path) -> None:
    """On a disk of its own, of 200 kB, that something else fills while the run goes on."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = f"mount -t tmpfs -o size=200k tmpfs {disk} && exec {sys.executable} {SCRIPT} {disk / 'run'}"
    process = subprocess.Popen(["unshare", "-rm", "sh", "-c", command], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    inside = Path(f"/proc/{process.pid}/root{disk}")
    for _ in process.stdout:
        if list((inside / "run").glob("step-*")):
            break
    with (inside / "filler").open("wb", buffering=0) as filler, suppress(OSError):  # no space left
        while True:
            filler.write(b"0" * 4096)
    for line in process.stdout:
        if "Paused: The disk of" in line:
            break
    held, _ = read_newest_checkpoint(inside / "run")
    assert held is not None
    time.sleep(1)
    (inside / "filler").unlink()
    rest = process.stdout.read()
    assert "There is free space again" in rest
    said, logged = rest.splitlines()[-2:]
    assert said.startswith("120")
    steps = [int(step) for step in logged.removeprefix("logged ").split()]
    assert steps == sorted(steps)
    assert (steps[0], steps[-1]) == (1, 120)
    assert process.wait(timeout=60) == 0


def test_a_damaged_newest_checkpoint_falls_back_and_says_so(tmp_path: Path) -> None:
    for step in (1, 2, 3):
        write_checkpoint(tmp_path, Checkpoint({"w": torch.full((3,), float(step))}, {"step": step}))
    assert len(list(tmp_path.iterdir())) == 2
    (newest,) = tmp_path.glob("step-00000003.*")
    os.truncate(newest, newest.stat().st_size - 5)
    found, notes = read_newest_checkpoint(tmp_path)
    assert found is not None
    assert found.facts["step"] == 2
    assert torch.equal(found.tensors["w"], torch.full((3,), 2.0))
    assert [str(newest) in note for note in notes] == [True]


@pytest.mark.parametrize("damage", ["torn", "flipped", "empty", "gone", "a folder", "a pipe"])
def test_whatever_happened_to_the_newest_checkpoint_the_one_before_is_gone_on_with(tmp_path: Path, damage: str) -> None:
    for step in (1, 2):
        write_checkpoint(tmp_path, Checkpoint({"w": torch.full((3,), float(step))}, {"step": step}))
    (newest,) = tmp_path.glob("step-00000002.*")
    whole = newest.read_bytes()
    newest.unlink()
    if damage in ("a folder", "a pipe"):  # which nobody writes into
        newest.mkdir() if damage == "a folder" else os.mkfifo(newest)
    elif damage != "gone":
        torn, flipped = whole[: len(whole) // 2], whole[:-1] + bytes([whole[-1] ^ 1])
        newest.write_bytes({"torn": torn, "flipped": flipped, "empty": b""}[damage])
    found, notes = read_newest_checkpoint(tmp_path)
    assert found is not None
    assert (found.facts["step"], len(notes)) == (1, damage != "gone")


def test_when_all_checkpoints_are_damaged_it_says_so_and_keeps_the_new_ones(tmp_path: Path) -> None:
    for step in (7, 8):
        os.truncate(write_checkpoint(tmp_path, Checkpoint({"w": torch.ones(3)}, {"step": step})), 9)
    found, notes = read_newest_checkpoint(tmp_path)
    assert found is None
    assert notes[-1] == f"{tmp_path} has no undamaged checkpoint: starting again from step 0."
    new = write_checkpoint(tmp_path, Checkpoint({"w": torch.ones(3)}, {"step": 1}))
    assert list(tmp_path.iterdir()) == [new]


@pytest.mark.parametrize("wrong", ["loss", "gradient", "held out"])
def test_a_run_that_diverges_stops_there_and_keeps_its_last_good_checkpoint(tmp_path: Path, wrong: str) -> None:
    def blown(network: nn.Module, share: Share) -> torch.Tensor:
        loss = ones(network, share)
        if share.step < 3 or wrong == "held out":
            return loss
        return loss * float("nan") if wrong == "loss" else blown_up(network, share)

    looked: list[float] = []

    def look(network: nn.Module) -> float:  # after every step
        looked.append(float("nan") if wrong == "held out" and len(looked) == 3 else 1.0)
        return looked[-1]

    states: list[FitState] = []
    walk = fit(nn.Linear(2, 2), blown, Fit(steps=9, minutes=1e-9), tmp_path, make_accelerator(), look=look)
    with pytest.raises(DivergedError, match="The training diverged at step 4 \\(its loss is not a finite number\\)"):
        states.extend(walk)
    held, _ = read_newest_checkpoint(tmp_path)
    assert held is not None
    assert held.facts["step"] == 3
    assert all(tensor.isfinite().all() for tensor in held.tensors.values())
    assert (states[-1].step, math.isnan(states[-1].loss or 0)) == (4, True)


def scaled(scale: float) -> Any:
    """As of fp16, for which accelerate asks for a GPU: gradients of the loss times a scale that grows every 3 steps."""
    accelerator = make_accelerator()
    accelerator.scaler = torch.amp.GradScaler("cpu", init_scale=scale, growth_interval=3)
    return accelerator


def trained(
    folder: Path, accelerator: Any, steps: int = 9, stop: int = 0, size: float = 0.01
) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    module, seen = nn.Linear(2, 2), iter(range(1, 100))
    settings = Fit(steps=steps, optimizer="adamw", minutes=1e-9)

    def loss_at(network: nn.Module, share: Share) -> torch.Tensor:
        return size * ones(network, share)

    list(fit(module, loss_at, settings, folder, accelerator, stop=lambda: next(seen) == stop))
    return module.state_dict()


def test_scaled_gradients_are_clipped_and_used_at_their_own_size(tmp_path: Path) -> None:
    expected = trained(tmp_path / "plain", make_accelerator())
    found = trained(tmp_path / "scaled", scaled(2.0**16))  # a power of two costs no bit
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())
    trained(tmp_path / "stopped", scaled(2.0**16), stop=4)
    held, _ = read_newest_checkpoint(tmp_path / "stopped")
    assert held is not None
    assert (held.facts["step"], held.facts["scaler"]["scale"]) == (4, 2.0**17)
    resumed = trained(tmp_path / "stopped", scaled(2.0**16))
    assert all(torch.equal(resumed[name], tensor) for name, tensor in expected.items())
    whole, again = (read_newest_checkpoint(tmp_path / name)[0] for name in ("scaled", "stopped"))
    assert whole is not None
    assert again is not None
    assert again.facts["scaler"] == whole.facts["scaler"]


def test_a_scale_that_is_too_large_goes_down_and_no_step_is_taken_with_it(tmp_path: Path) -> None:
    before = trained(tmp_path / "none", scaled(2.0**127), steps=1, size=100)
    torch.manual_seed(0)
    assert all(torch.equal(before[name], tensor) for name, tensor in nn.Linear(2, 2).state_dict().items())
    trained(tmp_path / "nine", scaled(2.0**127), size=100)
    held, _ = read_newest_checkpoint(tmp_path / "nine")
    assert held is not None
    assert held.facts["scaler"]["scale"] < 2.0**127
    assert not torch.equal(held.tensors["model.weight"], before["weight"])
    with pytest.raises(DivergedError):  # at a scale of one it is the run's own doing
        list(fit(nn.Linear(2, 2), blown_up, Fit(steps=200), tmp_path / "nan", scaled(2.0**16)))


def blown_up(network: nn.Module, share: Share) -> torch.Tensor:
    loss = ones(network, share)
    return loss + (loss * 0).sqrt()  # of which the gradient is NaN


def test_another_run_is_not_continued(tmp_path: Path) -> None:
    def run(steps: int) -> None:
        module = nn.Linear(2, 2)
        list(fit(module, ones, Fit(steps=steps, minutes=steps), tmp_path, make_accelerator()))

    run(3)
    with pytest.raises(ValueError, match=r"other settings \(steps was 3 and is 4\)"):
        run(4)


def test_a_run_by_time_on_a_machine_that_slows_down_is_done_when_its_last_step_is(tmp_path: Path) -> None:
    pause = 0.002

    def slower(network: nn.Module, share: Share) -> torch.Tensor:
        time.sleep(pause)
        return ones(network, share)

    states = []
    for state in fit(nn.Linear(2, 2), slower, Fit(seconds=0.3, flat=0.5), tmp_path, make_accelerator()):
        states.append(state)
        pause = 0.006 if state.steps else pause
    assert states[-1].seconds > 0.3
    assert [state.share for state in states] == sorted(state.share for state in states)
    assert [state.share for state in states if state.share >= 1] == [states[-1].share]


def test_orthogonalised_matrices_have_singular_values_near_one() -> None:
    for shape in ((8, 40), (40, 8), (16, 16)):
        matrix = torch.randn(shape, generator=torch.Generator().manual_seed(1))
        values = torch.linalg.svdvals(orthogonalise(matrix))
        assert values.max() < 1.3
        assert values.median() > 0.6


def test_adamw_share_equals_torch() -> None:
    torch.manual_seed(0)
    ours, theirs = nn.Linear(3, 1), nn.Linear(3, 1)
    theirs.load_state_dict(ours.state_dict())
    optimizers = (
        MuonAdamW(ours, 1.0, 1e-2, plain=ours.parameters()),
        torch.optim.AdamW(theirs.parameters(), 1e-2, betas=(0.9, 0.98), weight_decay=0),
    )
    for step in range(20):
        x = torch.randn(5, 3, generator=torch.Generator().manual_seed(step))
        for module, optimizer in zip((ours, theirs), optimizers, strict=True):
            optimizer.zero_grad()
            module(x).square().mean().backward()
            optimizer.step()
    assert torch.allclose(ours.weight, theirs.weight, atol=1e-6)


@pytest.mark.parametrize(("batch", "parts"), [(12, 2), (20, 4), (8, 16)])
@pytest.mark.parametrize("late", [0.0, 0.9])
def test_crops_of_a_codec_can_always_be_cut_into_the_parts_of_a_step(batch: int, parts: int, late: float) -> None:
    stage = CodecStage(np.zeros((3, 64, 64, 3), np.uint8), None, batch)
    seen = {len(crops(stage, Share(0, late, index, parts))[0]) for index in range(parts)}
    assert len(seen) == 1
    assert seen.pop() >= 1


def test_the_log_of_a_stage_keeps_its_last_loss_when_it_is_resumed(tmp_path: Path) -> None:
    def state(step: int, loss: float | None, notes: tuple[str, ...] = ()) -> FitState:
        return FitState(step, 3, loss, 1.0, step / 3, None, notes)

    first = RunLog(tmp_path, True)
    for step in (1, 2, 3):
        first.write(state(step, 0.5 / step), 2)
    first.close()
    again = RunLog(tmp_path, True)
    again.write(state(3, None, ("Resuming at step 3 of 3.",)), 2)
    again.close()
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [(line["step"], line.get("loss")) for line in lines][-2:] == [(3, pytest.approx(0.25, rel=0.5)), (3, None)]
