"""Shares as pairs of counts, which can be added up over songs."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Share:
    """`hits` out of `count` tries."""

    hits: int
    count: int

    @classmethod
    def of(cls, right: Iterable[bool] | np.ndarray) -> "Share":
        """Return the number of true values, and of all values."""
        array = np.asarray(list(right) if not isinstance(right, np.ndarray) else right, bool)
        return cls(int(array.sum()), array.size)
