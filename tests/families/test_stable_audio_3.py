"""Stable Audio 3: what is its own, beside the suite of all families; and editing without a deterministic path."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tiny import FAMILIES
from tiny.fresh_noise import by_steps
from tiny.stable_audio_3 import CELLS, inpainted

import regrow
from regrow.benchmark.editors import own_editors, why_not
from regrow.core.methods.registry import method, names, names_for_any_model
from regrow.core.noise import noise
from regrow.core.progress import finish
from regrow.core.solvers import last, make_step, solve
from regrow.editing.invert import invert
from regrow.media.frame import Region
from regrow.media.medium import medium_of
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.requests.interpolate import Interpolate
from regrow.requests.invert import Invert

Checkpoint = Callable[[str], Path]
BASE, DISTILLED = "stable-audio-3", "stable-audio-3-distilled"
pytestmark = pytest.mark.usefixtures("home")


def opened(checkpoint: Checkpoint, name: str) -> Model:
    return open_model(checkpoint(name))


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "sound.wav"
    wave = torch.rand(2, CELLS * 256, generator=torch.Generator().manual_seed(3)) / 4 - 1 / 8
    medium_of(path).save(path, wave, None, 44100)
    return path


def test_whether_there_is_a_path_and_how_it_is_sampled_are_facts_of_a_checkpoint(checkpoint: Checkpoint) -> None:
    base, distilled = opened(checkpoint, BASE), opened(checkpoint, DISTILLED)
    assert base.deterministic_path
    assert (base.own.steps, base.own.solver, base.own.is_guided) == (100, "ddim", True)
    assert not distilled.deterministic_path
    assert (distilled.own.steps, distilled.own.solver, distilled.own.is_guided) == (8, "ping_pong", False)
    assert distilled.edit_steps == 8


def test_a_distilled_one_is_sampled_as_diffusers_does(checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    model, seconds = opened(checkpoint, DISTILLED), CELLS * 256 / 44100
    monkeypatch.setattr("regrow.core.solvers.noise", by_steps())
    made = regrow.generate("a cat", model=model, seed=11, duration=seconds, guidance=5.0)
    start = noise(model.latent_shape(*model.extent), [11])
    theirs = FAMILIES[DISTILLED].reference(checkpoint(DISTILLED), ["a cat"], None, 1.0, 8, start)
    assert (made.frames - model.decode(theirs)).abs().max() < 1e-4
    settings = made.recipes[0]["settings"]
    assert (settings["steps"], settings["solver"], settings["guidance"]) == (8, "ping_pong", 1.0)
    assert any("has guidance built into its weights, so guidance 1 was used" in note for note in made.notes)


def test_seconds_are_those_of_the_clip(checkpoint: Checkpoint) -> None:
    model, x = opened(checkpoint, BASE), noise((8, 40), (1, 2))
    short = model.of_length(40 * 256)
    ours = last(solve(make_step("ddim"), short.denoiser(short.condition(["a cat", "a dog"])), x, model.grid(4)))
    theirs = FAMILIES[BASE].reference(checkpoint(BASE), ["a cat", "a dog"], None, 1.0, 4, x)
    assert (ours - theirs).abs().max() < 1e-4
    other = FAMILIES[BASE].reference(checkpoint(BASE), ["a cat", "a dog"], None, 1.0, 4, x, seconds=0.5)
    assert (other - theirs).abs().max() > 1e-3


@pytest.mark.parametrize("name", [BASE, DISTILLED])
def test_what_stays_is_shown_as_diffusers_inpainting_does(
    checkpoint: Checkpoint, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, prompts = opened(checkpoint, name), ["a cat", "a dog"]
    wave = torch.rand(1, 2, model.extent[0], generator=torch.Generator().manual_seed(5)) / 4 - 1 / 8
    mask = torch.zeros(1, 1, CELLS)
    mask[..., 20:50] = 1
    x = noise((8, CELLS), (1, 2))
    monkeypatch.setattr("regrow.core.solvers.noise", by_steps())
    step = make_step(model.own.solver, seeds=(1, 2))
    shown = model.with_known(wave, model.encode(wave), Region(latents=mask))
    ours = last(solve(step, shown.denoiser(model.condition(prompts)), x, model.grid(6)))
    theirs = inpainted(checkpoint(name), prompts, wave, 1 - mask, 6, x)
    assert (ours - theirs).abs().max() < 1e-4
    level = model.grid(6)[2]
    blind = model.denoiser(model.condition(prompts))(x, level).x0
    assert (shown.denoiser(model.condition(prompts))(x, level).x0 - blind).abs().max() > 1e-2
    guided = shown.denoiser(model.condition(prompts), model.condition(["a hat"]), 3.0)(x, level).x0
    alone = shown.denoiser(model.condition(["a dog"]), model.condition(["a hat"]), 3.0)(x[1:], level).x0
    torch.testing.assert_close(guided[1:], alone, atol=1e-5, rtol=0)


def test_what_stays_is_shown_to_each_window(checkpoint: Checkpoint) -> None:
    model, level = opened(checkpoint, BASE), opened(checkpoint, BASE).grid(6)[2]
    x, latents = noise((8, 2 * CELLS), [1]), noise((8, 2 * CELLS), [2])
    wave, mask = torch.zeros(1, 2, 512 * CELLS), torch.zeros(1, 1, 2 * CELLS)
    mask[..., 70:] = 1
    condition = model.condition(["a cat"])
    long = model.with_known(wave, latents, Region(latents=mask)).denoiser(condition)(x, level).x0
    start = model.with_known(wave, latents[..., :CELLS], Region(latents=mask[..., :CELLS]))
    first = start.denoiser(condition)(x[..., :CELLS], level).x0
    half = CELLS // 2  # where one window alone counts
    torch.testing.assert_close(long[..., :half], first[..., :half], atol=1e-5, rtol=0)


def test_a_network_that_was_not_made_for_it_is_shown_nothing(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = opened(checkpoint, BASE)
    config = {**model.parts.config("transformer"), "local_add_cond_dim": 3}
    monkeypatch.setattr(type(model.parts), "config", lambda parts, name: config)
    assert model.with_known(torch.zeros(1, 2, 16), torch.zeros(1, 8, 4), Region(latents=torch.ones(1, 1, 4))) is model


def test_long_waves_are_encoded_in_pieces(checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    model = opened(checkpoint, BASE)
    wave = torch.rand(1, 2, 75 * 256, generator=torch.Generator().manual_seed(5)) / 4 - 1 / 8
    whole = model.encode(wave)
    heard = model.decode(whole)
    calls: list[int] = []
    encode = model.parts["vae"].encode
    monkeypatch.setattr(model.parts["vae"], "encode", lambda x: calls.append(x.shape[-1] // 256) or encode(x))
    monkeypatch.setattr(model.codec, "piece", 32)
    torch.testing.assert_close(model.encode(wave), whole, atol=1e-5, rtol=0)
    torch.testing.assert_close(model.decode(whole), heard, atol=1e-4, rtol=0)
    assert calls == [34, 36, 13]
    alone = model.decode(whole[..., 32:64])  # without what is beside it
    assert (alone - heard[..., 32 * 256 : 64 * 256]).abs().max() > 1e-2


def test_a_clip_of_no_length_asked_for_is_of_the_usual_one(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = opened(checkpoint, BASE)
    assert model.usual_length == CELLS * 256
    monkeypatch.setattr("regrow.models.families.stable_audio_3.USUAL_SECONDS", 0.1)
    assert regrow.generate("a cat", model=model, steps=1, guidance=1.0).items[0].shape == (2, 18 * 256)


def test_methods_that_invert_along_a_path_are_refused(checkpoint: Checkpoint, sound: Path) -> None:
    model = opened(checkpoint, DISTILLED)
    along = {name for name in names() if method(name).follows_path and not method(name).without_path}
    assert {"naive", "edict", "null_text"} <= along
    assert not {"edit_friendly", "edit_friendly_2m", "img2img", "inversion_free"} & along
    for name in along:
        sentence = f"no deterministic path for {name} to invert: .*use --method edit_friendly or img2img"
        with pytest.raises(ValueError, match=sentence):
            regrow.edit(sound, "a dog", source="a cat", model=model, steps=4, method=name)
    for name in {*names_for_any_model()} - along:
        edited = regrow.edit(sound, "a dog", source="a cat", model=model, steps=4, method=name)
        assert edited.items[0].isfinite().all()


@pytest.mark.parametrize("chosen", ["edit_friendly", "edit_friendly_2m"])
def test_noise_maps_bring_a_distilled_model_back(checkpoint: Checkpoint, sound: Path, chosen: str) -> None:
    model = opened(checkpoint, DISTILLED)
    edited = regrow.edit(sound, "a cat", source="a cat", model=model, method=chosen, strength=1.0)
    assert (edited.frames[0] - edited.codec).abs().max() < 1e-4
    other = regrow.edit(sound, "two birds", source="a cat", model=model, method=chosen, strength=1.0)
    assert (other.frames[0] - other.codec).abs().max() > 1e-3


def test_who_names_no_method_gets_one_that_works_and_is_told(
    checkpoint: Checkpoint, sound: Path, tmp_path: Path
) -> None:
    model = opened(checkpoint, DISTILLED)
    edited = regrow.edit(sound, "a dog", source="a cat", model=model)
    settings = edited.recipes[0]["settings"]
    assert (settings["method"], settings["steps"], settings["guidance"]) == ("edit_friendly", 8, 1.0)
    note = "has no deterministic path for direct_inversion to invert, so the method edit_friendly was used"
    assert any(note in said for said in edited.notes)
    (saved,) = edited.save(tmp_path / "edited.wav")
    assert regrow.replay(saved).identical
    plain = regrow.edit(sound, "a dog", source="a cat", model=opened(checkpoint, BASE), steps=4)
    assert plain.recipes[0]["settings"]["method"] == "direct_inversion"
    assert not any("deterministic path" in said for said in plain.notes)


def test_inverting_and_going_between_files_need_a_path(checkpoint: Checkpoint, sound: Path) -> None:
    model = opened(checkpoint, DISTILLED)
    with pytest.raises(
        ValueError,
        match=r"path for direct_inversion to invert: .*use --method edit_friendly or",
    ):
        finish(invert(Invert(sound, "a cat", steps=4), model))
    inverted = finish(invert(Invert(sound, "a cat", method="edit_friendly", steps=4), model))
    assert inverted.round_trip < 1e-5
    assert inverted.latent_accuracy is None
    with pytest.raises(
        ValueError,
        match=r"path for interpolation between files to invert: .* between two prompts",
    ):
        regrow.interpolate(Interpolate(str(sound), str(sound), ("a cat", "a dog"), 2, steps=4), model=model)
    between = regrow.interpolate(Interpolate("a cat", "a dog", frames=3, steps=4, seed=11), model=model)
    ends = [regrow.generate(word, model=model, steps=4, seed=11) for word in ("a cat", "a dog")]
    for found, end in zip((between.frames[0], between.frames[2]), ends, strict=True):
        torch.testing.assert_close(found, end.frames[0], atol=1e-4, rtol=0)


def test_the_bench_tries_the_methods_that_need_no_path(checkpoint: Checkpoint) -> None:
    model = opened(checkpoint, DISTILLED)
    left_out = {one.method for one in own_editors() if one.method and why_not(model, one)}
    assert {"naive", "direct_inversion"} <= left_out
    assert not {"edit_friendly", "edit_friendly_2m", "img2img", "inversion_free"} & left_out
