"""FLUX.1 and FLUX.2: guidance as an input, levels by size, codecs, cut words, and folders that are broken."""

import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from checkpoints import edit_json
from diffusers.pipelines.flux.pipeline_flux import calculate_shift
from diffusers.pipelines.flux2.pipeline_flux2 import compute_empirical_mu
from tiny import FAMILIES
from tiny.flux_2 import opened
from torch import Tensor
from transformers import Qwen3Config, Qwen3ForCausalLM

import regrow
from regrow.core.levels import Level
from regrow.core.noise import noise
from regrow.core.progress import finish
from regrow.editing.grow import grow
from regrow.media.image.picture import save
from regrow.models.errors import ModelError
from regrow.models.open import open_model
from regrow.models.own_settings import OwnSettings
from regrow.requests.generate import Generate

Checkpoint = Callable[[str], Path]
Change = Callable[[Path], Any]
INPUT, PLAIN, IN_WEIGHTS = ("flux", "flux-2"), ("flux-2-klein",), ("flux-schnell", "flux-2-klein-distilled")
SCHEDULER = "scheduler/scheduler_config.json"
pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    save(tmp_path / "in.png", torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(7)) * 2 - 1, None)
    return tmp_path / "in.png"


def copied(checkpoint: Checkpoint, name: str, tmp_path: Path, change: Change) -> Path:
    folder = Path(shutil.copytree(checkpoint(name), tmp_path / "mine"))
    change(folder)
    return folder


def config(file: str, **changes: Any) -> Change:
    return lambda folder: edit_json(folder / file, **changes)


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("flux", OwnSettings(28, 3.5, "ddim")),
        ("flux-schnell", OwnSettings(4, 1.0, "ddim", is_guided=False)),
        ("flux-2", OwnSettings(50, 4.0, "ddim")),
        ("flux-2-klein", OwnSettings(50, 4.0, "ddim")),
        ("flux-2-klein-distilled", OwnSettings(4, 1.0, "ddim", is_guided=False)),
    ],
)
def test_it_is_sampled_as_its_makers_do(checkpoint: Checkpoint, name: str, own: OwnSettings) -> None:
    model = open_model(checkpoint(name))
    assert model.own == own
    assert model.guidance_is_input == (name in INPUT)


def test_the_kv_variant_of_klein_is_a_distilled_one(checkpoint: Checkpoint, tmp_path: Path) -> None:
    def as_kv(folder: Path) -> None:
        index = folder / "model_index.json"
        text = (
            index.read_text().replace('"is_distilled": true,', "").replace("Flux2KleinPipeline", "Flux2KleinKVPipeline")
        )
        index.write_text(text)

    model = open_model(copied(checkpoint, "flux-2-klein-distilled", tmp_path, as_kv))
    assert (model.family, model.own.is_guided, model.own.steps) == ("flux-2-klein", False, 4)


def test_dev_with_its_distillation_undone_is_guided_as_any_model(checkpoint: Checkpoint, tmp_path: Path) -> None:
    model = open_model(copied(checkpoint, "flux-schnell", tmp_path, config(SCHEDULER, use_dynamic_shifting=True)))
    assert model.own.is_guided
    assert not model.guidance_is_input


@pytest.mark.parametrize("name", [*INPUT, *PLAIN, *IN_WEIGHTS])
def test_guidance_takes_one_evaluation_where_it_is_an_input(checkpoint: Checkpoint, name: str) -> None:
    model = open_model(checkpoint(name))
    shape = model.latent_shape(*model.extent)

    def grown(guidance: float, negative: str = "") -> tuple[Tensor, int]:
        request = Generate(
            "a cat", negative=negative, guidance=guidance, guidance_share=1.0, steps=3, seed=1, solver="ddim"
        )
        return finish(grow(request, model, ["a cat"], shape))

    plain, guided, away = grown(1.0), grown(4.0), grown(4.0, "a hat")
    assert plain[1] == 3
    assert guided[1] == (3 if name in INPUT else 6)
    assert away[1] == 6
    assert (guided[0] - plain[0]).abs().max() > 1e-3
    assert (guided[0] - away[0]).abs().max() > 1e-3


