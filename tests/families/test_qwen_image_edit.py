"""Qwen-Image-Edit and Plus: what they are shown, beside diffusers' own pipelines, and how they edit."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from checkpoints import edit_json
from tiny import FAMILIES
from torch import Tensor

import regrow
from regrow.core.noise import noise
from regrow.core.solvers import last, make_step, solve
from regrow.media.image.picture import load, save
from regrow.models.errors import ModelError
from regrow.models.model import Model
from regrow.models.open import open_model

Checkpoint = Callable[[str], Path]
STEPS, TOLERANCE = 20, 1e-4
PROMPTS, NEGATIVES = ["make it a cat", "a hat"], ["a fog", "two dogs, a long prompt"]
BOTH = pytest.mark.parametrize("name", ["qwen-image-edit", "qwen-image-edit-plus"])
pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A picture four times as wide as high, of as many pixels as the tiny checkpoints are made for."""
    colours = torch.rand(3, 4, 16, generator=torch.Generator().manual_seed(7)) * 2 - 1
    save(tmp_path / "in.png", colours.repeat_interleave(8, 1).repeat_interleave(8, 2), None)
    return tmp_path / "in.png"


def walked(model: Model, x: Tensor, guidance: float, negatives: list[str] | None) -> Tensor:
    away = None if negatives is None else model.condition(negatives)
    denoise = model.denoiser(model.condition(PROMPTS), away, guidance)
    return last(solve(make_step("ddim"), denoise, x, model.grid(STEPS, shape=x.shape[1:])))


@BOTH
@pytest.mark.parametrize(("guidance", "negatives"), [(1.0, None), (4.0, NEGATIVES)])
def test_an_instruction_is_followed_as_diffusers_does(
    checkpoint: Checkpoint, name: str, guidance: float, negatives: list[str] | None, file: Path
) -> None:
    folder, frame = checkpoint(name), load(file).pixels[None]
    model, x = open_model(folder), noise((16, 16, 64), [1, 2])
    assert (model.own.steps, model.own.guidance) == (50 if name == "qwen-image-edit" else 40, 4.0)
    theirs = FAMILIES[name].reference(folder, PROMPTS, negatives, guidance, STEPS, x, frame)
    ours = walked(model.with_source(frame, model.encode(frame)), x, guidance, negatives)
    assert (ours - theirs).abs().max() < TOLERANCE
    # what the network is shown, and what the text encoder is shown, both matter
    other = walked(model.with_source(frame, model.encode(-frame)), x, guidance, negatives)
    seen = walked(model.with_source(-frame, model.encode(frame)), x, guidance, negatives)
    assert min((one - ours).abs().max() for one in (other, seen)) > 1e-2


