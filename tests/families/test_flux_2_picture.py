"""FLUX.2 with a picture as its reference, beside diffusers' own pipelines, and which of its two ways an edit takes."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tiny import FAMILIES
from torch import Tensor

import regrow
from regrow.core.noise import noise
from regrow.core.solvers import last, make_step, solve
from regrow.media.image.picture import load, save
from regrow.models.engines import openvino_runtime
from regrow.models.engines.choose import with_engine
from regrow.models.model import Model
from regrow.models.open import open_model

Checkpoint = Callable[[str], Path]
STEPS, TOLERANCE = 20, 1e-4
PROMPTS, NEGATIVES = ["make it a dog", "a cat"], ["a hat", "a fog"]
pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A picture of the smallest sides that the pipelines take."""
    save(tmp_path / "in.png", torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(7)) * 2 - 1, None)
    return tmp_path / "in.png"


def walked(model: Model, x: Tensor, guidance: float, negatives: list[str] | None) -> Tensor:
    away = None if negatives is None else model.condition(negatives)
    denoise = model.denoiser(model.condition(PROMPTS), away, guidance)
    return last(solve(make_step("ddim"), denoise, x, model.grid(STEPS, shape=x.shape[1:])))


@pytest.mark.parametrize(
    ("name", "guidance", "negatives"),
    [
        ("flux-2", 4.0, None),
        ("flux-2", 4.0, NEGATIVES),
        ("flux-2-klein", 4.0, None),
        ("flux-2-klein-distilled", 1.0, None),
        ("flux-2-klein-kv", 1.0, None),
    ],
)
def test_an_instruction_is_followed_as_diffusers_does(
    checkpoint: Checkpoint, file: Path, name: str, guidance: float, negatives: list[str] | None
) -> None:
    folder, frame = checkpoint(name), load(file).pixels[None]
    model, x = open_model(folder), noise((4, 8, 8), [1, 2])  # smaller than the picture, which the network does not mind
    reference = FAMILIES[name].reference
    ours = walked(model.with_source(frame, model.encode(frame)), x, guidance, negatives)
    assert (ours - reference(folder, PROMPTS, negatives, guidance, STEPS, x, frame=frame)).abs().max() < TOLERANCE
    alone = walked(model, x, guidance, negatives)
    assert (alone - reference(folder, PROMPTS, negatives, guidance, STEPS, x)).abs().max() < TOLERANCE
    assert (ours - alone).abs().max() > 1e-2


def test_a_target_alone_is_an_instruction_and_with_a_source_or_a_strength_the_path_is_inverted(
    checkpoint: Checkpoint, file: Path, tmp_path: Path
) -> None:
    model = open_model(checkpoint("flux-2"))

    def method_of(**settings: object) -> str:
        edited = regrow.edit(file, "a dog", **{"model": model, "steps": 2, **settings})
        return edited.recipes[0]["settings"]["method"]

    assert method_of() == method_of(method="instruction", source="a cat") == "instruction"
    for settings in ({"source": "a cat"}, {"strength": 1.0}, {"start_step": 0}, {"tiles": True}):
        assert method_of(**settings) == "direct_inversion"
    assert regrow.edit(file, "", model=model, steps=2).recipes[0]["settings"]["method"] == "direct_inversion"
    with pytest.raises(ValueError, match="needs the whole picture at once to edit by instruction: leave tiles out"):
        method_of(method="instruction", tiles=True)


def test_an_edit_by_instruction_takes_the_settings_of_its_makers_says_so_and_replays(
    checkpoint: Checkpoint, file: Path, tmp_path: Path
) -> None:
    folder, frame = checkpoint("flux-2-klein-distilled"), load(file).pixels[None]
    model = open_model(folder)
    edited = regrow.edit(file, PROMPTS, model=model, seed=1, frame="stretch", size=(64, 64))
    settings = edited.recipes[0]["settings"]
    assert [settings[key] for key in ("steps", "guidance", "source")] == [4, 1.0, ""]
    assert any("give a source or a strength to edit by inversion" in note for note in edited.notes)
    theirs = FAMILIES["flux-2-klein-distilled"].reference(
        folder, PROMPTS, None, 1.0, 4, noise((4, 32, 32), [1, 2]), frame=frame
    )
    assert (edited.frames - model.decode(theirs)).abs().max() < TOLERANCE
    first, _ = edited.save(tmp_path / "edited.png")
    assert regrow.replay(first, folders=[folder.parent]).identical


@pytest.mark.skipif(not openvino_runtime.installed(), reason="OpenVINO is not installed")
def test_an_engine_whose_graph_has_no_reference_leaves_instructions_to_torch(
    checkpoint: Checkpoint, file: Path
) -> None:
    model = open_model(checkpoint("flux-2-klein-distilled"))
    compiled = with_engine(model, "openvino", "float32")
    ours, plain = (regrow.edit(file, "a dog", model=one, steps=2) for one in (compiled, model))
    assert ours.recipes[0]["engine"] == plain.recipes[0]["engine"] == "torch float32"
    assert (ours.frames - plain.frames).abs().max() < TOLERANCE
