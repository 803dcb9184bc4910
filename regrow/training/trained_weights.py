"""The weights in training: one optimizer step with clipping and scaled gradients, and their moving average."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from regrow.training.checkpoint import optimizer_tensors, restore_optimizer
from regrow.training.distributed import LossAt, Share
from regrow.training.optimizer import make_optimizer
from regrow.training.settings import Fit, Plan, factor, late

if TYPE_CHECKING:
    from accelerate import Accelerator


class TrainedWeights:
    """The parameters of a module that require gradients, with their optimizer and their moving average.

    Args:
        module: the module to train, in place.
        settings: see `Fit`.
        accelerator: of the devices and processes.
        plain: parameters that AdamW trains whatever their shape.
    """

    def __init__(
        self, module: nn.Module, settings: Fit, accelerator: "Accelerator", plain: tuple[nn.Parameter, ...]
    ) -> None:
        module.to(accelerator.device)
        self.module, self.settings, self.accelerator = module, settings, accelerator
        self.optimizer = make_optimizer(module, settings.optimizer, settings.rate, settings.plain_rate, plain)
        self.trained = {name: p for name, p in module.named_parameters() if p.requires_grad}
        self.average = {name: p.detach().clone() for name, p in self.trained.items()}

    def tensors(self) -> dict[str, Tensor]:
        """Return all tensors of a checkpoint: weights, average, and the optimizer's state."""
        return {
            **{f"model.{name}": t for name, t in self.trained.items()},
            **{f"ema.{name}": t for name, t in self.average.items()},
            **optimizer_tensors(self.optimizer),
        }

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Restore the state from the result of `tensors`, in place."""
        for kind, there in (("model.", self.trained), ("ema.", self.average)):
            for name, tensor in there.items():
                tensor.data.copy_(tensors[kind + name])
        restore_optimizer(self.optimizer, tensors)

    def step(self, network: Any, loss_at: LossAt, step: int, plan: Plan | None) -> float | None:
        """Take optimizer step number `step` and update the average.

        All processes return the same, as losses and gradients are averaged over them.

        Returns:
            The loss over the whole batch. None, with unchanged weights, if the loss or a gradient is not finite.
        """
        own, parts = self.accelerator.process_index, self.settings.accumulate
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * factor(step, plan, self.settings.warm_up, self.settings.decline)
        self.optimizer.zero_grad()
        total = torch.zeros((), device=self.accelerator.device)
        for part in range(parts):
            share = Share(step, late(step, plan), own * parts + part, self.accelerator.num_processes * parts)
            loss = loss_at(network, share) / parts
            # processes exchange gradients once per step, with the last part
            if part < parts - 1:
                with self.accelerator.no_sync(network):
                    self.accelerator.backward(loss)
            else:
                self.accelerator.backward(loss)
            total += loss.detach()
        mean = float(self.accelerator.reduce(total, "mean"))  # pyright: ignore[reportArgumentType]  # a tensor
        scaler = self.accelerator.scaler  # for fp16, in which unscaled gradients are too small
        if scaler:
            scaler.unscale_(self.optimizer)
        norm = float(torch.nn.utils.clip_grad_norm_(self.trained.values(), self.settings.clip))
        too_large = scaler is not None and scaler.get_scale() > 1  # then the scale may be the cause, and is reduced
        if not (math.isfinite(mean) and (math.isfinite(norm) or too_large)):
            return None
        if scaler:
            scaler.step(self.optimizer)
            scaler.update()
        else:
            self.optimizer.step()
        decay = min(self.settings.ema, (2 + step) / (11 + step))
        with torch.no_grad():
            for name, p in self.trained.items():
                self.average[name].lerp_(p, 1 - decay)
        return mean

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Within the context, put the averaged weights into the module, in evaluation mode; then restore its own."""
        kept = {name: p.detach().clone() for name, p in self.trained.items()}
        self.take_average()
        self.module.eval()
        with torch.no_grad():
            yield
        self.module.train()
        for name, p in self.trained.items():
            p.data.copy_(kept[name])

    def take_average(self) -> None:
        """Copy the averaged weights into the module."""
        for name, p in self.trained.items():
            p.data.copy_(self.average[name])
