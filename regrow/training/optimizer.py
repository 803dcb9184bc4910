"""Muon for matrices and kernels, AdamW for everything else, as one optimizer.

torch.optim.Muon takes 2-D parameters only and orthogonalises in bfloat16, which is about sixty times slower than
float32 on a CPU without bf16 instructions (LOG.md). This one takes kernels of any shape and stays in float32.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
import torch.distributed
from jaxtyping import Float
from torch import Tensor, nn

from regrow.core.names import OptimizerName


def orthogonalise(matrix: Float[Tensor, "rows columns"], iterations: int = 5) -> Float[Tensor, "rows columns"]:
    """Return approximately the nearest semi-orthogonal matrix: all singular values are between about 0.7 and 1.2.

    Newton-Schulz with the quintic of Jordan et al. 2024 (https://kellerjordan.github.io/posts/muon/). Each iteration
    multiplies by a polynomial of the Gram matrix. As these commute, a matrix much longer than wide is multiplied only
    once, by their product, which makes kernels three times cheaper than iterating on the matrix (LOG.md).
    """
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / x.norm().clamp_min(1e-7)
    if x.shape[1] < 2 * x.shape[0]:
        for _ in range(iterations):
            x = _quintic(x @ x.T) @ x
        return x.T if tall else x
    gram = x @ x.T
    product = _quintic(gram)
    factor = product
    for _ in range(iterations - 1):
        gram = factor @ gram @ factor
        factor = _quintic(gram)
        product = factor @ product
    x = product @ x
    return x.T if tall else x


def _quintic(gram: Tensor) -> Tensor:
    """Return a + b G + c G^2."""
    factor = torch.addmm(gram, gram, gram, beta=-4.7750, alpha=2.0315)
    factor.diagonal().add_(3.4445)
    return factor


class MuonAdamW(torch.optim.Optimizer):
    """Muon (orthogonalised momentum) for parameters of two and more dimensions; AdamW for the others.

    Processes that train together divide the orthogonalising, which is a third of a step on a CPU, and send each other
    the results. Embedding tables and output layers also need AdamW: pass them in `plain`.

    Args:
        module: its parameters are optimised.
        rate: Muon's learning rate. The update is scaled by sqrt(max(1, rows / columns)).
        plain_rate: AdamW's learning rate.
        plain: parameters that AdamW trains whatever their shape.
    """

    def __init__(self, module: nn.Module, rate: float, plain_rate: float, plain: Iterable[nn.Parameter] = ()) -> None:
        super().__init__(_groups(module, rate, plain_rate, plain), {})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        for group in self.param_groups:
            parameters = [p for p in group["params"] if p.grad is not None]
            if group["matrices"]:
                self._muon(parameters, group["lr"])
            else:
                for parameter in parameters:
                    _adamw(parameter, parameter.grad, self.state[parameter], group["lr"])

    def _muon(self, parameters: Sequence[Tensor], rate: float) -> None:
        together = torch.distributed.is_available() and torch.distributed.is_initialized()
        own, count = (torch.distributed.get_rank(), torch.distributed.get_world_size()) if together else (0, 1)
        owners, sent = _owners([p.flatten(1).shape for p in parameters], count), []
        for parameter, owner in zip(parameters, owners, strict=True):
            state, gradient = self.state[parameter], parameter.grad
            assert gradient is not None
            if not state:
                state["momentum"] = torch.zeros_like(gradient)
            momentum = state["momentum"].mul_(0.95).add_(gradient)
            if owner == own:
                update = orthogonalise(gradient.add(momentum, alpha=0.95).flatten(1)).contiguous()
            else:
                update = gradient.new_empty(gradient.flatten(1).shape)
            work = torch.distributed.broadcast(update, owner, async_op=True) if count > 1 else None
            sent.append((parameter, update, work))
        for parameter, update, work in sent:
            if work:
                work.wait()
            rows, columns = update.shape
            parameter.add_(update.view(parameter.shape), alpha=-rate * max(1.0, rows / columns) ** 0.5)


def _owners(shapes: Sequence[torch.Size], count: int) -> list[int]:
    """Return which of `count` processes orthogonalises each matrix: the costliest first, each by the least loaded."""
    costs = [min(shape) ** 2 * (max(shape) + 5 * min(shape)) for shape in shapes]
    load, owners = [0] * count, [0] * len(shapes)
    for i in sorted(range(len(shapes)), key=lambda i: -costs[i]):
        owners[i] = load.index(min(load))
        load[owners[i]] += costs[i]
    return owners


def _adamw(parameter: Tensor, gradient: Tensor, state: dict, rate: float) -> None:
    if not state:
        state.update(first=torch.zeros_like(gradient), second=torch.zeros_like(gradient), step=torch.zeros(()))
    state["step"] += 1
    step = int(state["step"])
    first = state["first"].lerp_(gradient, 0.1)
    second = state["second"].mul_(0.98).addcmul_(gradient, gradient, value=0.02)
    scale = (second / (1 - 0.98**step)).sqrt_().add_(1e-8)
    parameter.addcdiv_(first / (1 - 0.9**step), scale, value=-rate)


def _groups(module: nn.Module, rate: float, plain_rate: float, plain: Iterable[nn.Parameter]) -> list[dict[str, Any]]:
    """Return the non-empty groups of parameters that require gradients: kernels and matrices, then all others."""
    excluded = {id(p) for p in plain}
    parameters = [p for p in module.parameters() if p.requires_grad]
    matrices = [p for p in parameters if p.ndim >= 2 and id(p) not in excluded]
    others = [p for p in parameters if p.ndim < 2 or id(p) in excluded]
    groups = [
        {"params": matrices, "peak": rate, "lr": rate, "weight_decay": 0.01, "matrices": True},
        {"params": others, "peak": plain_rate, "lr": plain_rate, "weight_decay": 0.0, "matrices": False},
    ]
    return [group for group in groups if group["params"]]


def make_optimizer(
    module: nn.Module, name: OptimizerName, rate: float, plain_rate: float, plain: Iterable[nn.Parameter] = ()
) -> torch.optim.Optimizer:
    """Return an optimizer of the parameters that require gradients; each group stores its peak rate as "peak".

    Args:
        module: the module to train.
        name: muon, see `MuonAdamW`; or adamw (Loshchilov & Hutter 2019, arXiv 1711.05101) with weight decay 0.01.
        rate: peak learning rate of kernels and matrices.
        plain_rate: of biases, norms and `plain`.
        plain: parameters that do not map between hidden features, whatever their shape.
    """
    if name == "muon":
        return MuonAdamW(module, rate, plain_rate, plain)
    return torch.optim.AdamW(_groups(module, rate, plain_rate, plain), betas=(0.9, 0.98))
