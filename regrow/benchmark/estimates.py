"""Estimates with confidence intervals: means, ratios, and distances of feature sets."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TextIO

import numpy as np
from jaxtyping import Float
from torch import Tensor

from regrow.core.noise import derive_seed

RESAMPLES = 2000


@dataclass(frozen=True)
class Estimate:
    """A figure from `count` pictures and its 95 % bootstrap interval (Efron 1979): percentiles over 2,000 resamples.

    If all values are equal, the interval has no width, however few there are: 40 hits of 40 give [1, 1], although a
    true share of 0.93 could have given them.
    """

    value: float
    low: float
    high: float
    count: int


def shown(figure: Estimate, factor: float, digits: int) -> str:
    """Write a figure and its interval for a table, times `factor`: "0.93 [0.90, 0.95]"."""
    value, low, high = (f"{factor * number:.{digits}f}" for number in (figure.value, figure.low, figure.high))
    return f"{value} [{low}, {high}]"


def print_rows(rows: Iterable[tuple[str, Iterable[str]]], first: int, width: int, out: TextIO) -> None:
    """Print a line for each row: the name in `first` columns, then the cells right-aligned in `width` columns each."""
    for name, cells in rows:
        print(f"{name:{first}}" + "".join(f"{cell:>{width}}" for cell in cells), file=out)


def as_json(figure: Estimate) -> dict[str, float | None]:
    """Return a figure JSON-able: numbers that are not finite become None."""
    return {name: value if math.isfinite(value) else None for name, value in asdict(figure).items()}


def mean(values: Sequence[float]) -> Estimate:
    """Return the mean. The interval is deterministic: the same values always give the same one.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("There is nothing to estimate from.")
    array, n = np.asarray(values, np.float64), len(values)
    return _interval(float(array.mean()), _counts(n) @ array / n, n)


def ratio(parts: Sequence[float], wholes: Sequence[float]) -> Estimate:
    """Return the sum of parts over the sum of wholes, such as all hits over all tries; pairs are resampled together.

    Args:
        parts: one per item, such as a song.
        wholes: one per item; resamples whose wholes sum to 0 are left out.

    Raises:
        ValueError: there are no parts, the numbers of parts and wholes differ, or the wholes sum to 0.
    """
    if not parts or len(parts) != len(wholes) or not sum(wholes):
        raise ValueError("There is nothing to estimate from.")
    above, below, n = np.asarray(parts, np.float64), np.asarray(wholes, np.float64), len(parts)
    sums = _counts(n) @ below
    return _interval(float(above.sum() / below.sum()), (_counts(n) @ above)[sums != 0] / sums[sums != 0], n)


def kernel_distance(ours: Float[Tensor, "n features"], theirs: Float[Tensor, "n features"]) -> Estimate:
    """Return the distance (MMD^2) between two sets of features: about 0, also slightly below, for equal distributions.

        MMD^2 = mean over i != j of k(x_i, x_j) + k(y_i, y_j) - k(x_i, y_j) - k(x_j, y_i)
        k(x, y) = (x . y / features + 1)^3

    Row i of both sets may show the same scene; such a pair is never compared. Features are normalised by the mean and
    the overall standard deviation of `theirs`, so that their scale does not matter.

    Raises:
        ValueError: the shapes differ, or there are fewer than 2 rows.

    References:
        Gretton et al. 2012, A Kernel Two-Sample Test, JMLR 13, eq. 4 (the unbiased estimate).
        Binkowski et al. 2018, arXiv 1801.01401, section 4 (the kernel; on Inception features this is KID).
    """
    if ours.shape != theirs.shape or len(ours) < 2:
        raise ValueError(f"Two sets of 2 or more features each are needed; got {ours.shape} and {theirs.shape}.")
    x, y = ours.double().cpu(), theirs.double().cpu()
    middle, spread = y.mean(0), y.std(0).square().mean().sqrt().clamp_min(1e-6)
    x, y = (x - middle) / spread, (y - middle) / spread

    def k(a: Tensor, b: Tensor) -> Tensor:
        return (a @ b.T / a.shape[1] + 1) ** 3

    pairs = (k(x, x) + k(y, y) - k(x, y) - k(y, x)).numpy()
    np.fill_diagonal(pairs, 0)
    n, counts = len(pairs), _counts(len(pairs))
    # a row drawn twice is not compared with itself either
    compared = n * n - np.square(counts).sum(1)
    resampled = ((counts @ pairs) * counts).sum(1)[compared > 0] / compared[compared > 0]
    return _interval(float(pairs.sum() / (n * (n - 1))), resampled, n)


@lru_cache(maxsize=4)  # the figures of a bench are nearly all of the same number of scenes
def _counts(n: int) -> np.ndarray:
    """Return how often each of n values is in each resample; the draws depend on n alone."""
    random = np.random.default_rng(derive_seed("bootstrap", n))
    return random.multinomial(n, np.full(n, 1 / n), RESAMPLES)


def _interval(value: float, resampled: np.ndarray, count: int) -> Estimate:
    low, high = np.percentile(resampled, (2.5, 97.5))
    return Estimate(value, float(low), float(high), count)
