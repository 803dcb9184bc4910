"""One check: what was compared, the difference, and the verdict."""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

CheckState = Literal["pass", "fail", "measured", "undecided"]


@dataclass(frozen=True)
class Check:
    """The outcome of a check.

    Attributes:
        name: what is checked, unique among the checks of a run.
        formula: the formula, as plain text.
        source: paper, arXiv id, equation.
        against: what it was checked against.
        error: the measured error, in the measure that `against` names; None if there is none.
        tolerance: the largest error that passes; None if theory sets no limit.
        state: `measured` is a figure without a verdict, `undecided` a check without a clear result.
        detail: further figures, such as the measured order.
    """

    name: str
    formula: str
    source: str
    against: str
    error: float | None
    tolerance: float | None
    state: CheckState
    detail: str = ""


def judge(
    name: str, formula: str, source: str, against: str, error: float, tolerance: float, detail: str = ""
) -> Check:
    """Return a check that passes where `error <= tolerance`, so that NaN fails."""
    return Check(name, formula, source, against, error, tolerance, "pass" if error <= tolerance else "fail", detail)


def judge_order(
    name: str, formula: str, source: str, against: str, steps: list[int], errors: list[float], expected: int
) -> Check:
    """Return a check of a method's order: the slope of log error on log step, within 0.15 of theory."""
    order = slope([1 / n for n in steps], errors)
    detail = f"order {order:.2f}, expected {expected}; error {errors[0]:.1e} at {steps[0]} steps, "
    detail += f"{errors[-1]:.1e} at {steps[-1]}"
    return judge(name, formula, source, against, abs(order - expected), 0.15, detail)


def slope(steps: list[float], errors: list[float]) -> float:
    """Return the least-squares slope of log error on log step; NaN if an error is 0 or not finite."""
    if not all(0 < error < math.inf for error in errors):
        return math.nan
    x, y = torch.tensor(steps).double().log(), torch.tensor(errors).double().log()
    x, y = x - x.mean(), y - y.mean()
    return float((x * y).sum() / (x * x).sum())


def apart(a: Tensor, b: Tensor) -> float:
    """Return the largest absolute difference."""
    return float((a - b).abs().max())


def rms(a: Tensor) -> float:
    """Return the root mean square."""
    return float(a.square().mean().sqrt())
