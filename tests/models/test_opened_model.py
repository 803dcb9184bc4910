"""Codec, prompts, denoiser, hash and the finding of models by name."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from checkpoints import edit_json
from diffusers import AutoencoderKL, AutoencoderTiny
from safetensors.torch import load_file, save_file
from transformers import CLIPTextModel

from regrow.core.denoiser import Counted
from regrow.core.noise import noise
from regrow.models import open as registry
from regrow.models.model import Model, ModelError
from regrow.models.open import list_models, open_model
from regrow.models.saving import save_model

Checkpoint = Callable[[str], Path]


def pictures(model: Model) -> torch.Tensor:
    return noise((3, *model.size), seeds=(1, 2)).mul(0.4).clamp(-1, 1)


@pytest.mark.parametrize("module", ["models.open", "interfaces.reporting"])
def test_what_opens_no_model_waits_for_neither_diffusers_nor_transformers(module: str) -> None:
    code = f"import sys, regrow.{module}; assert not {{'diffusers', 'transformers'}} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("name", "size", "multiple", "shape", "prediction_type"),
    [
        ("sd1", (16, 16), 2, (4, 8, 8), "epsilon"),
        ("sd2", (16, 16), 2, (4, 8, 8), "v"),
        ("sd-tiny", (32, 48), 4, (16, 8, 12), "v"),
        ("ddpm", (16, 16), 2, (3, 16, 16), "epsilon"),
        ("bare-pixel", (16, 16), 2, (3, 16, 16), "epsilon"),
    ],
)
def test_facts_come_from_the_checkpoint(
    checkpoint: Checkpoint,
    name: str,
    size: tuple[int, int],
    multiple: int,
    shape: tuple[int, int, int],
    prediction_type: str,
) -> None:
    model = open_model(checkpoint(name))
    assert (model.size, model.multiple, model.prediction_type) == (size, multiple, prediction_type)
    assert model.latent_shape(*size) == shape
    assert tuple(model.encode(pictures(model)).shape[1:]) == shape
    assert not any(parameter.requires_grad for parameter in model.network.parameters())
    assert not model.network.training
    with pytest.raises(ValueError, match=f"multiples of {multiple} pixels; got 17 x 16"):
        model.latent_shape(17, 16)
    with pytest.raises(ValueError, match="multiples of"):
        model.encode(torch.zeros(1, 3, 17, 16))


def test_a_bare_network_says_what_was_assumed(checkpoint: Checkpoint) -> None:
    (note,) = open_model(checkpoint("bare-pixel")).notes
    assert "does not give its noise schedule; that of Ho et al. 2020 (DDPM) is used" in note
    assert open_model(checkpoint("ddpm")).notes == ()


def test_a_bare_network_with_its_scheduler_beside_it(checkpoint: Checkpoint, tmp_path: Path) -> None:
    folder = tmp_path / "old"
    shutil.copytree(checkpoint("ddpm") / "unet", folder)
    shutil.copy(checkpoint("ddpm") / "scheduler" / "scheduler_config.json", folder)
    edit_json(folder / "scheduler_config.json", prediction_type="sample")
    model = open_model(folder)
    assert (model.prediction_type, model.notes) == ("sample", ())


@pytest.mark.parametrize("shift", [None, 0.25])
def test_autoencoder_kl_round_trip_is_its_own(checkpoint: Checkpoint, tmp_path: Path, shift: float | None) -> None:
    folder = tmp_path / "model"
    shutil.copytree(checkpoint("sd1"), folder)
    edit_json(folder / "vae" / "config.json", shift_factor=shift)
    model, codec = open_model(folder), AutoencoderKL.from_pretrained(folder / "vae")
    x = pictures(model)
    with torch.no_grad():
        mean = codec.encode(x).latent_dist.mean  # pyright: ignore[reportAttributeAccessIssue]
        back = codec.decode(mean).sample  # pyright: ignore[reportAttributeAccessIssue]
    latents = model.encode(x)
    torch.testing.assert_close(latents, (mean - (shift or 0)) * 0.18215)
    assert torch.equal(latents, model.encode(x))
    torch.testing.assert_close(model.decode(latents), back.clamp(-1, 1), atol=1e-5, rtol=0)


def test_autoencoder_tiny_round_trip_is_its_own(checkpoint: Checkpoint) -> None:
    model, codec = open_model(checkpoint("sd-tiny")), AutoencoderTiny.from_pretrained(checkpoint("sd-tiny") / "vae")
    x = pictures(model)
    with torch.no_grad():
        latents = codec.encode(x).latents  # pyright: ignore[reportAttributeAccessIssue]
        back = codec.decode(latents).sample  # pyright: ignore[reportAttributeAccessIssue]
    torch.testing.assert_close(model.encode(x), latents * 0.7)
    torch.testing.assert_close(model.decode(model.encode(x)), back.clamp(-1, 1), atol=1e-5, rtol=0)


def test_long_prompts_are_cut_and_the_cut_words_named(checkpoint: Checkpoint) -> None:
    model = open_model(checkpoint("sd1"))
    with pytest.warns(UserWarning, match="reads 10 tokens of a prompt; these words were ignored: cat cat$"):
        cut = model.condition([" ".join(["cat"] * 12)])
    assert torch.equal(cut.tokens, model.condition([" ".join(["cat"] * 10)]).tokens)


def test_the_attention_mask_is_used_only_where_the_config_says_so(checkpoint: Checkpoint, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(checkpoint("sd1"), folder)
    plain = open_model(folder).condition(["cat"]).tokens
    edit_json(folder / "text_encoder" / "config.json", use_attention_mask=True)
    assert not torch.allclose(open_model(folder).condition(["cat"]).tokens, plain)


def test_one_prompt_serves_a_batch_and_guidance_one_is_off(checkpoint: Checkpoint) -> None:
    model = open_model(checkpoint("sd2"))
    level = model.schedule.grid(4)[1]
    x = noise(model.latent_shape(*model.size), seeds=(1, 2, 3))
    cat, hat = model.condition(["cat"]), model.condition(["hat"])
    plain = model.denoiser(cat)(x, level)
    assert torch.equal(plain.x0, model.denoiser(cat, hat, 1.0)(x, level).x0)
    away = model.denoiser(hat)(x, level)
    guided = model.denoiser(cat, hat, 3.0)(x, level)
    torch.testing.assert_close(guided.x0, away.x0 + 3 * (plain.x0 - away.x0), atol=1e-4, rtol=0)
    assert (guided.x0 - plain.x0).abs().max() > 1e-2
    unnamed = model.denoiser(cat, None, 3.0)(x, level)
    assert torch.equal(unnamed.x0, model.denoiser(cat, model.condition([""]), 3.0)(x, level).x0)
    with pytest.raises(ValueError, match="A batch of 3 needs 1 or 3 prompts; got 2"):
        model.denoiser(cat.cat(hat))(x, level)


def test_guidance_is_one_call_of_a_doubled_batch(checkpoint: Checkpoint) -> None:
    model = open_model(checkpoint("sd2"))
    seen = []
    model.network.register_forward_pre_hook(lambda module, arguments: seen.append(len(arguments[0])))
    x = noise(model.latent_shape(*model.size), seeds=(1, 2))
    for guidance in (1.0, 2.0):
        Counted(model.denoiser(model.condition(["cat"]), guidance=guidance))(x, model.schedule.noisiest)
    assert seen == [2, 4]


def test_the_state_keeps_its_dtype_and_labels_are_not_rounded(checkpoint: Checkpoint) -> None:
    model = open_model(checkpoint("sd2"), dtype=torch.bfloat16)
    labels = []
    model.network.register_forward_pre_hook(lambda module, arguments: labels.extend(arguments[1].tolist()))
    x = noise(model.latent_shape(*model.size), seeds=(1,), dtype=torch.float64)
    prediction = model.denoiser(model.condition(["cat"]))(x, model.schedule.noisiest)
    assert prediction.x0.dtype == torch.float64
    assert model.dtype == torch.bfloat16
    assert labels == [999.0]
    assert model.to(dtype=torch.float32).dtype == torch.float32


def test_pixel_models_take_no_words(checkpoint: Checkpoint) -> None:
    model = open_model(checkpoint("ddpm"))
    with pytest.raises(ValueError, match="takes no prompts; got 'a cat'"):
        model.condition(["a cat"])
    with pytest.raises(ValueError, match="guidance must be 1; got 2"):
        model.denoiser(model.condition([""]), guidance=2.0)


def test_the_hash_is_of_the_contents(checkpoint: Checkpoint, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    shutil.copytree(checkpoint("sd1"), folder)
    (folder / "README.md").write_text("not part of the model")
    original = open_model(checkpoint("sd1")).content_hash
    assert open_model(folder).content_hash == original
    assert open_model(checkpoint("sd2")).content_hash != original
    weights = load_file(folder / "unet" / "diffusion_pytorch_model.safetensors")
    weights["conv_in.bias"][0] += 1
    save_file(weights, folder / "unet" / "diffusion_pytorch_model.safetensors")
    assert open_model(folder).content_hash != original


def test_models_are_found_by_name(checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    embedded, home = tmp_path / "embedded", tmp_path / "home"
    shutil.copytree(checkpoint("sd1"), embedded / "storybook")
    shutil.copytree(checkpoint("ddpm"), home / "models" / "mine")
    shutil.copytree(checkpoint("ddpm"), home / "models" / "storybook")
    (home / "models" / "broken").mkdir()
    (home / "models" / "broken" / "model_index.json").write_text("{")
    monkeypatch.setattr(registry, "EMBEDDED", embedded)
    monkeypatch.setenv("REGROW_HOME", str(home))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "storybook").mkdir()  # a folder that is no model does not hide one that is
    assert [(listed.name, listed.family) for listed in list_models()] == [
        ("broken", None),
        ("mine", "pixel-unet"),
        ("storybook", "stable-diffusion"),
    ]
    assert open_model("storybook").folder == embedded / "storybook"
    assert open_model("mine").folder == home / "models" / "mine"
    with pytest.raises(
        ModelError,
        match=r"There is no model 'yours': .* the models known by name are broken, mine, storybook",
    ):
        open_model("yours")


def test_old_layouts_of_the_hub_open(checkpoint: Checkpoint, tmp_path: Path) -> None:
    """Stable Diffusion 1's files name a few weights as their first libraries did."""
    folder = tmp_path / "old"
    shutil.copytree(checkpoint("sd1"), folder)
    vae = folder / "vae" / "diffusion_pytorch_model.safetensors"
    old_names = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    weights = {}
    for key, tensor in load_file(vae).items():
        for new, old in old_names.items():
            key = key.replace(f"attentions.0.{new}.", f"attentions.0.{old}.")
        weights[key] = tensor
    assert any("proj_attn" in key for key in weights)
    save_file(weights, vae)
    text = folder / "text_encoder" / "model.safetensors"
    weights = {f"text_model.{key}": tensor for key, tensor in load_file(text).items()}
    weights["text_model.embeddings.position_ids"] = torch.arange(12)[None]
    save_file(weights, text, {"format": "pt"})
    model, same = open_model(folder), open_model(checkpoint("sd1"))
    x = pictures(model)
    assert torch.equal(model.encode(x), same.encode(x))
    assert torch.equal(model.condition(["a cat"]).tokens, same.condition(["a cat"]).tokens)


