"""A whole training in small: what it writes opens here and in diffusers, and is never overwritten."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate.state import AcceleratorState
from diffusers import StableDiffusionPipeline
from safetensors.torch import load_file

from regrow.core.noise import noise
from regrow.core.progress import finish
from regrow.core.solvers import ddim, last, solve
from regrow.models.open import open_model
from regrow.requests.train import Train
from regrow.training import world_data
from regrow.training.dry_run import rehearse
from regrow.training.settings import settings_of
from regrow.training.train import train
from regrow.training.world_data import drawn, storybook_data
from regrow.worlds.storybook.drawing import VOCABULARY, Scene, draw

TINY = Train(
    name="tiny", world="storybook", new="tiny", size=64, scenes=8, hold_out=2, steps=2, batch=2, prompts=("a cat",)
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def at_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGROW_HOME", str(home))


@pytest.fixture(scope="module")
def trained(home: Path) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGROW_HOME", str(home))
        stages = [state.stage for state in train(TINY)]
    assert list(dict.fromkeys(stages)) == ["read", "codec", "encode", "denoiser"]
    return home / "models" / "tiny"


def test_what_is_trained_opens_here_and_in_diffusers(trained: Path) -> None:
    model = open_model("tiny")
    assert (model.size, model.prediction_type, model.folder) == ((64, 64), "v", trained)
    pipe = StableDiffusionPipeline.from_pretrained(trained, torch_dtype=torch.float32, safety_checker=None)
    pipe.set_progress_bar_config(disable=True)
    x = noise(model.latent_shape(64, 64), [1])
    words = "an orange cat on a beach"
    theirs = pipe(words, latents=x, num_inference_steps=5, guidance_scale=1.0, output_type="latent").images  # pyright: ignore
    ours = last(solve(ddim, model.denoiser(model.condition([words])), x, model.schedule.grid(5)))
    assert (ours - theirs).abs().max() < 1e-4


def test_a_model_is_never_overwritten(trained: Path) -> None:
    before = {path: path.read_bytes() for path in trained.rglob("*") if path.is_file()}
    with pytest.raises(ValueError, match="exists already and is never overwritten"):
        next(train(TINY))
    assert {path: path.read_bytes() for path in trained.rglob("*") if path.is_file()} == before


def test_a_model_says_what_it_was_trained_on(trained: Path, home: Path) -> None:
    about = json.loads((trained / "training.json").read_text())
    assert (about["data"], about["stages"]["denoiser"]["steps"], about["stages"]["denoiser"]["batch"]) == (
        "storybook",
        2,
        2,
    )
    assert about["stages"]["denoiser"]["validation"] > 0
    for config in trained.glob("*/config.json"):
        assert "_name_or_path" not in config.read_text(), config
    assert json.loads((trained / "words.json").read_text())["words"] == list(VOCABULARY)
    assert (trained / "samples" / "final.png").is_file()
    lines = [json.loads(line) for line in (home / "runs" / "tiny" / "denoiser" / "log.jsonl").read_text().splitlines()]
    assert lines[-1]["step"] == 2
    assert list((home / "runs" / "tiny" / "denoiser").glob("events.out.tfevents.*"))


def test_another_request_does_not_go_on_with_a_run(home: Path) -> None:
    request = replace(TINY, name="begun")
    assert run(request, stop_after=2) is None
    with pytest.raises(ValueError, match=r"'begun' began with other settings \(drop was 0.1 and is 0.2\)"):
        next(train(replace(request, drop=0.2)))
    with pytest.raises(ValueError, match="There is no run 'other' to resume: there are begun, tiny"):
        next(train(Train(resume="other")))
    assert run(Train(resume="begun")) == home / "models" / "begun"


def test_a_stopped_run_ends_as_one_that_was_not(trained: Path, home: Path) -> None:
    assert run(replace(TINY, name="stopped"), stop_after=3) is None  # before the second stage
    facts, sentences = rehearse(Train(resume="stopped"))
    left = {stage: (found["done"], found["steps"]) for stage, found in facts["stages"].items()}
    assert left == {"codec": (2, 0), "denoiser": (0, 2)}
    assert "8 pictures to train on, 2 held out" in sentences
    assert "codec: all 2 steps are done" in sentences
    with pytest.raises(ValueError, match="began with other settings"):
        rehearse(replace(TINY, name="stopped", batch=4))
    run(replace(TINY, name="stopped"))
    for part in ("unet/diffusion_pytorch_model", "vae/diffusion_pytorch_model", "text_encoder/model"):
        found, expected = (load_file(home / "models" / name / f"{part}.safetensors") for name in ("stopped", "tiny"))
        assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())


@pytest.fixture
def rounding() -> Iterator[None]:
    """accelerate keeps one precision for a process; a training of its own is a process of its own."""
    AcceleratorState._reset_state(reset_partial_state=True)
    yield
    AcceleratorState._reset_state(reset_partial_state=True)


@pytest.mark.usefixtures("rounding")
def test_in_bfloat16_a_stopped_run_ends_as_one_that_was_not_too(trained: Path, home: Path) -> None:
    # of a codec's step a CPU without bfloat16 would make ten
    whole = replace(
        TINY, name="rounded", new=None, start=str(trained), stage="denoiser", steps=3, precision="bf16", accumulate=2
    )
    facts, _ = rehearse(whole)
    assert facts["stages"]["denoiser"]["steps"] == 3
    run(whole)
    parts = replace(whole, name="rounded-parts")
    assert run(parts, stop_after=2) is None
    run(parts)
    models = [load_file(home / "models" / name / "unet/diffusion_pytorch_model.safetensors") for name in
              ("rounded", "rounded-parts")]  # fmt: skip
    assert all(torch.equal(models[1][name], tensor) for name, tensor in models[0].items())
    assert all(tensor.isfinite().all() for tensor in models[0].values())


def test_a_training_that_diverges_ends_with_a_sentence_and_spends_no_name(home: Path) -> None:
    wild = replace(TINY, name="wild", steps=9, rate=1e9, minutes=0.001)
    with pytest.raises(
        ValueError,
        match=r"^The codec diverged at step \d \(its loss is not a finite number\).* than 1e\+09, and run it again",
    ):
        run(wild)
    log = home / "runs" / "wild" / "codec" / "log.jsonl"
    assert not any(word in log.read_text() for word in ("NaN", "Infinity"))
    assert json.loads(log.read_text().splitlines()[-1])["loss"] is None
    assert not (home / "models" / "wild").exists()
    assert run(replace(wild, rate=None), stop_after=2) is None
    with pytest.raises(ValueError, match="began with other settings"):
        run(wild)


def test_a_finished_run_keeps_its_log_and_says_that_it_is_over(trained: Path, home: Path) -> None:
    kept = {path.relative_to(home / "runs" / "tiny").as_posix() for path in (home / "runs" / "tiny").rglob("*.*")}
    assert {"request.json", "codec/log.jsonl", "denoiser/log.jsonl", "samples/final.png"} <= kept
    assert not [name for name in kept if name.endswith(".safetensors")]
    assert run(Train(resume="tiny")) == trained
    with pytest.raises(ValueError, match="storybook is the name of a model of regrow: choose another --name"):
        run(replace(TINY, name="storybook"))


@pytest.mark.parametrize("at", ["read", "encode"])
def test_a_run_stopped_before_its_first_step_leaves_nothing_half_written(
    trained: Path, at: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGROW_HOME", str(tmp_path))  # where nothing is drawn or encoded yet
    seen: list[str] = []
    request = replace(TINY, name="early", new=None, start=str(trained), stage="denoiser", scenes=70)
    walk = train(request, lambda: at in seen)
    for state in walk:
        seen.append(state.stage)
        assert state.fit is None
    assert seen.count(at) == 1
    assert not list((tmp_path / "cache").rglob(".*"))
    assert run(Train(resume="early")) == tmp_path / "models" / "early"


def test_grids_come_at_their_own_interval() -> None:
    for checkpoints, grids, expected in ((2, 0.3, 0.3), (2, 3, 1.5), (2, 10, 2), (5, 0, 5)):
        settings = settings_of(replace(TINY, minutes=checkpoints, sample_minutes=grids), 1)
        assert settings.minutes == pytest.approx(expected)


def run(request: Train, stop_after: int | None = None) -> Path | None:
    """Train, and ask to stop after so many optimizer steps over all stages."""
    steps = 0

    def stop() -> bool:
        return stop_after is not None and steps >= stop_after - 1

    walk = train(request, stop)
    while True:
        try:
            steps += next(walk).fit is not None
        except StopIteration as end:
            return end.value


def test_drawn_scenes_are_kept_and_are_the_drawings(home: Path) -> None:
    scenes = [Scene.random(seed) for seed in range(3)]
    pictures, masks = finish(drawn(scenes, 32))
    assert np.array_equal(pictures[2], draw(scenes[2], 32).picture)
    assert np.array_equal(masks[1], draw(scenes[1], 32).mask)
    kept = sorted((home / "cache" / "drawn").iterdir())
    finish(drawn(scenes, 32))
    assert sorted((home / "cache" / "drawn").iterdir()) == kept
    assert not [path for path in kept if path.name.startswith(".")]


def test_what_is_kept_of_drawings_is_of_the_code_that_draws(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = finish(storybook_data(2, 1, 32))
    kept = len(list((home / "cache" / "drawn").iterdir()))
    monkeypatch.setattr(world_data, "CODE", world_data.CODE[:-1])  # as if another version of regrow drew
    after = finish(storybook_data(2, 1, 32))
    assert after.content != before.content  # under which latents are kept
    assert len(list((home / "cache" / "drawn").iterdir())) == kept + 2
