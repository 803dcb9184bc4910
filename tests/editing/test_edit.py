"""Editing on a tiny random checkpoint: what must hold whatever the network has learned."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from regrow.core.progress import Progress, finish
from regrow.editing.edit import edit
from regrow.editing.invert import invert
from regrow.editing.result import Result
from regrow.editing.trajectories import cached_path, load_trajectory, save_trajectory, to_cache
from regrow.media.files import MediaError
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.requests.edit import Edit
from regrow.requests.invert import Invert

pytestmark = pytest.mark.usefixtures("home")


def run(request: Edit, model: Model) -> Result:
    return finish(edit(request, model))


@pytest.mark.parametrize(("steps", "guidance"), [(5, 1.0), (5, 7.5), (10, 7.5), (50, 7.5)])
def test_anchored_with_target_equal_to_source_is_the_codecs_round_trip(
    model: Model, image: Path, steps: int, guidance: float
) -> None:
    edited = run(Edit(image, ("a cat",), "a cat", steps=steps, strength=1.0, guidance=guidance), model)
    assert (edited.frames[0] - edited.codec).abs().max() < 1e-3


def test_it_is_said_where_source_and_target_are_the_same(model: Model, image: Path) -> None:
    request = Edit(image, ("a cat", "a dog"), "a cat", steps=2)
    said = "Source and target are the same, so the words ask for no change."
    assert said in run(request, model).notes
    assert said not in run(replace(request, target=("a dog",)), model).notes
    assert said not in run(replace(request, negative="a bird"), model).notes


def test_naive_misses_where_anchored_does_not(model: Model, image: Path) -> None:
    request = Edit(image, ("a cat",), "a cat", method="naive", steps=5, strength=1.0, guidance=1.0)
    naive = run(request, model)
    assert (naive.frames[0] - naive.codec).abs().max() > 1e-3


def test_the_result_has_the_inputs_size(model: Model, image: Path) -> None:
    edited = run(Edit(image, ("a dog",), "a cat", steps=4), model)
    assert edited.items[0].shape == (3, 37, 53)
    assert edited.frames.shape[-2:] == (36, 48), (
        "about as many pixels as the model's 32 x 48, in the picture's own shape"
    )
    assert "The 53 x 37 pixels were scaled to 48 x 34, and the edges mirrored to fill 48 x 36." in edited.notes


def test_a_second_wish_pays_only_for_the_regrowth(model: Model, image: Path) -> None:
    request = Edit(image, ("a dog",), "a cat", steps=6, strength=1.0)
    first = run(request, model)
    assert first.recipes[0]["figures"]["evaluations"] == {"inversion": 7, "regrowth": 9}
    again, weaker = run(request, model), run(replace(request, strength=0.5), model)
    assert (again.reused, weaker.reused) == (True, True)
    assert again.recipes[0]["figures"]["evaluations"]["inversion"] == 0
    assert torch.equal(again.frames, first.frames)
    other = run(replace(request, source="a bird"), model)
    assert not other.reused, "other words walk another path"


def test_weights_in_float8_walk_another_path_than_those_in_bfloat16(
    checkpoint: Callable[[str], Path], image: Path
) -> None:
    dtypes = (torch.bfloat16, torch.float8_e4m3fn)
    half, small = (open_model(checkpoint("sd1"), dtype=dtype) for dtype in dtypes)
    request = Edit(image, ("a dog",), "a cat", steps=2)
    assert [run(request, opened).reused for opened in (half, small, half, small)] == [False, False, True, True]


def test_a_stronger_wish_than_the_kept_path_reaches_inverts_again(model: Model, image: Path) -> None:
    request = Edit(image, ("a dog",), "a cat", steps=6, strength=0.5)
    run(request, model)
    assert not run(replace(request, strength=1.0), model).reused


def test_several_wishes_in_one_batch(model: Model, image: Path) -> None:
    both = run(Edit(image, ("a dog", "a cat"), "a cat", steps=4), model)
    alone = run(Edit(image, ("a dog",), "a cat", steps=4), model)
    assert torch.allclose(both.frames[0], alone.frames[0], atol=1e-4)
    assert not torch.allclose(both.frames[0], both.frames[1], atol=1e-3)


def test_strength_and_start_step_are_the_same_thing(model: Model, image: Path) -> None:
    strong = run(Edit(image, ("a dog",), "a cat", steps=10, strength=0.7), model)
    late = run(Edit(image, ("a dog",), "a cat", steps=10, start_step=3), model)
    assert torch.equal(strong.frames, late.frames)


def test_img2img_depends_on_the_seed_and_inversion_does_not(model: Model, image: Path) -> None:
    for method, differs in (("img2img", True), ("direct_inversion", False)):
        frames = [run(Edit(image, ("a dog",), "a cat", method=method, steps=4, seed=s), model).frames for s in (1, 2)]  # type: ignore[arg-type]
        assert (not torch.equal(*frames)) is differs


def test_an_own_negative_prompt_changes_the_result(model: Model, image: Path) -> None:
    request = Edit(image, ("a dog",), "a cat", steps=4)
    assert not torch.equal(run(request, model).frames, run(replace(request, negative="a bird"), model).frames)


def test_a_saved_trajectory_gives_the_same_edit(model: Model, image: Path, tmp_path: Path) -> None:
    request = Edit(image, ("a dog",), "a cat", steps=6, cache=False)
    inverted = finish(invert(Invert(image, "a cat", steps=6, reference=12), model))
    save_trajectory(tmp_path / "path.safetensors", inverted.trajectory, inverted.made_of)
    reused = run(replace(request, trajectory=tmp_path / "path.safetensors"), model)
    assert reused.reused
    assert torch.equal(reused.frames, run(request, model).frames)
    with pytest.raises(MediaError, match="another source"):
        run(replace(request, trajectory=tmp_path / "path.safetensors", source="a bird"), model)


def test_inversion_reports_round_trip_and_latent_accuracy(model: Model, image: Path) -> None:
    anchored = finish(invert(Invert(image, "a cat", steps=10, reference=100), model))
    exact = finish(invert(Invert(image, "a cat", steps=10, reference=0, method="fixed_point"), model))
    naive = finish(invert(Invert(image, "a cat", steps=10, reference=0, method="naive"), model))
    assert anchored.round_trip < 1e-5
    assert anchored.latent_accuracy is not None
    assert anchored.latent_accuracy > 1e-4, "an exact round trip does not make the latent the true one"
    assert naive.latent_accuracy is None
    assert naive.round_trip > anchored.round_trip
    assert all(c.converged for c in exact.trajectory.convergence) is (exact.round_trip < 1e-2)


def test_a_damaged_kept_path_is_made_again(model: Model, image: Path) -> None:
    request = Edit(image, ("a dog",), "a cat", steps=4)
    first = run(request, model)
    (kept,) = (cached_path({}).parent).iterdir()
    whole = kept.read_bytes()
    run(replace(request, steps=5), model)
    (other,) = (path for path in kept.parent.iterdir() if path != kept)
    header = 8 + int.from_bytes(whole[:8], "little")
    flipped = [whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :] for place in (header, len(whole) - 1)]
    facts = whole.replace(b"0.9", b"0.8", 1)  # an alpha of its levels
    for damaged in (whole[:1000], b"", facts, *flipped, other.read_bytes()):
        kept.write_bytes(damaged)
        again = run(request, model)
        assert not again.reused
        assert torch.equal(again.frames, first.frames)
        assert kept.read_bytes() == whole
    assert run(request, model).reused


def test_a_damaged_path_that_the_user_saved_is_refused(model: Model, image: Path, tmp_path: Path) -> None:
    inverted = finish(invert(Invert(image, "a cat", steps=4, reference=0), model))
    path = tmp_path / "p.safetensors"
    save_trajectory(path, inverted.trajectory, inverted.made_of)
    request, whole = Edit(image, ("a dog",), "a cat", steps=4, trajectory=path), path.read_bytes()
    for place in (len(whole) - 1, 8 + int.from_bytes(whole[:8], "little")):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(MediaError, match=r"p\.safetensors is damaged \(its checksum is wrong\): invert again"):
            run(request, model)
    path.write_bytes(whole.replace(b"checksum", b"ch3cksum"))  # as an older version's, which had none
    assert run(request, model).reused


def test_without_a_home_the_work_goes_on(
    model: Model, image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = run(Edit(image, ("a dog",), "a cat", steps=4), model)
    (tmp_path / "file").touch()
    for home in ("/proc/nowhere", str(tmp_path / "file"), str(tmp_path / "file" / "below")):
        monkeypatch.setenv("REGROW_HOME", home)
        with pytest.warns(UserWarning, match="Nothing is cached, as regrow's home") as told:
            found = [run(Edit(image, ("a dog",), "a cat", steps=4), model) for _ in range(2)]
        assert all(torch.equal(one.frames, expected.frames) for one in found)
        assert len(told) == 1
        assert home in str(told[0].message)
        assert "set REGROW_HOME" in str(told[0].message)


def test_the_cache_is_bounded(model: Model, image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inverted = finish(invert(Invert(image, "a cat", steps=4, reference=0), model))
    to_cache({"n": 0}, inverted.trajectory)
    one = cached_path({"n": 0}).stat().st_size
    monkeypatch.setattr("regrow.editing.trajectories.CACHE_BYTES", 3 * one)
    for n in range(1, 7):
        to_cache({"n": n}, inverted.trajectory)
    assert len(list(cached_path({}).parent.iterdir())) <= 3
    assert cached_path({"n": 6}).exists()


def test_a_file_that_is_no_trajectory(tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").write_text("hello")
    with pytest.raises(MediaError, match=r"x\.safetensors is damaged, or not a trajectory of regrow: invert again"):
        load_trajectory(tmp_path / "x.safetensors")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"strength": 0.0}, "strength must be above 0"),
        ({"steps": 30, "start_step": 30}, "start_step must be from 0 to steps - 1"),
        ({"target": ()}, "needs at least one --target"),
        ({"eta": 0.5}, "and direct_inversion is deterministic: set eta to 0, or use naive"),
        ({"method": "img2img", "trajectory": Path("x")}, "img2img starts from fresh noise"),
    ],
)
def test_settings_out_of_range_are_one_sentence(changes: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        replace(Edit(Path("in.png"), ("a dog",)), **changes)


def test_every_step_is_reported(model: Model, image: Path) -> None:
    seen: list[Progress] = []
    finish(edit(Edit(image, ("a dog",), "a cat", steps=5, strength=1.0), model), seen.append)
    assert [p.index for p in seen if p.part == "regrow"] == [0, 1, 2, 3, 4, 5]
    assert max(p.index for p in seen if p.part == "invert") == 5
    assert [p.x0 is None for p in seen if p.part == "regrow"] == [True, False, False, False, False, False]
