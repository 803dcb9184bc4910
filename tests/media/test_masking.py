"""Masks in a picture's pixels: what a file says, how far an edge fades, and that nothing else is touched."""

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from regrow.media.files import MediaError
from regrow.media.image.framing import place
from regrow.media.image.masking import box_mask, frame_edge, load_mask, paste, softened
from regrow.media.image.picture import save


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_white_may_change_black_stays_grey_is_between(tmp_path: Path) -> None:
    values = torch.tensor([0, 1, 128, 255]).div(127.5).sub(1).expand(3, 6, 4)
    save(tmp_path / "m.png", values)
    mask, notes = load_mask(tmp_path / "m.png", (6, 4))
    assert torch.allclose(mask[0, 0], torch.tensor([0, 0, 128 / 255, 1]), atol=1e-6)
    assert notes == ()
    larger, notes = load_mask(tmp_path / "m.png", (60, 80))
    assert larger.shape == (1, 60, 80)
    assert larger[0, 30, 5] == 0
    assert larger[0, 30, -5] == 1
    assert "4 x 6" in notes[0]


def test_a_black_mask_is_one_sentence(tmp_path: Path) -> None:
    save(tmp_path / "m.png", torch.full((3, 5, 5), -1.0))
    with pytest.raises(MediaError, match="black all over"):
        load_mask(tmp_path / "m.png", (5, 5))


@given(
    h=st.integers(1, 200),
    w=st.integers(1, 200),
    x=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    y=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
@settings(max_examples=100, deadline=None)
def test_a_box_is_never_empty_and_as_large_as_it_says(h, w, x, y) -> None:
    left, right, top, bottom = min(x), max(x), min(y), max(y)
    mask = box_mask((left, top, right, bottom), (h, w))
    assert mask.any()
    assert abs(float(mask.sum(-1).amax()) - (right - left) * w) <= 1.5
    assert abs(float(mask.sum(-2).amax()) - (bottom - top) * h) <= 1.5


@given(reach=st.integers(0, 12), seed=st.integers(0, 20), cut=st.floats(0.5, 0.99))
@settings(max_examples=60, deadline=None)
def test_softened_is_1_on_the_mask_and_0_beyond_its_reach(reach, seed, cut) -> None:
    mask = (random(1, 24, 31, seed=seed) > cut).float() * 0.4
    weight = softened(mask, reach)
    assert weight.shape == mask.shape
    assert (weight[mask > 0] == 1).all()
    away = torch.nn.functional.max_pool2d((mask > 0).float(), 2 * reach + 1, stride=1, padding=reach) == 0
    assert (weight[away] == 0).all()
    assert weight.min() >= 0
    assert weight.max() <= 1


def test_softened_falls_step_by_step() -> None:
    line = softened(box_mask((0, 0, 0.5, 1), (40, 40)), 8)[0, 20]
    fall = line[19:30]
    assert fall[0] == 1
    assert (fall[1:] <= fall[:-1]).all()
    assert len(set(fall.tolist())) > 4


@pytest.mark.parametrize("size", [(40, 100), (100, 40), (64, 64)])
@pytest.mark.parametrize("reach", [0, 6])
def test_the_frames_edge_fades_inside_the_box_and_not_at_the_pictures_own_edge(size, reach) -> None:
    placement = place(size, 8, (32, 32))
    weight, box = frame_edge(placement, reach)[0], placement.source
    inside = torch.zeros(size)
    box.cut(inside[None])[:] = 1
    assert (weight[inside == 0] == 0).all()
    assert (weight[inside == 1] > 0).all()
    assert weight[size[0] // 2, size[1] // 2] == 1
    if not reach:
        assert torch.equal(weight, inside)
    if size[1] > size[0]:
        assert weight[0, size[1] // 2] == 1, "the box ends with the picture here"
        assert bool(weight[20, box.left] < 0.2) is bool(reach)


def test_paste_keeps_bits_where_the_weight_is_0_and_the_result_where_it_is_1() -> None:
    result, original = random(2, 3, 8, 9, seed=1), random(3, 8, 9, seed=2)
    weight = torch.zeros(1, 1, 8, 9)
    weight[..., 3:] = 0.25
    weight[..., 6:] = 1
    pasted = paste(result, original, weight)
    assert torch.equal(pasted[..., :3], original[..., :3].expand(2, -1, -1, -1))
    assert torch.equal(pasted[..., 6:], result[..., 6:])
    assert torch.allclose(pasted[..., 3:6], (0.75 * original + 0.25 * result)[..., 3:6])
