"""Pictures of any size on tiny random checkpoints: in their own shape, around a region, and in tiles."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from regrow.core.progress import finish
from regrow.editing.edit import edit
from regrow.editing.generate import generate
from regrow.editing.invert import invert
from regrow.editing.replay import replay, request_from
from regrow.editing.result import Result
from regrow.editing.trajectories import save_trajectory
from regrow.media.image.masking import box_mask
from regrow.media.image.picture import load, read_recipe, save, to_uint8
from regrow.models.denoising import in_tiles
from regrow.models.errors import ModelError
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.models.sidecars.edit_file import EDIT_FILE
from regrow.requests.edit import Edit
from regrow.requests.generate import Generate
from regrow.requests.invert import Invert

pytestmark = pytest.mark.usefixtures("home")
REGION, SIZE = "0.6,0.55,0.7,0.65", (90, 150)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Larger than the models were made for."""
    save(tmp_path / "photo.png", torch.rand(3, *SIZE, generator=torch.Generator().manual_seed(4)) * 2 - 1)
    return tmp_path / "photo.png"


def run(request: Edit, model: Model) -> Result:
    return finish(edit(request, model))


def outside_is_the_files_own(edited: Result, photo: Path, reach: int) -> bool:
    box = box_mask((0.6, 0.55, 0.7, 0.65), SIZE)
    near = torch.nn.functional.max_pool2d(box, 2 * reach + 1, stride=1, padding=reach)[0] > 0
    same = torch.from_numpy((to_uint8(edited.items[0]) == to_uint8(load(photo).pixels)).all(-1))
    assert not same[box[0] > 0].all(), "inside something changes"
    return bool(same[~near].all())


def replays(edited: Result, model: Model, photo: Path, **older: object) -> bool:
    recipe = edited.recipes[0]
    settings = {name: value for name, value in recipe["settings"].items() if name not in older} | {
        name: value for name, value in older.items() if value is not None
    }
    save(photo.parent / "out.png", edited.items[0], {**recipe, "settings": settings})
    kept = read_recipe(photo.parent / "out.png")
    assert kept is not None
    return finish(replay(kept, request_from(kept, photo.parent), model)).identical


@pytest.mark.parametrize("name", ["sd-tiny", "sdxl", "sd3", "flux", "ddpm"])
def test_every_kind_of_network_takes_a_picture_in_its_own_shape(checkpoint, photo: Path, name: str) -> None:
    model = open_model(checkpoint(name))
    words = (("a bird",), "a cat") if model.takes_words else (("",), "")
    edited = run(Edit(photo, *words, model=str(model.folder), steps=3, guidance=1), model)
    height, width = edited.frames.shape[-2:]
    assert edited.items[0].shape == (3, *SIZE)
    assert not any(side % model.multiple for side in (height, width))
    assert width > height
    assert 0.6 < height * width / (model.size[0] * model.size[1]) < 1.7
    assert edited.recipes[0]["settings"]["frame"] == "whole"
    assert replays(edited, model, photo)


def test_a_recipe_from_before_there_was_a_choice_still_crops(model: Model, photo: Path) -> None:
    edited = run(Edit(photo, ("a bird",), "a cat", model=str(model.folder), steps=3, frame="crop"), model)
    assert edited.frames.shape[-2:] == model.size
    assert replays(edited, model, photo, tiles=None)


def test_a_region_is_edited_in_full_resolution(model: Model, photo: Path) -> None:
    request = Edit(photo, ("a bird",), "a cat", model=str(model.folder), steps=3, strength=1.0, region=REGION)
    edited = run(request, model)
    assert edited.frames.shape[-2:] == model.size
    assert "Of 150 x 90 pixels, the 48 x 32 around the part that may change were used, unscaled." in edited.notes
    assert edited.recipes[0]["settings"]["frame"] == "region"
    assert outside_is_the_files_own(edited, photo, round(request.feather * 90))
    assert replays(edited, model, photo)
    mask = photo.parent / "mask.png"
    save(mask, (box_mask((0.6, 0.55, 0.7, 0.65), SIZE) * 2 - 1).expand(3, -1, -1))
    masked = run(replace(request, region=None, mask=mask), model)
    assert torch.equal(masked.items[0], edited.items[0])
    assert run(replace(request, target=("a dog",)), model).reused
    other = run(replace(request, region="0.1,0.1,0.2,0.2"), model)
    assert not other.reused, "another part of the picture has another path"


def test_a_region_that_is_cut_out_fades_into_the_rest(model: Model, photo: Path) -> None:
    save(photo, torch.zeros(3, *SIZE))
    request = Edit(photo, ("a bird",), "a cat", steps=3, strength=1.0, method="img2img", region="0.3,0.3,0.7,0.7")
    hard, soft = (run(replace(request, feather=feather), model).items[0] for feather in (0.0, 0.1))
    steps = [(made[:, 40:50, 45] - made[:, 40:50, 44]).abs().mean() for made in (hard, soft)]
    assert steps[1] < steps[0] / 3