def test_an_edit_is_led_away_from_its_source_and_with_an_empty_negative_from_nothing(
    checkpoint: Checkpoint, file: Path
) -> None:
    model = open_model(checkpoint("flux"))
    settings = {"source": "a cat", "model": model, "steps": 4, "strength": 1.0, "guidance": 5.0, "guidance_share": 1.0}
    same, nothing = (regrow.edit(file, "a cat", negative=negative, **settings) for negative in (None, ""))
    assert [each.recipes[0]["figures"]["evaluations"]["regrowth"] for each in (same, nothing)] == [8, 4]
    assert (same.frames - same.codec).abs().max() < 1e-4
    assert (nothing.frames - nothing.codec).abs().max() > 1e-2


@pytest.mark.parametrize("steps", [4, 50, 230])
@pytest.mark.parametrize(("name", "places"), [("flux", (24, 16)), ("flux", (160, 128)), ("flux-2", (150, 128))])
def test_levels_are_those_of_the_pipeline_at_any_size(
    checkpoint: Checkpoint, name: str, places: tuple[int, int], steps: int
) -> None:
    model = open_model(checkpoint(name))
    tokens = places[0] * places[1] // 4
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler.from_pretrained(checkpoint(name) / "scheduler")
    mu = calculate_shift(tokens) if name == "flux" else compute_empirical_mu(tokens, steps)
    scheduler.set_timesteps(sigmas=[1 - step / steps for step in range(steps)], mu=mu)
    ours = model.grid(steps, shape=(model.latent_channels, *places))
    torch.testing.assert_close(torch.tensor([level.sigma for level in ours]), scheduler.sigmas, atol=1e-6, rtol=0)
    assert ours[0] == Level(0, 1)


def test_the_codec_is_that_of_the_pipeline(checkpoint: Checkpoint) -> None:
    model, frame = open_model(checkpoint("flux-2")), torch.rand(1, 3, 16, 24) * 2 - 1
    pipe = opened(diffusers.Flux2Pipeline, checkpoint("flux-2"), torch.float32)
    with torch.no_grad():
        cells = pipe._encode_vae_image(frame, torch.Generator())
    latents = model.encode(frame)
    torch.testing.assert_close(torch.nn.functional.pixel_unshuffle(latents, 2), cells)
    with torch.no_grad():
        plain = pipe.vae.decode(pipe.vae.encode(frame).latent_dist.mode()).sample.clamp(-1, 1)
    torch.testing.assert_close(model.decode(latents), plain, atol=1e-5, rtol=0)
    assert latents.shape == (1, *model.latent_shape(16, 24))


@pytest.mark.parametrize(("name", "room"), [("flux", 511), ("flux-schnell", 255), ("flux-2-klein", 470)])
def test_words_that_are_not_read_are_named(checkpoint: Checkpoint, name: str, room: int) -> None:
    model = open_model(checkpoint(name))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.condition(["a dog", "n" * (room - 20)])
    with pytest.warns(UserWarning, match=r"reads \d+ tokens of a prompt; these words were ignored: n*zz$"):
        model.condition(["n" * 520 + "zz"])


CASES: dict[str, tuple[str, Change, str]] = {
    "no second words": ("flux", lambda f: shutil.rmtree(f / "text_encoder_2"), "text_encoder_2/config.json is missing"),
    "no codec": ("flux", lambda f: shutil.rmtree(f / "vae"), "vae/config.json is missing"),
    "no network": ("flux", lambda f: shutil.rmtree(f / "transformer"), "transformer/config.json is missing"),
    "no scheduler": ("flux", lambda f: shutil.rmtree(f / "scheduler"), f"{SCHEDULER} is missing"),
    "no flow": (
        "flux",
        lambda f: diffusers.DDIMScheduler().save_pretrained(f / "scheduler"),
        "does not describe flow matching, which FLUX.1 uses",
    ),
    "unknown shift": (
        "flux",
        config(SCHEDULER, time_shift_type="cubic"),
        "Unknown time_shift_type 'cubic' in",
    ),
    "another text encoder": (
        "flux",
        config("model_index.json", text_encoder_2=["transformers", "UMT5EncoderModel"]),
        "is a UMT5EncoderModel: regrow supports T5EncoderModel",
    ),
    "no chat": (
        "flux-2",
        lambda f: (f / "tokenizer/chat_template.jinja").unlink(),
        "tokenizer/chat_template.jinja is missing, the chat template for prompts",
    ),
    "no flow of the second": (
        "flux-2",
        lambda f: diffusers.DDIMScheduler().save_pretrained(f / "scheduler"),
        "does not describe flow matching, which FLUX.2 uses",
    ),
    "no words": ("flux-2-klein", lambda f: shutil.rmtree(f / "text_encoder"), "text_encoder/config.json is missing"),
    "no tokenizer": (
        "flux-2-klein",
        lambda f: shutil.rmtree(f / "tokenizer"),
        "tokenizer/vocab.json is missing",
    ),
    "another codec": (
        "flux-2-klein",
        config("model_index.json", vae=["diffusers", "AutoencoderKL"]),
        "is a AutoencoderKL: regrow supports AutoencoderKLFlux2",
    ),
}


