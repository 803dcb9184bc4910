"""What a checkpoint takes here: of the table, and of folders, from the headers of their weights."""

import json
import shutil
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoints import edit_json
from safetensors.torch import load_file, save_file

from regrow.hub import fit as fit_module
from regrow.hub.fit import SHARE, WORKING, fit
from regrow.hub.fit_settings import Place, settings_of, ways_of
from regrow.hub.known import known
from regrow.hub.sizes import sizes_of
from regrow.interfaces.cli import main
from regrow.models.errors import ModelError
from regrow.models.memory.free import LEFT
from regrow.models.open import open_model, user_models

Checkpoint = Callable[[str], Path]
pytestmark = pytest.mark.usefixtures("home")


def peak() -> float:
    return 1e12


def never() -> float:
    raise AssertionError("nothing is estimated here")


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    main(["models", "fit", *arguments])
    return capsys.readouterr().out


def test_a_known_checkpoint_is_measured_by_its_parts() -> None:
    found, row = fit("stable-audio-open-1.0", peak), known("stable-audio-open-1.0")
    assert row.parameters
    assert found.weights("float32") == 4 * row.parameters == found.download
    assert found.weights("bfloat16") == 2 * row.parameters
    by_role = [found.weights("float32", role) or 0 for role in ("network", "words", "codec")]
    assert sum(by_role) == found.weights("float32")
    assert by_role[0] == 4 * 1_056_939_136
    assert found.time
    assert found.time.seconds == pytest.approx(row.network.flops / (1e12 * SHARE))
    assert found.time.calls == 200  # guided: each of 100 steps is two


def test_what_fits_follows_from_the_weights() -> None:
    found = fit("sd3-medium", peak)
    whole, network = found.weights("bfloat16"), found.weights("bfloat16", "network")
    assert whole
    assert network
    assert found.fits(int(whole * WORKING) + 1, "bfloat16") == "yes"
    assert found.fits(int(whole * WORKING) - 1, "bfloat16") == "network only"
    assert found.fits(int(network * WORKING) - 1, "bfloat16") == "no"
    unsure = fit("stable-audio-3-medium", peak)
    assert unsure.fits(10**12, "bfloat16") == "unknown"
    assert unsure.fits(10**9, "bfloat16") == "no"  # for the network alone is too large
    assert fit("ace-step-1.5-xl-turbo", never).time is None


@pytest.mark.parametrize("name", ["sd-tiny", "stable-audio", "dance-diffusion", "mel-unet", "latent-mel-unet", "ddpm"])
def test_a_folder_is_measured_without_its_weights(checkpoint: Checkpoint, name: str) -> None:
    family, sizes = sizes_of(checkpoint(name))
    model = open_model(checkpoint(name))
    assert family.name == model.family
    buffers = {part: sum(b.numel() for b in model.parts[part].buffers()) for part in model.parts if part != "tokenizer"}
    for size in sizes:
        opened = model.parts.weights(size.name)
        assert opened <= size.parameters <= opened + buffers[size.name]
        assert size.stored == 4 * size.parameters
    assert [size.name for size in sizes if size.role == "network"] == [model.NETWORK]
    assert {size.role for size in sizes if size.name in ("vae", "vqvae")} <= {"codec"}


def test_a_model_that_is_here_is_found_by_name_and_folder(checkpoint: Checkpoint) -> None:
    folder = shutil.copytree(checkpoint("sd-tiny"), user_models() / "mine")
    (folder / "training.json").write_text(json.dumps({"license": "cc-by-4.0"}))
    by_name, by_folder = fit("mine", never), fit(str(folder), never)
    assert by_name.parts == by_folder.parts
    assert (by_name.download, by_name.licence, by_name.known, by_name.folder) == (0, "cc-by-4.0", None, folder)
    assert by_name.disk == sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_a_folder_with_a_known_network_is_timed_as_that(checkpoint: Checkpoint, tmp_path: Path) -> None:
    folder = shutil.copytree(checkpoint("dance-diffusion"), tmp_path / "large")
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    row = known("dance-diffusion-maestro")
    header = {"all": {"dtype": "F32", "shape": [row.parameters], "data_offsets": [0, 4 * (row.parameters or 0)]}}
    encoded = json.dumps(header).encode()
    weights.write_bytes(struct.pack("<Q", len(encoded)) + encoded)  # a header alone: no weight is read
    found = fit(str(folder), peak)
    assert found.weights("float32", "network") == row.download
    assert found.time
    assert found.time.flops == row.network.flops


