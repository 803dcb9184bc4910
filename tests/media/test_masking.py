"""Masks in a picture's pixels: what a file says, how far an edge fades, and that nothing else is touched."""

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from regrow.media.files import MediaError
from regrow.media.image.framing import place
from regrow.media.image.masking import box_mask, frame_edge, load_mask, paste, paste_on_layer, softened
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
    with pytest.raises(MediaError, match="is entirely black, so nothing may change"):
        load_mask(tmp_path / "m.png", (5, 5))


def painted(path: Path, mode: str, colour: tuple[int, ...], ground: tuple[int, ...]) -> Path:
    image = Image.new("RGBA", (12, 9), ground)
    image.paste(colour, (3, 2, 8, 6))
    if mode == "P":
        indices = Image.new("P", image.size, 0)
        indices.putpalette([*ground[:3], *colour[:3]])
        indices.paste(1, (3, 2, 8, 6))
        indices.save(path, transparency=bytes([ground[3], colour[3]]))
    else:
        image.convert(mode).save(path)
    return path


SHAPE = torch.zeros(1, 9, 12)
SHAPE[:, 2:6, 3:8] = 1
BLACK, WHITE = (0, 0, 0), (255, 255, 255)
LAYERS = [
    (mode, (*colour, 255), (*ground, 0))
    for mode in ("RGBA", "P", "LA")
    for colour in (WHITE, BLACK, (255, 0, 0), (0, 0, 130))
    for ground in (WHITE, BLACK, (0, 255, 0))
]


@pytest.mark.parametrize(
    ("mode", "colour", "ground"),
    [
        *LAYERS,
        ("RGBA", (*WHITE, 255), (*BLACK, 254)),
        ("RGB", (*WHITE, 255), (*BLACK, 255)),
        ("L", (*WHITE, 255), (*BLACK, 255)),
    ],
)
def test_what_is_painted_on_a_transparent_layer_may_change(tmp_path: Path, mode, colour, ground) -> None:
    mask, notes = load_mask(painted(tmp_path / "m.png", mode, colour, ground), (9, 12))
    assert torch.equal(mask, SHAPE)
    assert ["transparent" in note for note in notes] == ([True] if ground[3] < 255 else [])


def test_soft_strokes_and_black_on_a_layer_keep_their_meaning(tmp_path: Path) -> None:
    white, soft, black, grey, clear = (
        (255,) * 4,
        (255, 255, 255, 51),
        (0, 0, 0, 255),
        (102, 102, 102, 255),
        (9, 9, 9, 0),
    )
    stroke = torch.tensor([white, soft, black, grey, clear])
    save(tmp_path / "m.png", stroke.T[:, None] / 127.5 - 1)
    mask, _ = load_mask(tmp_path / "m.png", (1, 5))
    assert torch.allclose(mask[0, 0], torch.tensor([1, 0.2, 0, 0.4, 0]), atol=1e-6)


def test_what_the_reader_did_to_a_mask_is_said(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    painted(tmp_path / "m.png", "RGBA", (*WHITE, 255), (*BLACK, 0))
    Image.open(tmp_path / "m.png").save(tmp_path / "t.png", exif=exif)
    mask, notes = load_mask(tmp_path / "t.png", (12, 9))
    assert torch.equal(mask, SHAPE.rot90(-1, (1, 2)))
    assert notes[0] == "Mask: It was turned upright by its EXIF orientation."
    assert len(notes) == 2


def test_a_mask_of_nothing_is_one_sentence(tmp_path: Path) -> None:
    Image.new("RGBA", (5, 5), (255, 255, 255, 0)).save(tmp_path / "m.png")
    with pytest.raises(MediaError, match="is entirely transparent"):
        load_mask(tmp_path / "m.png", (5, 5))


@given(seed=st.integers(0, 99))
@settings(deadline=None)
def test_a_result_on_a_layer_looks_as_on_white_and_keeps_the_layers_bits(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    layer = torch.randint(0, 256, (4, 9, 12), generator=generator, dtype=torch.uint8)
    layer[3] = torch.where(torch.rand(9, 12, generator=generator) < 0.3, 0, layer[3])
    weight = (torch.rand(1, 1, 9, 12, generator=generator) * 3 - 1).clamp(0, 1)
    share = layer[3:] / 255
    white = (layer[:3] / 127.5 - 1) * share + 1 - share
    result = random(1, 3, 9, 12, seed=seed)
    pasted = paste_on_layer(result, layer, weight)
    opacity = (pasted[:, 3:] + 1) / 2
    laid = pasted[:, :3] * opacity + 1 - opacity
    assert torch.allclose(laid, paste(result, white, weight), atol=1e-5)
    kept = (weight == 0).expand(1, 4, 9, 12)
    assert torch.equal(((pasted + 1) * 127.5).round().byte()[kept], layer[None][kept])
    assert (opacity[weight == 1] == 1).all()


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


@pytest.mark.parametrize("paint", [(1.0, -1.0, -1.0), (1.0, 1.0, 1.0)])
def test_a_mask_painted_over_a_picture_says_that_nearly_all_may_change(
    tmp_path: Path, paint: tuple[float, float, float]
) -> None:
    """Red over a copy of the picture, as many programs show masks: only brightness counts, so all of it is open."""
    picture = torch.rand(3, 40, 40, generator=torch.Generator().manual_seed(0)) - 0.5
    picture[:, 10:20, 10:20] = torch.tensor(paint)[:, None, None]
    save(tmp_path / "painted.png", picture)
    _, notes = load_mask(tmp_path / "painted.png", (40, 40))
    assert "The mask has almost no black, so 100% of the picture may change: paint black what must stay" in notes[-1]
    picture[:], picture[:, 10:20, 10:20] = -1.0, 1.0
    save(tmp_path / "right.png", picture)
    assert load_mask(tmp_path / "right.png", (40, 40))[1] == ()
