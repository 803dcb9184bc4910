"""Several processes as one: who computes which share of a batch, and what all agree on."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from regrow.core.names import Precision

if TYPE_CHECKING:
    from accelerate import Accelerator


@dataclass(frozen=True)
class Share:
    """Part `index` of the `count` equal parts of a step's batch: of one process, or of one accumulated backward pass.

    Attributes:
        step: the optimizer step, counted from 0.
        late: 0 while the learning rate is flat, then rising to 1 at the end of the run.
        index: which part, from 0.
        count: of parts.
    """

    step: int
    late: float = 0.0
    index: int = 0
    count: int = 1

    def of(self, batch: int) -> slice:
        """The samples of a batch that belong to this share.

        Raises:
            ValueError: the batch cannot be cut into equal parts.
        """
        if batch % self.count:
            raise ValueError(
                f"A batch of {batch} cannot be cut into {self.count} equal parts (processes x --accumulate); "
                "choose another --batch."
            )
        size = batch // self.count
        return slice(self.index * size, (self.index + 1) * size)


LossAt = Callable[[nn.Module, Share], Tensor]
"""The mean loss over a share of a step's batch. It depends on nothing but this and the weights."""


def make_accelerator(precision: Precision = "fp32") -> "Accelerator":
    """The devices and processes of this run: one, or as many as torchrun or accelerate launch started.

    Processes wait for each other as long as it takes: the first one may encode a folder for hours.
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
    """What the first process says, told to all: a stop, a plan, a checkpoint is everybody's or nobody's."""
    if accelerator.num_processes == 1:
        return value
    said = torch.tensor(int(value), device=accelerator.device)
    torch.distributed.broadcast(said, 0)
    return type(value)(said.item())