def test_a_whole_file_counts_and_its_variants_do_not(checkpoint: Checkpoint, tmp_path: Path) -> None:
    folder = shutil.copytree(checkpoint("sd-tiny"), tmp_path / "model")
    _, before = sizes_of(folder)
    whole = folder / "unet" / "diffusion_pytorch_model.safetensors"
    half = {name: tensor.half() for name, tensor in load_file(whole).items()}
    save_file(half, folder / "unet" / "diffusion_pytorch_model.fp16.safetensors", {"format": "pt"})
    assert sizes_of(folder)[1] == before
    whole.unlink()
    _, after = sizes_of(folder)
    assert (after[0].parameters, 2 * after[0].stored) == (before[0].parameters, before[0].stored)


def test_shards_are_added_up(checkpoint: Checkpoint, tmp_path: Path) -> None:
    folder = shutil.copytree(checkpoint("sd-tiny"), tmp_path / "model")
    _, before = sizes_of(folder)
    whole = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights = list(load_file(whole).items())
    for i, part in enumerate((weights[:9], weights[9:])):
        save_file(dict(part), whole.with_name(f"diffusion_pytorch_model-0000{i + 1}-of-00002.safetensors"))
    whole.unlink()
    assert sizes_of(folder)[1] == before


def test_what_cannot_be_measured_is_one_sentence(checkpoint: Checkpoint, tmp_path: Path) -> None:
    with pytest.raises(
        ValueError,
        match=r"There is no model 'storybok' here, and no known checkpoint of that name.* did you mean storybook",
    ):
        fit("storybok", never)
    folder = shutil.copytree(checkpoint("ddpm"), tmp_path / "model")
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(b"\xff" * 100)
    with pytest.raises(ModelError, match=r"model\.safetensors is damaged"):
        fit(str(folder), never)
    torch.save({}, weights.with_suffix(".bin"))
    weights.unlink()
    with pytest.raises(ModelError, match="has no safetensors files, whose headers give the size of a model"):
        fit(str(folder), never)
    edit_json(folder / "model_index.json", _class_name="NoSuchPipeline", unet=[None, None])
    with pytest.raises(ModelError, match="describes a NoSuchPipeline, which regrow does not support"):
        fit(str(folder), never)


