"""A new Stable Diffusion 3 on the storybook's codec: trained, stopped and resumed, opened by diffusers, edited."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.pipelines.stable_diffusion_3.pipeline_stable_diffusion_3 import StableDiffusion3Pipeline
from safetensors.torch import load_file

import regrow
from regrow.core.noise import noise
from regrow.core.progress import finish
from regrow.core.solvers import ddim, last, solve
from regrow.models.errors import ModelError
from regrow.models.open import EMBEDDED, open_model
from regrow.models.probes.attributes import DESCRIBER
from regrow.requests.train import Train
from regrow.training.dry_run import rehearse
from regrow.training.stages import open_or_make, stages_of
from regrow.training.train import train

FLOW = Train(
    name="flow", world="storybook", family="sd3", new="tiny", size=64, scenes=8, hold_out=2, steps=3, batch=2,
    logit_normal=(0.0, 1.0), prompts=("a cat",),
)  # fmt: skip


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
        stages = [state.stage for state in train(FLOW)]
    assert list(dict.fromkeys(stages)) == ["read", "encode", "denoiser"]  # its codec is there already
    return home / "models" / "flow"


def test_what_is_trained_opens_here_and_in_diffusers(trained: Path) -> None:
    model = open_model("flow")
    assert (model.family, model.prediction_type, model.size) == ("stable-diffusion-3", "flow", (64, 64))
    assert model.notes == ()  # it never had a third encoder
    absent: dict[str, Any] = {"text_encoder_3": None, "tokenizer_3": None}
    pipe = StableDiffusion3Pipeline.from_pretrained(trained, torch_dtype=torch.float32, **absent)
    pipe.set_progress_bar_config(disable=True)
    x, words = noise(model.latent_shape(64, 64), [1]), "an orange cat on a beach"
    same: dict[str, Any] = {"latents": x, "sigmas": [1 - step / 5 for step in range(5)], "height": 64, "width": 64}
    theirs: Any = pipe(
        words, num_inference_steps=5, guidance_scale=3.0, output_type="latent", max_sequence_length=0, **same
    )
    ours = last(solve(ddim, model.denoiser(model.condition([words]), guidance=3.0), x, model.schedule.grid(5)))
    assert (ours - theirs.images).abs().max() < 1e-4


def test_its_codec_and_what_reads_its_latents_are_the_storybooks(trained: Path) -> None:
    for name in ("vae/diffusion_pytorch_model.safetensors",):
        found, expected = (load_file(folder / name) for folder in (trained, EMBEDDED / "storybook"))
        assert all(torch.equal(found[key], tensor) for key, tensor in expected.items())
    assert (trained / DESCRIBER).read_bytes() == (EMBEDDED / "storybook" / DESCRIBER).read_bytes()
    about = json.loads((trained / "training.json").read_text())
    assert (about["request"]["family"], list(about["stages"])) == ("sd3", ["denoiser"])


def test_every_part_but_the_codec_learns(trained: Path, tmp_path: Path) -> None:
    begun, _ = finish(open_or_make(FLOW, tmp_path / "start"))
    for name in ("transformer", "text_encoder", "text_encoder_2"):
        [file] = (trained / name).glob("*.safetensors")
        before = {key: tensor.half() for key, tensor in begun.parts[name].state_dict().items()}
        after = load_file(file)
        same = [key for key, tensor in after.items() if torch.equal(tensor, before[key])]
        # positions are fixed, and what is zero at the start holds back what lies before it for a step
        assert len(same) < len(after) / 2, same


def test_a_stopped_run_ends_as_one_that_was_not(trained: Path, home: Path) -> None:
    assert run(replace(FLOW, name="stopped"), stop_after=2) is None
    facts, _ = rehearse(Train(resume="stopped"))
    assert (facts["stages"]["denoiser"]["done"], facts["stages"]["denoiser"]["steps"]) == (2, 1)
    assert run(Train(resume="stopped")) == home / "models" / "stopped"
    for part in ("transformer/diffusion_pytorch_model", "text_encoder/model", "text_encoder_2/model"):
        found, expected = (load_file(home / "models" / name / f"{part}.safetensors") for name in ("stopped", "flow"))
        assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())


def test_it_learns_further_on_pictures_of_its_own_size(trained: Path, home: Path) -> None:
    assert run(Train(name="more", world="storybook", start="flow", steps=1, batch=2, scenes=8, hold_out=2))
    with pytest.raises(ValueError, match="--lora does not work for this family of models"):
        run(Train(name="adapted", world="storybook", start="flow", lora=2, steps=1))


def test_it_is_edited(trained: Path, tmp_path: Path) -> None:
    from regrow.media.image.picture import save

    save(tmp_path / "scene.png", torch.linspace(-1, 1, 3 * 64 * 64).view(3, 64, 64))
    edited = regrow.edit(tmp_path / "scene.png", "a dog", source="a cat", model="flow", steps=4)
    assert edited.items[0].isfinite().all()


@pytest.mark.parametrize("family", ["stable-diffusion-3", "stable-diffusion"])
def test_another_codec_is_taken_as_it_is_or_trained(family: str) -> None:
    request = Train(name="x", world="storybook", family=family)
    assert [stage.name for stage in stages_of(request)] == ["denoiser"]
    assert [stage.name for stage in stages_of(replace(request, family=None))] == ["codec", "denoiser"]
    assert [stage.name for stage in stages_of(replace(request, family=None, codec="mine"))] == ["denoiser"]
    assert [stage.name for stage in stages_of(replace(request, data=Path("pictures")))] == ["codec", "denoiser"]
    assert [stage.name for stage in stages_of(replace(request, stage="codec"))] == ["codec"]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"family": "no-such"}, r"--family names an unknown family 'no-such': use one of .*stable-diffusion-3"),
        (
            {"family": "stable-diffusion-xl"},
            r"New models can be of singer, stable-diffusion and stable-diffusion-3, not of st",
        ),
        ({"family": "riffusion"}, r"not of riffusion: continue from an existing checkpoint \(--from\)"),
        (
            {"family": "sd3", "objective": "v"},
            "Models of stable-diffusion-3 predict flow, not v: leave --objective out",
        ),
        (
            {"family": "sd3", "world": "bandstand"},
            "New models of stable-diffusion-3 make pictures, not sounds: leave --family out",
        ),
        (
            {"codec": "bandstand"},
            "bandstand is a model of sounds; its codec cannot encode pictures: choose another --codec",
        ),
    ],
)
def test_what_cannot_be_made_is_refused_before_anything_is_drawn(
    settings: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    request = replace(Train(name="x", world="storybook", scenes=8), **settings)
    with pytest.raises((ValueError, ModelError), match=sentence):
        next(open_or_make(request, tmp_path / "start"))


@pytest.mark.parametrize("kind", ["sd3", "sd3-without-t5"])
def test_a_published_layout_is_trained_with_all_its_encoders(checkpoint: Callable[[str], Path], kind: str) -> None:
    folder = checkpoint(kind)
    request = Train(name=f"more-{kind}", world="storybook", start=str(folder), steps=1, batch=2, scenes=8, hold_out=2)
    made = run(request)
    assert made
    for name in ("transformer", "text_encoder", "text_encoder_2", *(("text_encoder_3",) if kind == "sd3" else ())):
        (before,), (after,) = ((where / name).glob("*.safetensors") for where in (folder, made))
        old, new = load_file(before), load_file(after)
        assert any(not torch.equal(new[key], tensor.half()) for key, tensor in old.items()), name


def run(request: Train, stop_after: int | None = None) -> Path | None:
    """Train, and ask to stop after so many optimizer steps."""
    steps = 0

    def stop() -> bool:
        return stop_after is not None and steps >= stop_after - 1

    walk = train(request, stop)
    while True:
        try:
            steps += next(walk).fit is not None
        except StopIteration as end:
            return end.value
