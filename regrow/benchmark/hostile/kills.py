"""Kill and resume trainings at random moments; the final weights must equal those of an uninterrupted training."""

import contextlib
import multiprocessing
import os
import signal
import tempfile
import time
from collections.abc import Generator
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random

from regrow.core.progress import Progress, finish
from regrow.messages.message import say
from regrow.requests.train import Train

START = multiprocessing.get_context("forkserver")
NAME = "killed"
REQUEST = Train(
    name=NAME, world="storybook", new="tiny", stage="pixel", size=32, scenes=24, steps=40, batch=2, hold_out=2,
    warm_up=4, minutes=0.001, sample_minutes=0,
)  # fmt: skip
"""A tiny training with a checkpoint at nearly every step, so that kills often hit the writing of one."""
KILLS_A_RUN = 10


@dataclass(frozen=True)
class KillFigures:
    """The results of killed trainings.

    Attributes:
        kills: total number.
        runs: number of killed trainings; each was resumed until it finished.
        files: number of weight files that were compared.
        differing: files that differ in any byte, or are missing.
        seconds: duration.
    """

    kills: int
    runs: int
    files: int
    differing: int
    seconds: float


def bench_kills(kills: int, seed: int) -> Generator[Progress, None, KillFigures]:
    """Kill trainings, resume them, and compare their weights with those of an uninterrupted one.

    Args:
        kills: at least 1.
        seed: of the moments.

    Raises:
        ValueError: a training fails by itself.
    """
    START.set_forkserver_preload(["regrow.training.train"])
    random, began, done, runs, files, differing = Random(seed), time.monotonic(), 0, 0, 0, 0
    with tempfile.TemporaryDirectory(prefix="regrow-kills-") as made:
        lasts = _to_its_end(_start(Path(made) / "whole"))
        whole = _weights(Path(made) / "whole")
        while done < kills:
            home, runs = Path(made) / str(runs), runs + 1
            for _ in range(min(KILLS_A_RUN, kills - done)):
                process = _start(home)
                process.join(random.uniform(0, 0.7 * lasts))
                process.kill()
                process.join()
                done += process.exitcode == -signal.SIGKILL
                yield Progress("kills", done, kills)
                if process.exitcode == 0:
                    break
            _to_its_end(_start(home))
            found = _weights(home)
            files += len(whole)
            differing += sum(found.get(name) != data for name, data in whole.items())
    return KillFigures(done, runs, files, differing, time.monotonic() - began)


def _start(home: Path) -> BaseProcess:
    process = START.Process(target=_train, args=(home,))
    process.start()
    return process


def _train(home: Path) -> None:
    """Train or resume, as `regrow train` does."""
    import torch

    from regrow.training.train import train

    os.environ["REGROW_HOME"] = str(home)
    torch.set_num_threads(1)
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):
        if not (home / "models" / NAME).exists():
            finish(train(REQUEST))


def _to_its_end(process: BaseProcess) -> float:
    """Wait until a training finishes, and return its seconds."""
    began = time.monotonic()
    process.join()
    if process.exitcode:
        raise ValueError(say("killed_training_failed", status=process.exitcode))
    return time.monotonic() - began


def _weights(home: Path) -> dict[str, bytes]:
    """Return the bytes of a trained model's weight files by their names."""
    folder = home / "models" / NAME
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.safetensors")}