def test_half_precision_variants_and_shards_open(checkpoint: Checkpoint, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(checkpoint("sd1"), folder)
    unet = folder / "unet"
    (unet / "diffusion_pytorch_model.safetensors").rename(unet / "diffusion_pytorch_model.fp16.safetensors")
    CLIPTextModel.from_pretrained(folder / "text_encoder").save_pretrained(tmp_path / "text", max_shard_size="8KB")
    (folder / "text_encoder" / "model.safetensors").unlink()
    shutil.copytree(tmp_path / "text", folder / "text_encoder", dirs_exist_ok=True)
    assert len(list((folder / "text_encoder").glob("model-*.safetensors"))) > 1
    model, same = open_model(folder), open_model(checkpoint("sd1"))
    assert torch.equal(model.condition(["a cat"]).tokens, same.condition(["a cat"]).tokens)
    assert torch.equal(model.network.conv_in.weight, same.network.conv_in.weight)


def test_weights_that_half_precision_cannot_hold_are_kept_in_float32(checkpoint: Checkpoint, tmp_path: Path) -> None:
    model = open_model(checkpoint("sd-tiny"))
    model.network.conv_in.weight[0, 0, 0, 0] = 1e5
    save_model(model, tmp_path / "saved")
    again = open_model(tmp_path / "saved")
    assert float(again.network.conv_in.weight.max()) == 1e5
    sizes = [
        sum(path.stat().st_size for path in (tmp_path / "saved" / part).glob("*.safetensors"))
        for part in ("unet", "vae")
    ]
    counts = [sum(p.numel() for p in part.parameters()) for part in (model.network, model.codec_network)]
    assert [round(size / count) for size, count in zip(sizes, counts, strict=True)] == [4, 2]


def test_opening_leaves_the_terminal_and_the_callers_settings_alone(
    checkpoint: Checkpoint, capfd: pytest.CaptureFixture[str]
) -> None:
    from diffusers.utils import logging

    folder = checkpoint("sd1")
    before = logging.get_verbosity()
    capfd.readouterr()
    open_model(folder)
    assert capfd.readouterr() == ("", "")
    assert logging.get_verbosity() == before