def sentence(folder: Path) -> str:
    with pytest.raises(ModelError) as caught:
        open_model(folder)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    return message


@pytest.mark.parametrize("case", CASES)
def test_each_broken_folder_is_one_sentence(checkpoint: Checkpoint, tmp_path: Path, case: str) -> None:
    name, change, said = CASES[case]
    assert said in sentence(copied(checkpoint, name, tmp_path, change))


PARTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "control": ("flux", {"in_channels": 128, "out_channels": 64}, "takes 128 channels and returns 64, but its codec"),
    "words": ("flux", {"joint_attention_dim": 32}, "reads vectors of 32 numbers, but its text_encoder_2 makes 24"),
    "pooled": ("flux", {"pooled_projection_dim": 32}, "reads vectors of 32 numbers, but its text_encoder makes 16"),
    "positions": ("flux", {"axes_dims_rope": [4, 4, 4]}, "positions of 12 numbers (axes_dims_rope), but heads of 16"),
    "second channels": ("flux-2", {"in_channels": 32}, "takes 32 channels and returns 32, but its codec makes 16 in 2"),
    "second words": (
        "flux-2",
        {"joint_attention_dim": 32},
        "reads vectors of 32 numbers, but 3 layers of its text_encoder make 24",
    ),
    "second positions": ("flux-2", {"axes_dims_rope": [4, 4, 4]}, "positions of 12 numbers (axes_dims_rope), but"),
}


@pytest.mark.parametrize("case", PARTS)
def test_parts_of_two_models_are_told_apart(checkpoint: Checkpoint, tmp_path: Path, case: str) -> None:
    name, changes, said = PARTS[case]
    kind: Any = diffusers.FluxTransformer2DModel if name == "flux" else diffusers.Flux2Transformer2DModel

    def change(folder: Path) -> None:
        settings = {**kind.load_config(folder / "transformer"), **changes}
        shutil.rmtree(folder / "transformer")
        kind.from_config(settings).save_pretrained(folder / "transformer")

    assert said in sentence(copied(checkpoint, name, tmp_path, change))


def test_a_text_encoder_of_too_few_layers_is_named(checkpoint: Checkpoint, tmp_path: Path) -> None:
    def change(folder: Path) -> None:
        settings = Qwen3Config.from_pretrained(folder / "text_encoder").to_dict()
        words: Any = Qwen3ForCausalLM(Qwen3Config(**{**settings, "num_hidden_layers": 20, "layer_types": None}))
        words.save_pretrained(folder / "text_encoder")

    folder = copied(checkpoint, "flux-2-klein", tmp_path, change)
    assert "has 20 layers, but FLUX.2 reads its layer 27" in sentence(folder)


def test_the_reference_of_a_negative_prompt_is_guidance_of_the_same_network(checkpoint: Checkpoint) -> None:
    """Where negative and positive words are the same, classifier-free guidance changes nothing."""
    x = noise((4, 8, 8), [1, 2])
    both = ["a cat", "a dog"]
    plain, away = (
        FAMILIES["flux-2"].reference(checkpoint("flux-2"), both, negatives, guidance, 3, x)
        for negatives, guidance in ((None, 1.0), (both, 5.0))
    )
    torch.testing.assert_close(away, plain, atol=1e-5, rtol=0)
