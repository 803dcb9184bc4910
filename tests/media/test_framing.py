"""Whatever the sizes, the result has the input's size, and what need not be resampled is exact."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from regrow.media.files import MediaError
from regrow.media.image.framing import apply, fit, place, unfit

SIDES = st.integers(1, 400)
MODES = ("crop", "pad", "stretch")


def picture(h: int, w: int, seed: int = 0) -> Tensor:
    return torch.rand(3, h, w, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@settings(max_examples=150, deadline=None)
@given(h=SIDES, w=SIDES, multiple=st.sampled_from([1, 8, 64]), size=st.none() | st.tuples(SIDES, SIDES), data=st.data())
def test_any_size_into_any_frame_and_back(h, w, multiple, size, data):
    mode = data.draw(st.sampled_from(MODES))
    frame = None if size is None else (-(-size[0] // multiple) * multiple, -(-size[1] // multiple) * multiple)
    source = picture(h, w)
    fitted = fit(source, multiple, frame, mode)
    got = (fitted.pixels.shape[-2], fitted.pixels.shape[-1])
    assert fitted.pixels.shape[0] == 3
    assert got == (frame or got)
    assert not any(side % multiple for side in got)
    assert fitted.pixels.abs().max() <= 1
    restored = unfit(fitted.pixels, fitted.placement, source)
    assert restored.shape == source.shape
    assert restored.isfinite().all()
    assert restored.abs().max() <= 1
    assert bool(fitted.notes) == (got != (h, w))
    if fitted.placement.source.size == fitted.placement.target.size:
        assert torch.equal(restored, source)
    if mode == "crop" and frame:  # in proportion, up to the rounding to whole pixels
        box = fitted.placement.source
        assert abs(box.height * frame[1] - box.width * frame[0]) <= max(frame) * 0.5 + 1e-6 or 1 in box.size


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [None, (64, 96)])
def test_the_right_size_passes_bit_for_bit(mode, size):
    source = picture(64, 96)
    fitted = fit(source, 32, size, mode)
    assert torch.equal(fitted.pixels, source)
    assert fitted.notes == ()
    result = picture(64, 96, seed=1)
    restored = unfit(result, fitted.placement, source)
    assert torch.equal(restored, result)
    assert restored.data_ptr() != result.data_ptr()


def test_own_size_is_cut_or_filled_but_never_scaled():
    source = picture(100, 75)
    cut = fit(source, 8)
    assert torch.equal(cut.pixels, source[:, 2:98, 1:73])
    padded = fit(source, 8, mode="pad")
    assert padded.pixels.shape == (3, 104, 80)
    assert torch.equal(padded.pixels[:, 2:102, 2:77], source)
    assert torch.equal(padded.pixels[:, 0, 2:77], source[:, 0])
    assert torch.equal(padded.pixels[:, -1, -1], source[:, -1, -1])
    assert fit(source, 64, mode="stretch").pixels.shape == (3, 128, 64)


def test_crop_leaves_what_is_outside_as_it_is():
    source, result = picture(100, 300), picture(64, 64, seed=1)
    fitted = fit(source, 8, (64, 64))
    assert fitted.notes == (
        "Of 300 x 100 pixels, the middle 100 x 100 were used, scaled to 64 x 64, for the model's 64 x 64; "
        "the rest stays unchanged.",
    )
    restored = unfit(result, fitted.placement, source)
    assert torch.equal(restored[..., :100], source[..., :100])
    assert torch.equal(restored[..., 200:], source[..., 200:])
    assert not torch.isclose(restored[..., 100:200], source[..., 100:200]).all(0).any(0).all()


def test_pad_says_what_it_did():
    fitted = fit(picture(100, 300), 8, (64, 64), "pad")
    assert fitted.pixels[:, :21].std(dim=1).max() == 0
    assert fitted.notes == (
        "The 300 x 100 pixels were scaled to 64 x 21, and the edges repeated to fill the model's 64 x 64.",
    )


@pytest.mark.parametrize("mode", MODES)
def test_smooth_pictures_survive_scaling(mode):
    y, x = torch.meshgrid(torch.linspace(-1, 1, 300), torch.linspace(-1, 1, 200), indexing="ij")
    source = torch.stack([y * x, y, torch.sin(3 * x)])
    fitted = fit(source, 8, (128, 128), mode)
    restored = unfit(fitted.pixels, fitted.placement, source)
    assert (restored - source).abs().max() < 0.02


def test_batches_masks_and_half_precision():
    source = picture(50, 70)
    placement = place((50, 70), 8, (32, 32))
    results = torch.stack([picture(32, 32, seed) for seed in range(3)])
    together = unfit(results, placement, source)
    assert together.shape == (3, 3, 50, 70)
    for result, restored in zip(results, together, strict=True):  # no sample depends on its batch
        assert torch.equal(unfit(result, placement, source), restored)
    mask = (source[:1] > 0).float()
    assert apply(mask, placement).shape == (1, 32, 32)
    assert 0 <= apply(mask, placement).min() <= apply(mask, placement).max() <= 1
    assert unfit(results.bfloat16(), placement, source).dtype == torch.bfloat16
    assert torch.equal(source, picture(50, 70))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (((50, 70), 8, (500, 512)), r"512 x 500 is not divisible by 8: use 512 x 496\."),
        (((50, 70), 8, (0, 512)), r"use 512 x 8\."),
        (((50, 70), 0), r"must be positive\."),
        (((0, 70), 8), r"must be positive\."),
        (((50, 70), 8, None, "zoom"), r"'zoom': use crop, pad, stretch\."),
    ],
)
def test_what_cannot_be_placed(arguments, words):
    with pytest.raises(MediaError, match=words):
        place(*arguments)


def test_a_result_of_another_size_is_refused():
    source, fitted = picture(50, 70), fit(picture(50, 70), 8)
    with pytest.raises(MediaError, match=r"The result is 70 x 50, but it was placed as 64 x 48: fit it again\."):
        unfit(source, fitted.placement, source)
    with pytest.raises(MediaError, match=r"The original is 64 x 48"):
        unfit(fitted.pixels, fitted.placement, fitted.pixels)
