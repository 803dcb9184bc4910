"""Frames of a picture's own shape: nothing is stretched, nothing moves, and what is outside stays as it is."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from regrow.media.image.framing import Box, Placement, apply, unfit
from regrow.media.image.own_shape import LONG, NEAR, Made, support, surroundings, whole

SIDES = st.integers(1, 600)
MULTIPLES = st.sampled_from([1, 8, 16])


def picture(h: int, w: int, seed: int = 0) -> Tensor:
    return torch.rand(3, h, w, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def check(placement: Placement, made: Made, source: Tensor) -> None:
    """What holds of every placement: sides, proportions, and the way back."""
    frame, inside, cut = placement.frame, placement.target, placement.source
    assert not any(side % made.multiple for side in frame)
    assert all(0 <= gap < made.multiple for gap in (frame[0] - inside.height, frame[1] - inside.width))
    h, w = cut.size
    scale = max(inside.size) / max(h, w)
    assert abs(inside.height - scale * h) <= 1 > abs(inside.width - scale * w) - 1e-6
    fitted = apply(source, placement)
    assert fitted.shape == (3, *frame)
    assert fitted.abs().max() <= 1
    restored = unfit(fitted, placement, source)
    assert restored.shape == source.shape
    if cut.size == inside.size:
        assert torch.equal(restored, source), "copied, never resampled"
    made_anew = unfit(torch.full((3, *frame), 2.0), placement, source)
    changed = (made_anew != source).all(0)
    assert changed[cut.top : cut.top + h, cut.left : cut.left + w].all()
    assert int(changed.sum()) == h * w, "outside the part that the model saw every pixel is the file's own"


@settings(max_examples=80)
@given(h=SIDES, w=SIDES, multiple=MULTIPLES, side=st.sampled_from([32, 64, 128]))
def test_all_of_any_picture_and_back(h, w, multiple, side):
    made = Made((side, side), multiple)
    placement = whole((h, w), made)
    check(placement, made, picture(h, w))
    assert max(placement.frame) <= LONG * side
    wide = max(h, w) / min(h, w)
    if wide < LONG**2 and side > 2 * multiple:
        pixels = placement.target.height * placement.target.width
        rounding = (1 + multiple / side) ** 2 * (1 + 1 / min(placement.target.size)) ** 2
        assert 1 / (NEAR * rounding) <= pixels / side**2 <= NEAR * rounding


@settings(max_examples=80)
@given(data=st.data(), h=SIDES, w=SIDES, multiple=MULTIPLES, reach=st.integers(0, 40))
def test_the_surroundings_of_any_box_and_back(data, h, w, multiple, reach):
    top, left = data.draw(st.integers(0, h - 1)), data.draw(st.integers(0, w - 1))
    box = Box(top, left, data.draw(st.integers(1, h - top)), data.draw(st.integers(1, w - left)))
    mask = torch.zeros(1, h, w)
    box.cut(mask).fill_(1)
    assert support(mask) == box
    made = Made((64, 64), multiple)
    placement = surroundings((h, w), box, reach, made)
    check(placement, made, picture(h, w))
    cut = placement.source
    for first, length, start, side, end in (
        (top, box.height, cut.top, cut.height, h),
        (left, box.width, cut.left, cut.width, w),
    ):
        assert 0 <= start <= max(first - reach, 0), "what fades into the picture is taken along"
        assert min(first + length + reach, end) <= start + side <= end


def test_a_small_region_of_a_large_picture_is_cut_out_unscaled() -> None:
    source, made = picture(300, 500), Made((64, 64), 8)
    placement = surroundings((300, 500), Box(140, 200, 20, 12), 5, made)
    assert placement.source.size == placement.frame == (64, 64)
    assert torch.equal(apply(source, placement), placement.source.cut(source))
    assert placement.note == "Of 500 x 300 pixels, the 64 x 64 around the part that may change were used, unscaled."
    corner = surroundings((300, 500), Box(0, 490, 10, 10), 5, made)
    assert corner.source == Box(0, 436, 64, 64)
    large = surroundings((300, 500), Box(50, 100, 100, 200), 5, made)
    assert large.source == Box(0, 48, 200, 304)
    assert (
        large.note == "Of 500 x 300 pixels, the 304 x 200 around the part that may change were used, scaled to 80 x 53."
    )
    tiled = surroundings((300, 500), Box(50, 100, 100, 200), 5, made._replace(tiled=True))
    assert tiled.frame == tiled.source.size == (200, 304)


@settings(max_examples=60)
@given(h=st.integers(120, 600), w=st.integers(120, 600), multiple=MULTIPLES, data=st.data())
def test_a_spot_stays_where_it_is(h, w, multiple, data):
    placement = whole((h, w), Made((96, 96), multiple))
    scale = placement.target.width / w
    y, x = data.draw(st.integers(40, h - 41)), data.draw(st.integers(40, w - 41))
    spot = -torch.ones(3, h, w)
    rows, columns = torch.arange(h)[:, None] - y, torch.arange(w) - x
    spot += torch.exp(-(rows**2 + columns**2) / (2 * (2 / min(scale, 1)) ** 2))
    there, back = apply(spot, placement), unfit(apply(spot, placement), placement, spot)
    assert centre(back) == pytest.approx((y, x), abs=0.06 / min(scale, 1))
    in_frame = [
        (at + 0.5) * inside / whole_side - 0.5 + first
        for at, inside, whole_side, first in (
            (y, placement.target.height, h, placement.target.top),
            (x, placement.target.width, w, placement.target.left),
        )
    ]
    assert centre(placement.target.cut(there)) == pytest.approx(
        (in_frame[0] - placement.target.top, in_frame[1] - placement.target.left), abs=0.06
    )


def centre(pixels: Tensor) -> tuple[float, float]:
    """The middle of what is brighter than black, in pixels."""
    weight = (pixels[0] + 1).clamp_min(0.02) - 0.02
    y, x = ((weight.sum(1 - dim) * torch.arange(weight.shape[dim])).sum() / weight.sum() for dim in (0, 1))
    return float(y), float(x)


@pytest.mark.parametrize(
    ("size", "made", "frame"),
    [
        ((512, 512), Made((512, 512), 8), (512, 512)),
        ((600, 840), Made((512, 512), 8), (440, 608)),  # 434 x 608, and 6 rows mirrored
        ((832, 1216), Made((1024, 1024), 8), (832, 1216)),  # near enough to be left as it is
        ((3000, 4000), Made((1024, 1024), 16), (896, 1184)),
        ((100, 4000), Made((512, 512), 8), (32, 1024)),
        ((1, 1), Made((512, 512), 8), (512, 512)),
        ((2000, 9000), Made((1024, 1024), 16, longest=1536), (352, 1536)),
        ((600, 840), Made((512, 512), 8, tiled=True), (600, 840)),
    ],
)
def test_the_frame_of_common_sizes(size, made, frame) -> None:
    assert whole(size, made).frame == frame


def test_a_filled_side_mirrors_the_picture() -> None:
    source = picture(600, 843)
    placement = whole((600, 843), Made((704, 704), 8))
    assert placement.frame == (600, 848)
    fitted = apply(source, placement)
    assert torch.equal(fitted[..., 2:845], source)
    assert torch.equal(fitted[..., :2], source[..., [2, 1]])
    assert torch.equal(fitted[..., 845:], source[..., [-2, -3, -4]])
    assert placement.note == "The 843 x 600 pixels were kept unscaled, and the edges mirrored to fill 848 x 600."
    one = whole((1, 30), Made((704, 704), 8))
    assert apply(picture(1, 30), one).shape[1:] == one.frame


def test_a_given_size_is_the_frame() -> None:
    placement = whole((300, 500), Made((64, 64), 8), (64, 128))
    assert placement.frame == (64, 128)
    assert placement.target.size == (64, round(500 * 64 / 300))
    assert math.isclose(placement.target.left, (128 - placement.target.width) // 2)