def test_but_for_the_positions_of_patches_it_is_the_pipeline_as_released(
    checkpoint: Checkpoint, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, frame, x = checkpoint("qwen-image-edit"), load(file).pixels[None], noise((16, 16, 64), [1, 2])
    model = open_model(folder)
    shown = model.with_source(frame, model.encode(frame))
    theirs = FAMILIES["qwen-image-edit"].reference(folder, PROMPTS, None, 1.0, STEPS, x, frame, positions=False)
    assert (walked(shown, x, 1.0, None) - theirs).abs().max() > TOLERANCE
    monkeypatch.setattr("regrow.models.families.qwen_image_edit.WithPicture", lambda encoder: encoder)
    assert (walked(shown, x, 1.0, None) - theirs).abs().max() < TOLERANCE


def test_a_picture_in_the_network_that_counts_as_clean_is_one_as_of_2511(
    checkpoint: Checkpoint, file: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(checkpoint("qwen-image-edit-plus"), tmp_path / "2511")
    edit_json(folder / "transformer" / "config.json", zero_cond_t=True)
    model, x, frame = open_model(folder), noise((16, 16, 64), [1, 2]), load(file).pixels[None]
    theirs = FAMILIES["qwen-image-edit-plus"].reference(folder, PROMPTS, None, 1.0, STEPS, x, frame)
    ours = walked(model.with_source(frame, model.encode(frame)), x, 1.0, None)
    assert (ours - theirs).abs().max() < TOLERANCE


@BOTH
def test_an_edit_by_instruction_takes_the_words_as_typed_and_replays(
    checkpoint: Checkpoint, name: str, file: Path, tmp_path: Path
) -> None:
    folder, frame = checkpoint(name), load(file).pixels[None]
    model = open_model(folder)
    edited = regrow.edit(file, PROMPTS, source="a dog", model=model, steps=STEPS, seed=1)
    settings = edited.recipes[0]["settings"]
    assert [settings[key] for key in ("method", "guidance", "source")] == ["instruction", 4.0, ""]
    assert edited.recipes[0]["figures"]["evaluations"] == {"inversion": 0, "regrowth": 2 * STEPS}
    assert any("reads only instructions, so the source prompt was not used" in note for note in edited.notes)
    theirs = FAMILIES[name].reference(folder, PROMPTS, None, 4.0, STEPS, noise((16, 16, 64), [1, 2]), frame)
    assert (edited.frames - model.decode(theirs)).abs().max() < TOLERANCE
    first, _ = edited.save(tmp_path / "edited.png")
    assert regrow.replay(first, folders=[folder.parent]).identical


def test_it_takes_the_steps_of_its_makers(checkpoint: Checkpoint, file: Path) -> None:
    edited = regrow.edit(file, "a hat", model=open_model(checkpoint("qwen-image-edit-plus")), guidance=1.0)
    assert edited.recipes[0]["settings"]["steps"] == 40


def test_what_they_cannot_do_is_refused(checkpoint: Checkpoint, file: Path) -> None:
    model = open_model(checkpoint("qwen-image-edit"))
    with pytest.raises(ValueError, match="edits only by instruction, which naive cannot do: leave the method out"):
        regrow.edit(file, "make it a dog", model=model, method="naive")
    with pytest.raises(ValueError, match="has no image guidance: leave image_guidance out"):
        regrow.edit(file, "make it a dog", model=model, image_guidance=2.0)
    with pytest.raises(ValueError, match="needs the whole picture at once: leave tiles out"):
        regrow.edit(file, "make it a dog", model=model, tiles=True)
    with pytest.raises(ValueError, match="edits pictures by instruction and cannot generate them: use `regrow edit`"):
        regrow.generate("a cat", model=model)


def test_a_processor_that_transformers_5_has_written_opens(checkpoint: Checkpoint, tmp_path: Path) -> None:
    folder = shutil.copytree(checkpoint("qwen-image-edit"), tmp_path / "mine") / "processor"
    settings = json.loads((folder / "preprocessor_config.json").read_text())
    (folder / "processor_config.json").write_text(json.dumps({"image_processor": settings}))
    (folder / "preprocessor_config.json").unlink()
    assert open_model(folder.parent).parts["processor"].image_processor.size["longest_edge"] == 84 * 84


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        ("processor/preprocessor_config.json", {"patch_size": 16}, "has a patch_size of 16, but its text_encoder"),
        ("text_encoder/config.json", {"image_token_id": 3}, "token of <|image_pad|> of 263, but its text_encoder"),
        ("processor/preprocessor_config.json", {"size": 7}, "has no usable image processor"),
        ("model_index.json", {"processor": ["transformers", "CLIPProcessor"]}, "CLIPProcessor"),
        ("processor/preprocessor_config.json", None, "preprocessor_config.json is missing"),
    ],
    ids=["patches", "token", "damaged", "class", "missing"],
)
def test_a_processor_of_another_model_is_one_sentence(
    checkpoint: Checkpoint, tmp_path: Path, file: str, change: dict[str, object] | None, said: str
) -> None:
    folder = shutil.copytree(checkpoint("qwen-image-edit"), tmp_path / "mine")
    if change is None:
        (folder / file).unlink()
    else:
        edit_json(folder / file, **change)
    with pytest.raises(ModelError) as problem:
        open_model(folder)
    assert said in str(problem.value)
    assert "\n" not in str(problem.value)