def test_the_command_says_it_in_sentences(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regrow.interfaces.fit_verb.matrix_peak", peak)
    monkeypatch.setattr(fit_module, "_memory", lambda: 16 * 10**9)
    said = printed(capsys, "stable-audio-open-1.0")
    for part in (
        "stabilityai/stable-audio-open-1.0; the hub asks for a log-in and a consent first",
        "Stability AI Community License",
        "about 5.3 GB",
        "float32: 5.3 GB (network 4.2 GB, text encoders 440.1 MB, codec 624.5 MB)",
        "bfloat16: 2.6 GB",
        "this machine (16.0 GB) in float32: yes",
        "8 GB card in bfloat16: yes",
        "about 4.5 s for 47.6 s of sound, 15 min for 100 steps of two calls; an estimate: 2,272 Gflop at 50% of the",
        "regrow models pull stabilityai/stable-audio-open-1.0",
    ):
        assert part in said
    unsure = printed(capsys, "stable-audio-3-medium")
    assert "unknown: not every part could be counted" in unsure
    assert "not counted: text_encoder: unknown" in unsure
    assert "--checkpoint_path stabilityai/stable-audio-3-medium " in unsure
    monkeypatch.setattr(fit_module, "_memory", lambda: None)
    assert "this machine (unknown) in float32: unknown" in printed(capsys, "sdxl")


def test_the_command_says_it_in_json(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regrow.interfaces.fit_verb.matrix_peak", peak)
    facts: dict[str, Any] = json.loads(printed(capsys, "ace-step-1.5", "--json"))
    assert (facts["hub"], facts["licence"], facts["layout"]) == ("ACE-Step/Ace-Step1.5", "MIT", "its own")
    assert facts["weights"]["bfloat16"]["network"] == 2 * 1_575_458_880
    assert facts["fits"]["8 GB card"] == "yes"
    assert facts["call"]["seconds"] == pytest.approx(facts["call"]["flops"] / (1e12 * SHARE))
    assert facts["machine_memory"] > 10**8
    here = json.loads(printed(capsys, "storybook", "--json"))
    assert (here["hub"], here["download"], here["call"]) == (None, 0, None)
    assert Path(here["folder"]).is_dir()


def test_the_settings_that_fit_are_the_fastest_for_each_way_to_store_the_weights() -> None:
    found = fit("sd3-medium", peak)
    sizes = {role: found.weights("bfloat16", role) or 0 for role in ("network", "words", "codec")}
    whole, largest = sum(sizes.values()), max(sizes.values())
    roomy, tight = Place("a", 10**12, True), Place("b", round(WORKING * largest / LEFT) + 1, True)
    assert {setting.how for setting in settings_of(found, roomy)} == {"at once"}
    by_stored = {setting.stored: setting for setting in settings_of(found, tight)}
    half = by_stored["bfloat16"]
    assert (half.how, half.needs, half.fits) == ("in turn", round(WORKING * largest), True)
    assert not by_stored["float32"].fits
    card = replace(tight, is_cpu=False)
    assert {setting.stored: setting.how for setting in settings_of(found, card)} == {
        "float32": "layers", "bfloat16": "parts", "float8": "parts", "4 bits": "parts"
    }  # fmt: skip
    eight = next(way for way in ways_of(found, roomy, "float8") if way.how == "at once")
    assert eight.needs == round(WORKING * (whole - sizes["network"] / 2))
    assert settings_of(fit("stable-audio-3-medium", peak), roomy) == []


def test_a_checkpoint_in_one_file_is_measured_where_it_is(tmp_path: Path) -> None:
    file, prefix = tmp_path / "photo.safetensors", "cond_stage_model.transformer.text_model"
    numbers = {
        "model.diffusion_model.input_blocks.0.0.weight": torch.zeros(10, 4),
        "first_stage_model.decoder.conv_in.weight": torch.zeros(3, 4),
        f"{prefix}.final_layer_norm.weight": torch.zeros(6),
    }
    save_file(numbers, file)
    found = fit(str(file), peak)
    assert [(part.name, part.parameters) for part in found.parts] == [("unet", 40), ("vae", 12), ("text_encoder", 6)]
    assert found.disk is not None
    assert found.disk > file.stat().st_size


def test_a_step_is_measured_of_a_model_that_is_here(
    checkpoint: Checkpoint, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regrow.interfaces.fit_verb.matrix_peak", peak)
    facts = json.loads(printed(capsys, str(checkpoint("sdxl")), "--measure", "--dtype", "float8", "--json"))
    measured = facts["measured"]
    assert (measured["extent"], measured["device"], measured["computed_by"]) == ([16, 16], "cpu", "torch float8")
    assert 0 < measured["seconds"] < measured["opening"]
    assert {setting["parts"] for setting in facts["settings"] if setting["place"] == "8 GB card"} == {"at once"}
    with pytest.raises(SystemExit):
        main(["models", "fit", "sdxl", "--measure"])
    assert "sdxl is not here, so no step can be measured" in capsys.readouterr().err
