"""Regions and masks on a tiny random checkpoint: what lies outside is the file's own, bit for bit."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from regrow.core import edit_localization as difference
from regrow.core.methods.registry import names_for_any_model
from regrow.core.progress import finish
from regrow.editing.edit import edit
from regrow.editing.replay import replay, request_from
from regrow.editing.result import Result
from regrow.media.files import MediaError
from regrow.media.image.framing import place
from regrow.media.image.masking import box_mask
from regrow.media.image.picture import load, read_recipe, save, to_uint8
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.requests.edit import Edit

METHODS = names_for_any_model()


pytestmark = pytest.mark.usefixtures("home")


def run(request: Edit, model: Model) -> Result:
    return finish(edit(request, model))


def changed(edited: Result, image: Path, wish: int = 0) -> torch.Tensor:
    now, then = to_uint8(edited.items[wish]), to_uint8(load(image).pixels)
    return torch.from_numpy((now != then).any(-1))


# how a picture is framed is no affair of a method's
@pytest.mark.parametrize(
    ("method", "frame"),
    [*((name, "crop") for name in METHODS), *product(("direct_inversion", "img2img"), ("pad", "stretch"))],
)
def test_outside_the_region_every_method_keeps_the_files_own_values(
    model: Model, image: Path, method: str, frame
) -> None:
    request = Edit(
        image, ("a bird",), "a cat", method=method, steps=4, strength=1.0, frame=frame, region="0.3,0.2,0.6,0.7",
        feather=0.06,
    )  # fmt: skip
    edited = run(request, model)
    reach = round(0.06 * 37)
    allowed = box_mask((0.3, 0.2, 0.6, 0.7), (37, 53))
    near = torch.nn.functional.max_pool2d(allowed, 2 * reach + 1, stride=1, padding=reach)[0] > 0
    there = changed(edited, image)
    assert not there[~near].any()
    assert there[allowed[0] > 0].float().mean() > 0.5


def test_a_mask_file_of_any_size_and_what_its_recipe_says(model: Model, image: Path, tmp_path: Path) -> None:
    box = (0.3, 0.2, 0.6, 0.7)
    save(tmp_path / "m.png", (box_mask(box, (37, 53)) * 2 - 1).expand(3, -1, -1))
    request = Edit(image, ("a bird", "a dog"), "a cat", model=str(model.folder), steps=4, mask=tmp_path / "m.png")
    edited = run(request, model)
    boxed = run(replace(request, mask=None, region="0.3,0.2,0.6,0.7"), model)
    assert torch.equal(edited.frames, boxed.frames)
    save(tmp_path / "large.png", (box_mask(box, (185, 106)) * 2 - 1).expand(3, -1, -1))
    large = run(replace(request, mask=tmp_path / "large.png", feather=0), model)
    assert any("stretched over the picture" in note for note in large.notes)
    near = torch.nn.functional.max_pool2d(box_mask(box, (37, 53)), 5, stride=1, padding=2)[0] > 0
    assert changed(large, image).any()
    assert not changed(large, image)[~near].any()
    assert edited.recipes[1]["mask"]["share"] == pytest.approx(0.15, abs=0.02)
    save(tmp_path / "out.png", edited.items[1], edited.recipes[1])
    recipe = read_recipe(tmp_path / "out.png")
    assert recipe is not None
    assert finish(replay(recipe, request_from(recipe, image.parent), model)).identical
    save(tmp_path / "m.png", torch.ones(3, 4, 4))
    with pytest.raises(MediaError, match=r"m\.png has changed since the result was made: restore the original file"):
        request_from(recipe, image.parent)


@pytest.mark.parametrize("frame", ["crop", "pad"])
def test_transparency_outside_the_region_stays_bit_for_bit(model: Model, image: Path, tmp_path: Path, frame) -> None:
    whole = to_uint8(load(image).pixels)
    alpha = np.random.default_rng(0).integers(0, 256, whole.shape[:2], dtype=np.uint8)
    alpha[:, ::3] = 0
    before = np.dstack([whole, alpha])
    Image.fromarray(before).save(tmp_path / "layer.png")
    request = Edit(
        tmp_path / "layer.png", ("a bird",), "a cat", model=str(model.folder), steps=4, frame=frame,
        region="0.3,0.2,0.6,0.7", feather=0.06,
    )  # fmt: skip
    edited = run(request, model)
    allowed = box_mask((0.3, 0.2, 0.6, 0.7), (37, 53))
    near = torch.nn.functional.max_pool2d(allowed, 5, stride=1, padding=2)[0].numpy() > 0
    for name in ("a.png", "a.webp"):
        assert save(tmp_path / name, edited.items[0], edited.recipes[0]) == ()
        after = np.asarray(Image.open(tmp_path / name))
        assert np.array_equal(after[~near], before[~near])
    assert "cannot store transparency, so white was put behind it" in save(tmp_path / "a.jpg", edited.items[0])[0]
    recipe = read_recipe(tmp_path / "a.png")
    assert recipe is not None
    assert finish(replay(recipe, request_from(recipe, tmp_path), model)).identical
    if frame == "pad":
        assert (after[allowed[0].numpy() > 0][:, 3] == 255).all()
        assert run(replace(request, region=None), model).items[0].shape == (3, 37, 53)


def test_mask_and_region_together_are_where_both_allow_it(model: Model, image: Path, tmp_path: Path) -> None:
    save(tmp_path / "m.png", (box_mask((0.5, 0, 1, 1), (37, 53)) * 2 - 1).expand(3, -1, -1))
    request = Edit(image, ("a bird",), "a cat", steps=4, mask=tmp_path / "m.png", region="0,0.5,1,1", feather=0)
    assert run(request, model).recipes[0]["mask"]["share"] == pytest.approx(0.25, abs=0.02)


def test_the_second_wish_with_another_region_pays_only_for_the_regrowth(model: Model, image: Path) -> None:
    request = Edit(image, ("a dog",), "a cat", steps=6, region="0.3,0.2,0.6,0.7", frame="whole")
    assert not run(request, model).reused
    again = run(replace(request, target=("a bird",), region="0.4,0.2,0.7,0.7"), model)
    assert again.reused
    assert again.recipes[0]["figures"]["evaluations"]["inversion"] == 0


def test_the_part_that_the_model_saw_fades_into_the_rest(model: Model, tmp_path: Path) -> None:
    grey = torch.zeros(3, 32, 96)
    save(tmp_path / "wide.png", grey, None)
    request = Edit(tmp_path / "wide.png", ("a bird",), "a cat", steps=4, strength=1.0, method="img2img", frame="crop")
    hard, soft = (run(replace(request, feather=f), model).items[0] for f in (0, 0.2))
    original = load(tmp_path / "wide.png").pixels
    left = place((32, 96), model.multiple, model.size).source.left
    assert 8 < left < 40
    assert torch.equal(soft[..., :left], original[..., :left])
    assert torch.equal(soft[..., left + 7 : 48], hard[..., left + 7 : 48])
    steps = [(made[..., left] - made[..., left - 1]).abs().mean() for made in (hard, soft)]
    assert steps[1] < steps[0] / 3


def test_a_found_mask_is_each_wishs_own_and_can_be_given_again(
    model: Model, image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("CUT", 0.45), ("MOST", 0.9)):  # a random network disagrees nearly everywhere
        monkeypatch.setattr(difference, name, value)
    request = Edit(image, ("a bird", "a dog"), "a cat", model=str(model.folder), steps=4, mask="auto", frame="pad")
    edited = run(request, model)
    region = edited.region
    assert region is not None
    assert region.pixels.shape == (2, 1, 37, 53)
    assert not torch.equal(*region.pixels)
    assert edited.recipes[0]["figures"]["evaluations"]["mask"] == 24
    for i, target in enumerate(request.target):
        share = edited.recipes[i]["mask"]["share"]
        assert 0 < share < 1
        save(tmp_path / f"{i}.png", region.picture(i))
        again = run(replace(request, target=(target,), mask=tmp_path / f"{i}.png"), model)
        assert again.recipes[0]["mask"]["hash"] == edited.recipes[i]["mask"]["hash"]
        assert torch.allclose(again.items[0], edited.items[i], atol=1e-4)
        reach = round(request.feather * 37)
        near = torch.nn.functional.max_pool2d(region.pixels[i], 2 * reach + 1, stride=1, padding=reach)[0] > 0
        assert not changed(edited, image, i)[~near].any()
    save(tmp_path / "out.png", edited.items[1], edited.recipes[1])
    recipe = read_recipe(tmp_path / "out.png")
    assert recipe is not None
    replayed = finish(replay(recipe, request_from(recipe, image.parent), model))
    assert replayed.identical
    assert replayed.recipe["mask"] == recipe["mask"]


def test_a_wish_that_is_the_source_has_no_mask(model: Model, image: Path) -> None:
    with pytest.raises(
        MediaError, match='"a cat" and the source predict the same, so no mask can be found: change --target'
    ):
        run(Edit(image, ("a bird", "a cat"), "a cat", steps=4, mask="auto"), model)


def test_a_model_without_words_finds_no_mask(checkpoint: Callable[[str], Path], image: Path) -> None:
    pixel = open_model(checkpoint("ddpm"))
    with pytest.raises(ValueError, match="takes no prompts, so no mask can be found"):
        run(Edit(image, ("",), steps=4, guidance=1, mask="auto"), pixel)


def test_nothing_may_change(model: Model, tmp_path: Path) -> None:
    save(tmp_path / "wide.png", torch.zeros(3, 32, 96), None)
    with pytest.raises(MediaError, match="Nothing may change"):
        run(Edit(tmp_path / "wide.png", ("a bird",), "a cat", steps=4, region="0,0,0.2,1", frame="crop"), model)


@pytest.mark.parametrize(
    "region", ["0.2,0.3", "0.8,0.3,0.2,0.9", "0,0,1,1.5", "a,b,c,d", "", "0.2,0.3,0.2,0.9", "nan,0,1,1"]
)
def test_a_region_that_is_none_is_one_sentence(region: str) -> None:
    with pytest.raises(ValueError, match="region must be left, top, right and bottom"):
        Edit(Path("in.png"), ("a dog",), region=region)


def test_a_feather_out_of_range() -> None:
    with pytest.raises(ValueError, match="feather must be from 0"):
        Edit(Path("in.png"), ("a dog",), feather=0.7)
