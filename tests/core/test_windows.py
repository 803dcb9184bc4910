"""Windows along wide latents: what is done alike everywhere is not changed by them, and they leave no gap."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from regrow.core.denoiser import Denoiser, Prediction
from regrow.core.levels import Level
from regrow.core.noise import noise
from regrow.core.windows import starts, windowed

LEVEL = Level(0.6, 0.8)


def alike(x_t: torch.Tensor, level: Level) -> Prediction:
    """Looks at one cell at a time."""
    x0 = torch.tanh(x_t)
    return Prediction(x0, (x_t - level.alpha * x0) / level.sigma)


def looking_around(x_t: torch.Tensor, level: Level) -> Prediction:
    """Looks at the whole window, and at where in it a cell is."""
    x0 = x_t.mean(dim=-1, keepdim=True) + torch.linspace(-1, 1, x_t.shape[-1], dtype=x_t.dtype)
    return Prediction(x0.expand_as(x_t), (x_t - level.alpha * x0) / level.sigma)


shapes = st.integers(2, 12).flatmap(lambda w: st.tuples(st.just(w), st.integers(0, w - 1), st.integers(1, 40)))


@given(shapes, st.booleans())
def test_a_network_that_looks_at_single_cells_is_not_changed(shape: tuple[int, int, int], closed: bool) -> None:
    width, overlap, wide = shape
    x = noise((2, 3, wide), [1, 2], torch.float64)
    found, expected = windowed(alike, width, overlap, closed)(x, LEVEL), alike(x, LEVEL)
    torch.testing.assert_close(found.x0, expected.x0)
    torch.testing.assert_close(found.eps, expected.eps)


@given(shapes, st.booleans())
def test_the_two_predictions_still_make_up_x_t(shape: tuple[int, int, int], closed: bool) -> None:
    width, overlap, wide = shape
    x = noise((1, wide), [3], torch.float64)
    found = windowed(looking_around, width, overlap, closed)(x, LEVEL)
    torch.testing.assert_close(found.at(LEVEL), x)


@given(shapes)
def test_windows_reach_both_ends_and_overlap_enough(shape: tuple[int, int, int]) -> None:
    width, overlap, more = shape
    wide = width + more
    found = starts(wide, width, overlap, closed=False)
    assert (found[0], found[-1]) == (0, wide - width)
    assert all(1 <= b - a <= max(1, width - overlap) for a, b in pairwise(found))


def test_what_fits_is_one_window() -> None:
    x = noise((1, 8), [3], torch.float64)
    assert torch.equal(windowed(looking_around, 8, 4)(x, LEVEL).x0, looking_around(x, LEVEL).x0)


def test_a_closed_path_has_no_seam() -> None:
    """Turned by the distance of two windows, the input gives the same output, turned."""
    x = noise((1, 24), [4], torch.float64)
    denoise = windowed(looking_around, 16, 8, closed=True)
    torch.testing.assert_close(denoise(x.roll(8, -1), LEVEL).x0, denoise(x, LEVEL).x0.roll(8, -1))
    opened = windowed(looking_around, 16, 8)
    assert (opened(x.roll(8, -1), LEVEL).x0 - opened(x, LEVEL).x0.roll(8, -1)).abs().max() > 0.1


def test_an_overlap_as_wide_as_the_window_is_refused() -> None:
    with pytest.raises(ValueError, match="from 0 to below their width 8; got 8"):
        windowed(alike, 8, 8)


@given(shapes, shapes)
def test_windows_of_windows_tile_a_picture(rows: tuple[int, int, int], columns: tuple[int, int, int]) -> None:
    (height, up, tall), (width, aside, wide) = rows, columns
    x = noise((2, tall, wide), [5], torch.float64)

    def tiled(denoise: Denoiser) -> Prediction:
        return windowed(windowed(denoise, width, aside), height, up, axis=-2)(x, LEVEL)

    sizes = set()

    def noting(x_t: torch.Tensor, level: Level) -> Prediction:
        sizes.add(x_t.shape[2:])
        return alike(x_t, level)

    torch.testing.assert_close(tiled(noting).x0, alike(x, LEVEL).x0)
    assert sizes == {(min(tall, height), min(wide, width))}
    torch.testing.assert_close(tiled(looking_around).at(LEVEL), x)
    turned = windowed(windowed(alike, height, up, axis=-2), width, aside)(x, LEVEL)
    torch.testing.assert_close(tiled(alike).eps, turned.eps)
