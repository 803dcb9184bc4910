"""Run requests concurrently, and compute their calls of one network in one batch.

Each request is a function in its own thread and runs the same code as alone: its prompts, seed, recipe and notes stay
separate. Only one thread runs at a time, until it calls the network or ends, so that no two use another part of the
checkpoint at once. When all threads wait for the network, calls of equal shapes are computed together.

A sample then differs from one computed alone only by rounding, which depends on the batch size: not at all with
OpenVINO in bfloat16, and by up to 6e-5 in a picture in [-1, 1] with torch in float32 on the CPU
(tests/models/test_gathering.py).
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.models.condition import Condition

if TYPE_CHECKING:
    from regrow.models.model import Model

T = TypeVar("T")
AnyModel = TypeVar("AnyModel", bound="Model")
OWN = ("gathering", "encoded", "coding", "note_conditioning", "together", "tiled", "name", "notes", "content_hash")
"""Attributes of a checkpoint that do not affect its network, or that are passed with each call."""


@dataclass(eq=False)
class _Call:
    """A pending call of the network."""

    model: "Model"
    x: Tensor
    labels: Tensor
    condition: Condition
    output: Tensor | None = None
    problem: BaseException | None = None

    def fits(self, other: "_Call") -> bool:
        """Whether both can be computed in one call."""
        alike = [(one.x.shape[1:], one.x.dtype, _shapes(one.condition), type(one.model)) for one in (self, other)]
        return alike[0] == alike[1] and _same(self.model, other.model)


@dataclass(eq=False)
class _Request:
    """A request in its thread: it runs when `turn` is released, and releases `parked` when it waits or ends."""

    turn: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    parked: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    call: _Call | None = None
    over: bool = False
    result: Any = None
    problem: BaseException | None = None


class Gathering:
    """Run functions concurrently, and batch the network calls of models that are `gathered_by` it.

    Attributes:
        shared: number of network calls that served more than one request.

    Args:
        around: context manager around each network call, such as one that can cancel it.
    """

    def __init__(self, around: Callable[[], AbstractContextManager[object]] = nullcontext) -> None:
        self.shared = 0
        self._around = around
        self._own = threading.local()

    def run(self, functions: Sequence[Callable[[], T]]) -> list[T]:
        """Run functions concurrently, and return their results in order.

        Raises:
            BaseException: the first that a function raised, after all have ended.
        """
        requests = [_Request() for _ in functions]
        for request, function in zip(requests, functions, strict=True):
            threading.Thread(target=self._go, args=(request, function), name="regrow request", daemon=True).start()
        while at_work := [request for request in requests if not request.over]:
            for request in at_work:
                request.turn.release()
                request.parked.acquire()
            waiting = [request.call for request in at_work if request.call]
            while waiting:
                group = [call for call in waiting if call.fits(waiting[0])]
                waiting = [call for call in waiting if call not in group]
                self._compute(group)
        if problem := next((request.problem for request in requests if request.problem), None):
            raise problem
        return [request.result for request in requests]

    def compute(
        self, model: "Model", x: Float[Tensor, "b c *places"], labels: Float[Tensor, " b"], condition: Condition
    ) -> Float[Tensor, "b c *places"]:
        """Return the network's output, once all other threads wait as well; only for threads of `run`.

        Raises:
            BaseException: an error of the network.
        """
        request: _Request = self._own.request
        call = request.call = _Call(model, x, labels, condition)
        request.parked.release()
        request.turn.acquire()
        request.call = None
        if call.problem:
            raise call.problem
        assert call.output is not None, "it was computed"
        return call.output

    def _go(self, request: _Request, function: Callable[[], Any]) -> None:
        self._own.request = request
        request.turn.acquire()
        try:
            request.result = function()
        except BaseException as problem:
            request.problem = problem
        request.over, request.call = True, None
        request.parked.release()

    def _compute(self, group: Sequence[_Call]) -> None:
        """Compute calls that fit together; if that fails, each alone, so that each gets its own error."""
        first = group[0]
        try:
            with self._around(), torch.no_grad():
                x, labels, condition = first.x, first.labels, first.condition
                for call in group[1:]:
                    condition = condition.cat(call.condition)
                if len(group) > 1:
                    x = torch.cat([call.x for call in group])
                    labels = torch.cat([call.labels for call in group])
                outputs = compute(first.model, x, labels, condition).split([len(call.x) for call in group])
            for call, output in zip(group, outputs, strict=True):
                call.output = output
            self.shared += len(group) > 1
        except Exception as problem:
            if len(group) == 1:
                first.problem = problem
                return
            for call in group:
                self._compute([call])
        except BaseException as problem:  # the request was cancelled
            for call in group:
                call.problem = problem


def gathered_by(model: AnyModel, gathering: Gathering | None) -> AnyModel:
    """Return the same opened checkpoint, whose network calls go through `gathering`; None for each call alone."""
    other = copy(model)
    other.gathering = gathering
    return other


def compute(
    model: "Model", x: Float[Tensor, "b c *places"], labels: Float[Tensor, " b"], condition: Condition
) -> Float[Tensor, "b c *places"]:
    """Return the network's output: by its engine, or by torch, sample by sample or all at once."""
    engine = None if torch.is_grad_enabled() else model.engine
    if engine:
        return engine(x, labels, condition.tensors)
    if model.one_by_one:
        each = (slice(i, i + 1) for i in range(len(x)))
        return torch.cat([model.forward(x[i], labels[i], condition.rows(i)) for i in each])
    return model.forward(x, labels, condition)


def _shapes(condition: Condition) -> tuple[Any, ...]:
    """Return the shapes of one prompt's tensors, with their names."""
    return (
        condition.tokens.shape[1:],
        condition.mask is None,
        *((name, condition.extra[name].shape[1:]) for name in sorted(condition.extra)),
    )


def _same(first: "Model", second: "Model") -> bool:
    """Return whether two copies of an opened checkpoint compute the same, apart from `OWN`.

    Cached properties are ignored, as they follow from the other attributes.
    """
    kept, others = vars(first), vars(second)
    names = (kept.keys() | others.keys()) - set(OWN)
    names = {name for name in names if not isinstance(getattr(type(first), name, None), cached_property)}
    pairs = [(kept.get(name), others.get(name)) for name in names]
    return all(one is other or (_is_plain(one) and one == other) for one, other in pairs)


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | tuple)
