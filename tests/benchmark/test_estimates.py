"""Intervals cover the truth as often as they say, and distances are 0 where there is none."""

import numpy as np
import pytest
import torch

from regrow.benchmark.estimates import Estimate, as_json, kernel_distance, mean, ratio, shown


def test_an_interval_covers_the_truth_as_often_as_it_says() -> None:
    draws = np.random.default_rng(0).random((300, 80)) < 0.7
    found = [mean(row.astype(float).tolist()) for row in draws]
    assert 0.9 <= np.mean([e.low <= 0.7 <= e.high for e in found]) <= 0.98
    with pytest.raises(ValueError, match="nothing to estimate"):
        mean([])


def test_a_ratio_is_of_the_sums() -> None:
    hits, counts = [1.0, 3.0, 0.0], [2.0, 4.0, 4.0]
    figure = ratio(hits, counts)
    assert figure.value == 0.4
    assert 0 <= figure.low < 0.4 < figure.high <= 0.75
    assert ratio(hits, [1.0, 1.0, 1.0]) == mean(hits)  # of equal wholes
    for parts, wholes in (([], []), ([1.0], [0.0]), ([1.0], [1.0, 2.0])):
        with pytest.raises(ValueError, match="nothing to estimate"):
            ratio(parts, wholes)


def test_the_kernel_distance_is_zero_by_chance_and_grows() -> None:
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(2, 200, 16, generator=generator)
    same, shifted, far = (kernel_distance(5 * a + 3, 5 * y + 3) for a in (x, x + 0.5, x + 1))
    assert same.low < 0 < same.high
    assert 0.2 < shifted.low < shifted.value < far.low
    # pairs of one scene are never compared: a copy is at no distance, and not at a negative one
    assert kernel_distance(y, y).value == 0
    with pytest.raises(ValueError, match="Two sets of 2 or more features"):
        kernel_distance(x[:1], y[:1])


def test_a_figure_is_shown_with_its_interval_and_json_holds_no_infinity() -> None:
    assert shown(Estimate(0.931, 0.9, 0.95, 40), 100, 0) == "93 [90, 95]"
    infinite = as_json(Estimate(float("inf"), 1.0, float("inf"), 2))
    assert infinite == {
        "value": None,
        "low": 1.0,
        "high": None,
        "count": 2,
    }
