"""Training in several processes: each computes a share of the batch, and all agree on decisions."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from regrow.core.names import Precision
from regrow.messages.message import say

if TYPE_CHECKING:
    from accelerate import Accelerator


@dataclass(frozen=True)
class Share:
    """Part `index` of the `count` equal parts of a step's batch: one per process and accumulated backward pass.

    Attributes:
        step: the optimizer step, counted from 0.
        late: 0 while the learning rate is flat, then rising to 1 at the end of the run.
        index: of the part, from 0.
        count: number of parts.
    """

    step: int
    late: float = 0.0
    index: int = 0
    count: int = 1

    def of(self, batch: int) -> slice:
        """Return the samples of a batch that belong to this share.

        Raises:
            ValueError: the batch cannot be cut into equal parts.
        """
        if batch % self.count:
            raise ValueError(say("batch_not_divisible_by_processes", batch=batch, count=self.count))
        size = batch // self.count
        return slice(self.index * size, (self.index + 1) * size)


LossAt = Callable[[nn.Module, Share], Tensor]
"""Returns the mean loss over a share of a step's batch. It depends only on the share and the weights."""


def make_accelerator(precision: Precision = "fp32") -> "Accelerator":
    """Return the devices and processes of this run: one, or as many as torchrun or accelerate launch started.

    Processes wait for each other without a time limit, as the first one may encode a folder for hours.
    """
    from accelerate import Accelerator
    from accelerate.utils import DistributedDataParallelKwargs, InitProcessGroupKwargs

    return Accelerator(
        cpu=not torch.accelerator.is_available(),  # without it, processes on CPUs would not find each other
        mixed_precision="no" if precision == "fp32" else precision,
        kwargs_handlers=[
            InitProcessGroupKwargs(timeout=timedelta(days=7)),
            DistributedDataParallelKwargs(find_unused_parameters=True),
        ],
    )


def agree(accelerator: "Accelerator", value: bool | int) -> bool | int:
    """Broadcast a value from the first process to all, so that they stop, plan and save together."""
    if accelerator.num_processes == 1:
        return value
    said = torch.tensor(int(value), device=accelerator.device)
    torch.distributed.broadcast(said, 0)
    return type(value)(said.item())