def test_along_a_saved_path_all_of_the_picture_is_taken(model: Model, photo: Path, tmp_path: Path) -> None:
    inverted = finish(invert(Invert(photo, "a cat", steps=3, reference=0), model))
    assert inverted.made_of["frame"] == "whole"
    save_trajectory(tmp_path / "path.safetensors", inverted.trajectory, inverted.made_of)
    request = Edit(photo, ("a bird",), "a cat", steps=3, region=REGION, trajectory=tmp_path / "path.safetensors")
    edited = run(request, model)
    assert edited.reused
    assert edited.recipes[0]["settings"]["frame"] == "whole"
    assert outside_is_the_files_own(edited, photo, round(request.feather * 90))


def test_tiles_edit_a_picture_in_its_own_resolution(model: Model, photo: Path) -> None:
    request = Edit(photo, ("a cat",), "a cat", model=str(model.folder), steps=3, strength=1.0, tiles=True)
    same = run(request, model)
    assert same.frames.shape[-2:] == (92, 152)
    assert "The 150 x 90 pixels were kept unscaled, and the edges mirrored to fill 152 x 92." in same.notes
    assert (same.frames[0] - same.codec).abs().max() < 1e-3, "a target that is the source is the codec's round trip"
    changed = run(replace(request, target=("a bird",)), model)
    assert changed.reused
    assert replays(changed, model, photo)
    sizes: set[tuple[int, ...]] = set()
    hook = model.network.register_forward_pre_hook(lambda _, inputs: sizes.add(tuple(inputs[0].shape[2:])))
    run(replace(request, target=("a bird",), region=REGION, method="img2img"), model)
    hook.remove()
    assert sizes == {tuple(side // model.factor for side in model.size)}


def test_a_network_that_is_shown_the_whole_picture_takes_no_tiles(checkpoint: Callable[[str], Path], photo) -> None:
    kontext = open_model(checkpoint("flux-kontext"))
    with pytest.raises(ValueError, match="needs the whole picture at once: leave tiles out"):
        run(Edit(photo, ("make it a dog",), steps=1, tiles=True), kontext)


def test_positions_bound_the_size(checkpoint: Callable[[str], Path]) -> None:
    model = open_model(checkpoint("sd3"))
    assert model.longest
    side = model.longest + model.multiple
    with pytest.raises(ValueError, match=f"takes pictures of at most {model.longest} pixels a side"):
        finish(generate(Generate("a cat", steps=1, size=(side, model.multiple)), model))
    assert in_tiles(model).latent_shape(side, model.multiple)


def test_the_nearest_size_is_named(model: Model) -> None:
    near = f"{8 * model.multiple} {9 * model.multiple}"
    with pytest.raises(ValueError, match=rf"got {8 * model.multiple + 1} x {9 * model.multiple}: take --size {near}\."):
        finish(generate(Generate("a cat", steps=1, size=(8 * model.multiple + 1, 9 * model.multiple)), model))


def test_a_model_may_say_how_pictures_are_best_taken(checkpoint, photo: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(checkpoint("sd-tiny"), tmp_path / "model"))
    (folder / EDIT_FILE).write_text('{"steps": 3, "frame": "crop"}')
    square = open_model(folder)
    request = Edit(photo, ("a bird",), "a cat", cache=False)
    edited = run(request, square)
    assert edited.recipes[0]["settings"]["frame"] == "crop"
    assert torch.equal(edited.items[0][..., :7], load(photo).pixels[..., :7]), "of 150, 135 columns are the model's"
    assert not torch.equal(edited.items[0][..., :9], load(photo).pixels[..., :9])
    assert run(replace(request, frame="whole"), square).frames.shape[-2:] != square.size
    (folder / EDIT_FILE).write_text('{"steps": 3, "frame": "region"}')
    with pytest.raises(
        ModelError, match=r"must hold a \"frame\" that is one of auto, crop, pad, stretch; got 'region'\."
    ):
        open_model(folder)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"frame": "region"}, "give --region or --mask"),
        ({"frame": "region", "mask": "auto"}, "give --region or --mask"),
        ({"frame": "crop", "tiles": True}, "tiles keeps the picture's own size"),
        ({"attention": "p2p", "tiles": True}, "Attention cannot be shared across tiles"),
    ],
)
def test_what_does_not_go_together(settings, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Edit(Path("in.png"), ("a dog",), **settings)
    if settings.get("frame") == "region":
        with pytest.raises(ValueError, match="invert has no region and no mask"):
            Invert(Path("in.png"), frame="region")
