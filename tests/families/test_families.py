"""The suite that every family on a pipeline of its own runs: diffusers' latents, round trips, edits, refusals."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch
from tiny import FAMILIES
from tiny.fresh_noise import by_steps

import regrow
from regrow.core.noise import noise
from regrow.core.progress import finish
from regrow.core.solvers import Step, last, make_step, solve
from regrow.editing.edit import edit
from regrow.editing.edit_plan import EditItem
from regrow.editing.grow import grow
from regrow.hub.model_card import make_card
from regrow.media.medium import medium_of
from regrow.models.condition import Condition
from regrow.models.engines import openvino_runtime
from regrow.models.engines.choose import with_engine
from regrow.models.errors import ModelError
from regrow.models.model import Model
from regrow.models.open import list_models, open_model, user_models
from regrow.models.registry import family_named
from regrow.requests.edit import Edit
from regrow.requests.generate import Generate
from regrow.requests.train import Train
from regrow.training.train import train

STEPS, TOLERANCE = 20, 1e-4
PROMPTS, NEGATIVES = ["a cat", "a dog"], ["a hat", "a fog"]
pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture(params=sorted(name for name, tiny in FAMILIES.items() if tiny.shared))
def family(request: pytest.FixtureRequest, checkpoint: Callable[[str], Path]) -> tuple[str, Path]:
    """Its name, and a tiny checkpoint of it."""
    return request.param, checkpoint(request.param)


@cache
def opened(folder: Path) -> Model:
    """Return its model, which all tests share: to open the parts takes longer than most of what is done with them."""
    return open_model(folder)


@pytest.fixture
def file(family: tuple[str, Path], tmp_path: Path) -> Path:
    """A picture or a sound as large as the model was made for."""
    model = opened(family[1])
    path = tmp_path / f"input{model.medium.ending}"
    sound = model.waves
    shape = (sound.channels, model.size[-1] * sound.samples_per_frame) if sound else (3, *model.extent)
    frame = torch.rand(shape, generator=torch.Generator().manual_seed(1)) * 2 - 1
    frame = frame / 8 if sound else frame
    medium_of(path).save(path, frame, None, None if model.waves is None else model.sound.rate)
    return path


def words(model: Model, *prompts: str) -> list[str]:
    """Prompts, or as many empty ones for a model that takes none."""
    return list(prompts) if model.takes_words else [""] * len(prompts)


def need_words(model: Model) -> None:
    """Skip a test about prompts for a model that takes none."""
    if not model.takes_words:
        pytest.skip(f"{model.family} takes no prompts")


def need_a_way_back(model: Model) -> None:
    """Skip a test about inversion for a model that edits by instruction, from pure noise."""
    if model.only_by_instruction:
        pytest.skip("test_picture_beside.py")


def negative_of(model: Model, words: list[str] | None) -> Condition | None:
    return None if words is None else model.negative(words)


def step_of(model: Model, monkeypatch: pytest.MonkeyPatch) -> Step:
    """A step of first order as diffusers' pipeline takes it: of distilled models with the noise of `fresh_noise`."""
    if model.deterministic_path:
        return make_step("ddim")
    monkeypatch.setattr("regrow.core.solvers.noise", by_steps())
    return make_step(model.own.solver, seeds=(11, 12))


