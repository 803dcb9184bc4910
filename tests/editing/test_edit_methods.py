"""Every way to edit, on a tiny random checkpoint: what each claims, what it costs, and that it can be made again."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from regrow.core.methods.registry import method, names, names_for_any_model
from regrow.core.progress import finish
from regrow.editing.edit import edit
from regrow.editing.invert import invert
from regrow.editing.replay import replay, request_from
from regrow.editing.result import Result
from regrow.editing.trajectories import load_trajectory, save_trajectory
from regrow.media.image.picture import load, read_recipe, save
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.requests.edit import Edit
from regrow.requests.invert import Invert

METHODS = names_for_any_model()
INVERSIONS = [name for name in names() if method(name).path == name]
EXACT = (
    *("direct_inversion", "edict", "belm", "reversible"),
    *("edit_friendly", "edit_friendly_2m", "inversion_free", "delta_denoising"),
)


pytestmark = pytest.mark.usefixtures("home")


def run(request: Edit, model: Model) -> Result:
    return finish(edit(request, model))


@pytest.mark.parametrize("method", EXACT)
@pytest.mark.parametrize("guidance", [1.0, 5.0])
def test_the_sources_own_words_give_the_picture_back(model: Model, image: Path, method: str, guidance: float) -> None:
    edited = run(Edit(image, ("a cat",), "a cat", method=method, steps=5, strength=0.8, guidance=guidance), model)
    assert (edited.frames[0] - edited.codec).abs().max() < 1e-3


@pytest.mark.parametrize("method", METHODS)
def test_other_words_change_it_and_a_file_makes_it_again(
    model: Model, image: Path, method: str, tmp_path: Path
) -> None:
    request = Edit(image, ("a bird", "a dog"), "a cat", model=str(model.folder), method=method, steps=4, seed=5)
    edited = run(request, model)
    assert (edited.frames[1] - edited.codec).abs().max() > 1e-3
    assert edited.frames.isfinite().all()
    save(tmp_path / "out.png", edited.items[1], edited.recipes[1])
    recipe = read_recipe(tmp_path / "out.png")
    assert recipe is not None
    replayed = finish(replay(recipe, request_from(recipe, image.parent), model))
    assert replayed.identical
    assert torch.equal(load(tmp_path / "out.png").pixels, (replayed.item + 1).mul(127.5).round() / 127.5 - 1)


@pytest.mark.parametrize(
    ("method", "inversion", "regrowth"),
    [
        ("naive", 6, 9),
        ("direct_inversion", 7, 9),
        ("uni_inv", 7, 9),
        ("edict", 12, 18),
        ("belm", 6, 7),
        ("reversible", 12, 17),
        ("edit_friendly", 6, 9),
        ("edit_friendly_2m", 6, 9),
        ("negative_prompt", 6, 9),
        ("uni_edit", 7, 12),
        ("inversion_free", 0, 15),
        ("delta_denoising", 0, 15),
        ("img2img", 0, 9),
    ],
)
def test_evaluations(model: Model, image: Path, method: str, inversion: int, regrowth: int) -> None:
    request = Edit(image, ("a dog",), "a cat", method=method, steps=8, start_step=2)
    seen = 0

    def count(module: torch.nn.Module, inputs: tuple) -> None:
        nonlocal seen
        seen += len(inputs[0])

    hook = model.network.register_forward_pre_hook(count)
    try:
        edited = run(request, model)
    finally:
        hook.remove()
    assert edited.recipes[0]["figures"]["evaluations"] == {"inversion": inversion, "regrowth": regrowth}
    assert seen == inversion + regrowth, "what is told is what the network was asked, sample by sample"


@pytest.mark.parametrize("method", ["direct_inversion", "edict", "img2img", "inversion_free"])
@pytest.mark.parametrize("attention", ["none", "p2p"])
def test_guidance_is_on_in_its_share_of_the_steps(model: Model, image: Path, method: str, attention) -> None:
    """In none it is guidance 1; in all, and in a share, the levels before its end are walked alike."""
    if attention != "none" and method in ("img2img", "inversion_free"):
        pytest.skip("it has no path to share the attention of")
    request = Edit(image, ("a dog",), "a cat", method=method, steps=6, strength=1.0, seed=3, attention=attention)
    never, off = (run(replace(request, **c), model) for c in ({"guidance_share": 0.0}, {"guidance": 1.0}))
    assert torch.equal(never.frames, off.frames)

    def states(share: float) -> list[torch.Tensor]:
        walk = edit(replace(request, guidance_share=share), model)
        return [progress.x for progress in walk if progress.part == "regrow" and progress.x is not None]

    whole, half = states(1.0), states(0.5)
    same = [bool((a - b).abs().max() < 1e-5) for a, b in zip(whole, half, strict=True)]
    # coupled states look at a level twice, and first from the one before
    assert same[:2] == [True] * 2
    assert same[-2:] == [False] * 2


def test_null_text_counts_its_gradients_and_follows_the_path(model: Model, image: Path) -> None:
    request = Edit(image, ("a cat",), "a cat", method="null_text", steps=6, strength=0.7, guidance=4.0)
    edited = run(request, model)
    counted = edited.recipes[0]["figures"]["evaluations"]
    assert counted["regrowth"] == 8
    # the path, then at every level the source's words, the gradient steps, and the words found
    assert counted["inversion"] == 4 + 4 + counted["gradients"] + 4
    assert 4 <= counted["gradients"] <= 40
    plain = run(replace(request, method="naive", negative=""), model)
    reached = run(replace(request, method="naive", guidance=1.0), model)
    assert apart(edited, reached) < apart(plain, reached)


def apart(a: Result, b: Result) -> float:
    return float((a.frames - b.frames).square().mean().sqrt())


def test_negative_prompt_with_the_sources_own_words_is_the_unguided_way_back(model: Model, image: Path) -> None:
    request = Edit(image, ("a cat",), "a cat", method="negative_prompt", steps=6, guidance=7.5)
    unguided = run(replace(request, method="naive", guidance=1.0), model)
    torch.testing.assert_close(run(request, model).frames, unguided.frames, rtol=0, atol=1e-4)


@pytest.mark.parametrize("method", INVERSIONS)
def test_every_inversion_is_saved_and_read(model: Model, image: Path, method: str, tmp_path: Path) -> None:
    inverted = finish(invert(Invert(image, "a cat", method=method, steps=4, reference=0, seed=3), model))
    if method in EXACT:
        assert inverted.round_trip < 1e-4
    save_trajectory(tmp_path / "path.safetensors", inverted.trajectory, inverted.made_of)
    again, made_of = load_trajectory(tmp_path / "path.safetensors")
    assert made_of["method"] == method
    for part in ("states", "offsets", "partners"):
        pairs = zip(getattr(again, part), getattr(inverted.trajectory, part), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs)
    request = Edit(image, ("a dog",), "a cat", method=method, steps=4, strength=1.0, cache=False, seed=3)
    from_file = run(replace(request, trajectory=tmp_path / "path.safetensors"), model)
    assert from_file.reused
    assert torch.equal(from_file.frames, run(request, model).frames)


@pytest.mark.parametrize("method", [name for name in METHODS if method(name).path])
def test_a_kept_path_gives_the_same_edit_at_another_strength(model: Model, image: Path, method: str) -> None:
    request = Edit(image, ("a dog",), "a cat", method=method, steps=4, strength=1.0, guidance=2.0)
    run(request, model)
    weaker = replace(request, strength=0.5)
    kept = run(weaker, model)
    assert kept.reused is (method != "edit_friendly_2m"), "its first step back is unlike the others"
    assert torch.equal(kept.frames, run(replace(weaker, cache=False), model).frames)


@pytest.mark.parametrize("method", ["edit_friendly", "edit_friendly_2m", "inversion_free", "delta_denoising"])
def test_the_seed_decides(model: Model, image: Path, method: str) -> None:
    request = Edit(image, ("a dog",), "a cat", method=method, steps=4, seed=1)
    first = run(request, model)
    assert not torch.equal(first.frames, run(replace(request, seed=2), model).frames)
    assert torch.equal(first.frames, run(request, model).frames)


def test_a_wish_does_not_depend_on_the_batch_it_is_in(model: Model, image: Path) -> None:
    both = Edit(image, ("a bird", "a dog"), "a cat", method="inversion_free", steps=4, seed=1)
    alone = replace(both, target=("a dog",), seed=2)
    torch.testing.assert_close(run(both, model).frames[1:], run(alone, model).frames, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"method": "belm", "steps": 4, "strength": 0.25}, "belm needs at least 2 steps to regenerate"),
        ({"method": "inversion_free", "trajectory": Path("x")}, "inversion_free starts from the picture itself"),
        ({"method": "negative_prompt", "negative": "a bird"}, "leave negative out"),
        ({"method": "uni_edit", "negative": ""}, "uni_edit sets its own negative prompt: leave negative out"),
        (
            {"method": "null_text", "invert_guidance": 2.0},
            "null_text inverts without guidance: set invert_guidance to 1",
        ),
        (
            {"method": "null_text", "guidance": 1.0},
            "null_text optimises the negative prompt, which needs guidance: set guidance to a value other than 1",
        ),
        ({"method": "edict", "eta": 0.5}, "and edict is deterministic: set eta to 0, or use naive"),
    ],
)
def test_what_does_not_fit_a_method_is_one_sentence(changes: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        replace(Edit(Path("in.png"), ("a dog",)), **changes)


def test_the_label_convention_is_naives_alone(model: Model, image: Path) -> None:
    with pytest.raises(ValueError, match="leave label out for belm"):
        run(Edit(image, ("a dog",), method="belm", label="arrives", steps=4), model)
    with pytest.raises(ValueError, match="belm needs 2 steps or more"):
        Invert(image, method="belm", steps=1)


def test_models_without_words_are_refused(checkpoint: Callable[[str], Path], image: Path) -> None:
    wordless = open_model(checkpoint("ddpm"))
    for name, sentence in (
        ("uni_edit", "takes no prompts, so .* has no effect: leave it out"),
        ("null_text", "takes no prompts"),
    ):
        with pytest.raises(ValueError, match=sentence):
            run(Edit(image, ("",), method=name, steps=2), wordless)
