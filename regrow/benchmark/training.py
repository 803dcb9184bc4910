"""Measure training speed: regrow's trainer and a plain loop as in courses, on the same model, data and machine."""

import multiprocessing
import os
import tempfile
import time
from collections.abc import Generator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from regrow.core.names import Precision
from regrow.core.progress import Progress, finish
from regrow.media.image.medium import MEDIUM as PICTURE
from regrow.models.engines.openvino_runtime import bfloat16_pays
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.requests.train import Train
from regrow.training.denoiser_stage import DenoiserOf
from regrow.training.distributed import make_accelerator
from regrow.training.run_log import peak_memory
from regrow.training.settings import Fit
from regrow.training.trained_weights import TrainedWeights
from regrow.training.training_data import Data, to_batch
from regrow.training.world_data import storybook_data

WARM_UP = 2
PLAIN = "plain loop"
WAYS = (PLAIN, "regrow, adamw", "regrow, muon")
ROUNDED = ("regrow, adamw, bf16", "regrow, muon, bf16")
"""Measured only if the CPU is faster in bfloat16."""


@dataclass(frozen=True)
class Speed:
    """The speed of one trainer.

    Attributes:
        way: one of WAYS or ROUNDED.
        samples: per second, by the median step.
        memory: peak of the process, in bytes.
        once: seconds before the first step, spent on data that is then kept on disk.
    """

    way: str
    samples: float
    memory: int
    once: float


def bench_training(
    name: str = "storybook", batch: int = 32, steps: int = 12, threads: int = 0
) -> Generator[Progress, None, list[Speed]]:
    """Train a model's denoiser for some steps by each trainer, each in a new process.

    In every step, the plain loop reads pictures through a DataLoader, encodes pictures and captions, and takes an AdamW
    step, in float32. regrow encodes each picture once, keeps a moving average of the weights, and clips gradients.
    bfloat16 (`regrow train --precision bf16`) is measured only if the CPU is faster in it.

    Args:
        name: of the model to continue from.
        batch: pictures per step.
        steps: to measure, after two warm-up steps.
        threads: of the CPU; 0 leaves the choice to torch.

    Raises:
        ModelError: the model cannot be opened.
        ValueError: it is not a picture model.
    """
    speeds = []
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, max_tasks_per_child=1) as pool:
        ways = WAYS + ROUNDED if bfloat16_pays() else WAYS
        for i, way in enumerate(ways):
            yield Progress(way, i, len(ways))
            speeds.append(pool.submit(_measure, way, name, batch, steps, threads).result())
    yield Progress(ways[-1], len(ways), len(ways))
    return speeds


def _measure(way: str, name: str, batch: int, steps: int, threads: int) -> Speed:
    if threads:
        torch.set_num_threads(threads)
    model = open_model(name, in_turn=False)
    PICTURE.require(model)
    with tempfile.TemporaryDirectory() as aside:
        os.environ["REGROW_HOME"] = aside  # encoded data is discarded; this process ends after the measurement
        return _timed(way, model, batch, steps)


def _timed(way: str, model: Model, batch: int, steps: int) -> Speed:
    data = finish(storybook_data(4 * batch, 2, model.size[0]))
    started = time.monotonic()
    step = _plain(model, data, batch) if way == PLAIN else _ours(model, data, batch, "muon" in way, way in ROUNDED)
    once = time.monotonic() - started
    seconds = []
    for i in range(WARM_UP + steps):
        started = time.monotonic()
        step(i)
        seconds.append(time.monotonic() - started)
    return Speed(way, batch / median(seconds[WARM_UP:]), peak_memory(), once)


class _Pictures(Dataset):
    """Pictures in [-1, 1] with token ids, one at a time, as in courses."""

    def __init__(self, model: Any, data: Data) -> None:
        self.model, self.data = model, data

    def __len__(self) -> int:
        return self.data.trained_on

    def __getitem__(self, i: int) -> tuple[torch.Tensor, torch.Tensor]:
        return to_batch(np.array(self.data.items[i])[None])[0], self.model.tokenize([self.data.caption(i, i)])[0]


def _plain(model: Any, data: Data, batch: int) -> Any:
    unet: nn.Module = model.network.requires_grad_(True)
    text: nn.Module = model.parts["text_encoder"].requires_grad_(True)
    optimizer = torch.optim.AdamW([*unet.parameters(), *text.parameters()], 1e-4)
    alphas = [model.schedule.level(label).alpha for label in range(1000)]
    table = torch.tensor(alphas, dtype=torch.float32)

    def batches() -> Any:
        while True:
            yield from DataLoader(_Pictures(model, data), batch, shuffle=True, drop_last=True)

    source = batches()

    def step(_: int) -> None:
        pictures, tokens = next(source)
        with torch.no_grad():
            x0 = model.encode(pictures)
        noise, labels = torch.randn_like(x0), torch.randint(0, 1000, (batch,))
        alpha = table[labels].view(-1, 1, 1, 1)
        sigma = (1 - alpha**2).sqrt()
        output = unet(alpha * x0 + sigma * noise, labels, text(tokens).last_hidden_state).sample
        nn.functional.mse_loss(output, alpha * noise - sigma * x0).backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def _ours(model: Model, data: Data, batch: int, muon: bool, rounded: bool) -> Any:
    precision: Precision = "bf16" if rounded else "fp32"
    request = Train(name="bench", world="storybook", start=model.name, steps=1, batch=batch, precision=precision)
    accelerator = make_accelerator(precision)
    staged = finish(DenoiserOf(1.0).prepare(request, model, data, accelerator))
    network = accelerator.prepare_model(staged.module)
    settings = Fit(steps=1, optimizer="muon" if muon else "adamw", rate=1e-4, plain_rate=1e-4)
    weights = TrainedWeights(staged.module, settings, accelerator, staged.plain)
    return lambda i: weights.step(network, staged.loss_at, i, None)