@pytest.mark.parametrize(("guidance", "negatives"), [(1.0, None), (5.0, NEGATIVES)])  # (5.0, None): the next test
def test_latents_are_those_of_diffusers_own_pipeline(
    family: tuple[str, Path], guidance: float, negatives: list[str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, folder = family
    if (guidance == 1) == (FAMILIES[name].takes_words and FAMILIES[name].guidance > 1):
        pytest.skip("guided where it can be, which evaluates the network without guidance as well")
    model = opened(folder)
    if guidance != 1:
        need_words(model)
    x, prompts = noise(model.latent_shape(*model.extent), seeds=(11, 12)), words(model, *PROMPTS)
    theirs = FAMILIES[name].reference(folder, prompts, negatives, guidance, STEPS, x)
    denoise = model.denoiser(model.condition(prompts), negative_of(model, negatives), guidance)
    ours = last(solve(step_of(model, monkeypatch), denoise, x, model.grid(STEPS, shape=x.shape[1:])))
    assert (ours - theirs).abs().max() < TOLERANCE


def test_an_empty_negative_prompt_is_diffusers_own_none(
    family: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    name, folder = family
    model, guidance = opened(folder), FAMILIES[name].guidance
    need_words(model)
    if not model.deterministic_path:
        monkeypatch.setattr("regrow.core.solvers.noise", by_steps())
    solver = "ddim" if model.deterministic_path else model.own.solver
    request = Generate(
        "a cat", negative="", guidance=guidance, guidance_share=1.0, steps=STEPS, seed=11, solver=solver,
        prompt_expansion="off",
    )  # fmt: skip
    shape = model.latent_shape(*model.extent)
    ours, _ = finish(grow(request, model, ["a cat"], shape))
    theirs = FAMILIES[name].reference(folder, ["a cat"], None, guidance, STEPS, noise(shape, [11]))
    assert (ours - theirs).abs().max() < TOLERANCE


def test_a_negative_prompt_is_unconditional_where_it_is_empty(family: tuple[str, Path]) -> None:
    model = opened(family[1])
    need_words(model)
    mixed, nothing, hat = model.negative(["a hat", ""]), model.unconditional(1), model.negative(["a hat"])
    for both, each in zip(mixed.tensors, hat.cat(nothing).tensors, strict=True):
        torch.testing.assert_close(both, each)
    assert torch.equal(model.negative([""]).tokens, nothing.tokens)


def test_every_guidance_of_a_batch_is_what_it_gives_alone(family: tuple[str, Path], file: Path) -> None:
    model = opened(family[1])
    need_words(model)
    request = Edit(file, ("a dog",), "a cat", steps=3, cache=False, prompt_expansion="off")
    items = [EditItem("a dog", guidance, 0) for guidance in (1.0, 5.0)]
    both = finish(edit(request, model, items)).frames
    for frame, item in zip(both, items, strict=True):
        alone = finish(edit(replace(request, guidance=item.guidance), model)).frames[0]
        torch.testing.assert_close(frame, alone, atol=1e-4, rtol=0)


def test_a_list_says_what_it_makes_without_opening_it(family: tuple[str, Path]) -> None:
    shutil.copytree(family[1], user_models() / "mine")
    made = {listed.name: listed.medium for listed in list_models()}
    model = open_model("mine")
    assert made["mine"] is model.medium
    assert (made["storybook"].name, made["bandstand"].name) == ("picture", "sound")
    card = make_card(model, "jane/mine")
    said = "" if model.takes_words else ", without words"
    assert f"in the layout of {family_named(model.family).title}{said}, for {model.medium}s " in card
    waves = f"as waves of {model.sound.channels} channel" if len(model.extent) == 1 else "as waves"
    assert (waves in card) == (len(model.extent) == 1)
    assert ("as mels of" in card) == (model.waves is not None and len(model.extent) == 2)
    assert ("pixels" in card) == (model.waves is None)


def test_it_opens_a_second_time_without_opening_a_part(family: tuple[str, Path]) -> None:
    first, again = open_model(family[1]), open_model(family[1])
    assert set(first.parts.opened) == set(first.parts)
    assert not again.parts.opened
    assert again.content_hash == first.content_hash
    cat = words(first, "a cat")
    assert torch.equal(again.condition(cat).tokens, first.condition(cat).tokens)
    assert again.NETWORK not in again.parts.opened or "text_encoder_3" not in again.parts


def test_the_way_back_under_the_same_prompt_is_the_codec_s_own(family: tuple[str, Path], file: Path) -> None:
    model = opened(family[1])
    if model.waves:
        pytest.skip("a cell of docs/reference/checkpoints.md, which test_sound_checkpoints.py runs")
    need_a_way_back(model)
    (cat,), guidance = words(model, "a cat"), 5.0 if model.takes_words else 1.0
    edited = regrow.edit(file, cat, source=cat, model=model, steps=4, guidance=guidance)
    # random weights amplify how a machine rounds: sdxl-inpainting's way back is 1.09e-4 off on one with AVX-512
    assert (edited.frames[0] - edited.codec).abs().max() < 2 * TOLERANCE


def test_several_targets_negatives_and_replay(family: tuple[str, Path], file: Path, tmp_path: Path) -> None:
    model = opened(family[1])
    need_words(model)
    edited = regrow.edit(file, PROMPTS, source="a hat", negative="a fog", model=model, steps=3, guidance=5.0)
    assert not torch.equal(edited.items[0], edited.items[1])
    first, _ = edited.save(tmp_path / f"edited{file.suffix}")
    assert regrow.replay(first, folders=[family[1].parent]).identical
    plain = regrow.edit(file, PROMPTS, source="a hat", model=model, steps=3, guidance=1.0)
    assert torch.equal(edited.items[0], plain.items[0]) != model.own.is_guided


def test_without_words_strength_says_how_far_a_variation_goes_and_it_replays(
    family: tuple[str, Path], file: Path, tmp_path: Path
) -> None:
    model = opened(family[1])
    if model.takes_words:
        pytest.skip("varied by its prompts")
    settings = {"model": model, "method": "img2img", "steps": 10, "guidance": 1.0}
    near, far = (regrow.edit(file, ("", ""), strength=strength, **settings) for strength in (0.2, 0.9))
    assert not torch.equal(far.items[0], far.items[1])  # each has a seed of its own
    assert 0 < (near.frames[0] - near.codec).norm() < (far.frames[0] - far.codec).norm()
    first, _ = far.save(tmp_path / f"varied{file.suffix}")
    assert regrow.replay(first, folders=[family[1].parent]).identical


def test_what_may_not_change_stays_bit_for_bit(family: tuple[str, Path], file: Path) -> None:
    model = opened(family[1])
    if model.waves:
        pytest.skip("a cell of docs/reference/checkpoints.md, which test_sound_checkpoints.py runs")
    where = {"region": "0.25,0.25,0.75,0.75", "feather": 0.0}
    edited = regrow.edit(file, "a dog", source="a cat", model=model, steps=3, **where)
    before = medium_of(file).original(edited.frame)[0]
    changed = (edited.items[0] != before).any(0)
    edge = torch.ones_like(changed)
    edge[(slice(changed.shape[0] // 5, -changed.shape[0] // 5),) * changed.ndim] = False
    assert changed.any()
    assert not changed[edge].any()


@pytest.mark.skipif(not openvino_runtime.installed(), reason="OpenVINO is not installed")
def test_an_engine_computes_every_batch_as_torch_does(family: tuple[str, Path]) -> None:
    model = opened(family[1])
    if not model.engine_graph:
        return  # refused, as the next test holds
    compiled, level = with_engine(model, "openvino", "float32"), model.schedule.grid(10)[4]
    for count in (1, 3):  # neither of them is the batch that is traced
        x = noise(model.latent_shape(*model.extent), range(count))
        condition = model.condition(words(model, "a cat") * count)
        found, expected = (one.denoiser(condition)(x, level).x0 for one in (compiled, model))
        assert (found - expected).norm() < 1e-5 * expected.norm()


def test_what_it_cannot_do_is_refused_in_a_sentence(
    family: tuple[str, Path], file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = open_model(family[1])
    dog, cat = words(model, "a dog", "a cat")
    guidance = 4.0 if model.takes_words else 1.0
    if not model.takes_words:
        with pytest.raises(ValueError, match="takes no prompts"):
            regrow.edit(file, "a dog", model=model, steps=2, guidance=1.0)
        with pytest.raises(ValueError, match=r"takes no prompts, so guidance must be 1; got 4"):
            regrow.edit(file, "", model=model, steps=2)
    if not model.shares_attention:
        for kind in ("p2p", "masactrl"):
            why = f"has no attention that {kind} can share: leave attention out"
            with pytest.raises(
                ValueError, match=why if model.takes_words else "takes no prompts, so it has no attention to share"
            ):
                regrow.edit(file, dog, source=cat, model=model, steps=2, guidance=guidance, attention=kind)
    need_a_way_back(model)
    monkeypatch.setattr(type(model), "deterministic_path", False)
    with pytest.raises(
        ValueError,
        match=r"no deterministic path for naive to invert: .*use --method ed",
    ):
        regrow.edit(file, dog, source=cat, model=model, steps=2, guidance=guidance, method="naive")
    edited = regrow.edit(file, dog, source=cat, model=model, steps=2, guidance=guidance)
    assert edited.recipes[0]["settings"]["method"] == "edit_friendly"
    assert any(
        "has no deterministic path for direct_inversion to invert, so the method edit_friendly was used" in note
        for note in edited.notes
    )
    assert regrow.edit(file, dog, source=cat, model=model, steps=2, guidance=guidance, method="img2img").items
    if not model.engine_graph:
        assert with_engine(model, "auto").engine is None
        with pytest.raises(ModelError, match=r"--engine openvino does not work for .* use --engine torch"):
            with_engine(model, "openvino")
    if model.trainable:
        return
    with pytest.raises(ValueError, match=r"Models of the family of .* cannot be trained: use another model"):
        list(train(Train(world="storybook", name="more", start=str(family[1]), steps=1, scenes=4)))
