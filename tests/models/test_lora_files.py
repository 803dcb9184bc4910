"""LoRA files of others: diffusers' weights with them are regrow's, in recipes by hash, and what fits not is named."""

import re
from collections.abc import Callable
from pathlib import Path

import diffusers
import gguf
import original_names
import pytest
import torch
from peft import LoraConfig
from peft.utils.save_and_load import get_peft_model_state_dict
from safetensors.torch import load_file, save_file

import regrow
from regrow.editing.replay import loras_of, recipe_in
from regrow.media.files import MediaError
from regrow.models.errors import ModelError
from regrow.models.open import add_single_file, open_model
from regrow.requests.generate import Generate

Checkpoint = Callable[[str], Path]
PIPELINES = {
    "ace-step": diffusers.AceStepPipeline,
    "sd1": diffusers.StableDiffusionPipeline,
    "sdxl": diffusers.StableDiffusionXLPipeline,
    "sd3": diffusers.StableDiffusion3Pipeline,
    "flux": diffusers.FluxPipeline,
    "flux-2-klein": diffusers.Flux2KleinPipeline,
    "chroma": diffusers.ChromaPipeline,
    "lumina-2": diffusers.Lumina2Pipeline,
    "qwen-image": diffusers.QwenImagePipeline,
    "sana": diffusers.SanaPipeline,
    "z-image": diffusers.ZImagePipeline,
}
TARGETS = ["to_k", "to_q", "to_v", "to_out.0"]
pytestmark = pytest.mark.usefixtures("home")


def made(folder: Path, name: str, out: Path, seed: int = 0) -> Path:
    """A LoRA file in diffusers' layout on the network's attention, with weights that change something."""
    pipeline = PIPELINES[name].from_pretrained(folder, local_files_only=True)
    part = "transformer" if hasattr(pipeline, "transformer") else "unet"
    network = getattr(pipeline, part)
    network.add_adapter(LoraConfig(r=2, lora_alpha=2, target_modules=TARGETS), "default")
    layers = get_peft_model_state_dict(network, adapter_name="default")
    generator = torch.Generator().manual_seed(seed)
    layers = {key: torch.randn(value.shape, generator=generator) / 4 for key, value in layers.items()}
    pipeline.save_lora_weights(out, **{f"{part}_lora_layers": layers})
    return out / "pytorch_lora_weights.safetensors"


def kohya(file: Path, out: Path) -> Path:
    """The same in kohya's layout, of Stable Diffusion 1.x."""
    state = {}
    for key, value in load_file(file).items():
        module, matrix = key.removeprefix("unet.").rsplit(".lora_" if ".lora_" in key else ".lora.", 1)
        name = f"lora_unet_{module.removesuffix('.processor').replace('.', '_')}"
        state[f"{name}.lora_{'down' if matrix.startswith(('A', 'down')) else 'up'}.weight"] = value
        state[f"{name}.alpha"] = torch.tensor(2.0)
    save_file(state, out)
    return out


@pytest.mark.parametrize("name", sorted(PIPELINES))
def test_the_weights_are_diffusers_own_with_two_files_of_different_scales(
    checkpoint: Checkpoint, name: str, tmp_path: Path
) -> None:
    folder = checkpoint(name)
    files = [made(folder, name, tmp_path / str(seed), seed) for seed in (1, 2)]
    model = open_model(folder, lora=[f"{files[0]}:0.8", str(files[1])])
    theirs = PIPELINES[name].from_pretrained(folder, local_files_only=True)
    for file, adapter in zip(files, "ab", strict=True):
        theirs.load_lora_weights(load_file(file), adapter_name=adapter)
    theirs.set_adapters(["a", "b"], [0.8, 1.0])
    theirs.fuse_lora(adapter_names=["a", "b"])
    theirs.unload_lora_weights()
    network = theirs.transformer if hasattr(theirs, "transformer") else theirs.unet
    plain = open_model(folder)
    changed = 0
    for (key, ours), expected in zip(model.network.state_dict().items(), network.state_dict().values(), strict=True):
        torch.testing.assert_close(ours, expected)
        changed += not torch.equal(ours, plain.network.state_dict()[key])
    assert changed
    assert not any(parameter.requires_grad for parameter in model.network.parameters())


def test_kohya_s_layout_gives_the_same(checkpoint: Checkpoint, tmp_path: Path) -> None:
    folder = checkpoint("sd1")
    file = made(folder, "sd1", tmp_path / "own")
    first, second = (open_model(folder, lora=[str(one)]) for one in (file, kohya(file, tmp_path / "kohya.safetensors")))
    for ours, other in zip(first.network.parameters(), second.network.parameters(), strict=True):
        torch.testing.assert_close(ours, other)


def test_ace_step_s_own_layout_gives_the_same(checkpoint: Checkpoint, tmp_path: Path) -> None:
    folder = checkpoint("ace-step")
    file = made(folder, "ace-step", tmp_path / "own")
    spelt = {"to_q": "q_proj", "to_k": "k_proj", "to_v": "v_proj", "to_out.0": "o_proj"}
    state = {}
    for key, value in load_file(file).items():
        name = key.replace("transformer.", "base_model.model.")
        for ours, theirs in spelt.items():
            name = name.replace(f".{ours}.", f".{theirs}.")
        state[name] = value
    save_file(state, tmp_path / "peft.safetensors")
    assert any("q_proj" in key for key in state)
    first, second = (open_model(folder, lora=[str(one)]) for one in (file, tmp_path / "peft.safetensors"))
    for ours, other in zip(first.network.parameters(), second.network.parameters(), strict=True):
        torch.testing.assert_close(ours, other)


def test_a_result_names_the_file_by_hash_and_is_replayed_with_it_alone(checkpoint: Checkpoint, tmp_path: Path) -> None:
    folder = checkpoint("sd1")
    file = made(folder, "sd1", tmp_path / "lora")
    model = open_model(folder, lora=[f"{file}:0.5"])
    request = Generate("a cat", model=str(folder), steps=2, prompt_expansion="off")
    with_it, without = regrow.generate(request, model=model), regrow.generate(request, model=open_model(folder))
    assert not torch.equal(with_it.items[0], without.items[0])
    (path,) = with_it.save(tmp_path / "made.png")
    recipe = recipe_in(path)
    assert recipe["lora"][0]["scale"] == 0.5
    assert recipe["lora"][0]["file"] == file.name
    assert regrow.replay(path, folders=[file.parent, folder.parent]).identical
    with pytest.raises(MediaError, match=r"The source file pytorch_lora_weights\.safetensors is not in"):
        loras_of(recipe, tmp_path)
    made(folder, "sd1", tmp_path / "lora", seed=9)
    with pytest.raises(MediaError, match="has changed since the result was made"):
        loras_of(recipe, file.parent)
    assert model.content_hash != open_model(folder, lora=[f"{file}:0.6"]).content_hash


def test_what_is_no_lora_file_of_this_model_is_named(checkpoint: Checkpoint, tmp_path: Path) -> None:
    folder = checkpoint("sd1")
    file = made(folder, "sd1", tmp_path / "own")
    whole = folder / "unet" / "diffusion_pytorch_model.safetensors"
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(file.read_bytes()[:200])
    pickled = tmp_path / "lora.bin"
    pickled.write_bytes(b"x")
    extra = tmp_path / "extra.safetensors"
    state = load_file(file)
    name = next(key for key in state if key.endswith(("lora_B.weight", "lora.up.weight")))
    end = "lora_B.weight" if "lora_B" in name else "lora.up.weight"
    other = {key: value.clone() for key, value in state.items()}
    other |= {f"unet.no_such_block.to_q.{end}": torch.ones(8, 2)}
    other |= {f"unet.no_such_block.to_q.{end.replace('B', 'A').replace('up', 'down')}": torch.ones(2, 8)}
    save_file(other, extra)
    halves = {}
    for half, key in (("first", name), ("second", name.replace("B", "A").replace("up", "down"))):
        halves[half] = tmp_path / f"{half}.safetensors"
        save_file({other: value.clone() for other, value in state.items() if other != key}, halves[half])
    broken, forms, scaled = (tmp_path / f"{each}.safetensors" for each in ("broken", "forms", "scaled"))
    save_file({**state, name: torch.full_like(state[name], torch.nan)}, broken)
    save_file({"lora_unet_x.hada_w1_a": torch.ones(8, 2)}, forms)
    save_file({**state, f"{name.removesuffix(f'.{end}')}.dora_scale": torch.ones(8, 1)}, scaled)
    for given, sentence in (
        (str(halves["first"]), f"first.safetensors is damaged: it lacks {re.escape(name)}, which belongs to "),
        (str(halves["second"]), f"second.safetensors is damaged: it lacks .*, which belongs to {re.escape(name)}: "),
        (str(broken), f"broken.safetensors holds NaN or infinite numbers in {re.escape(name)}"),
        (str(forms), "holds layers of LyCORIS .*, which are not supported: use a plain LoRA"),
        (str(scaled), r"(magnitudes \(DoRA\)|does not fit)"),
        (
            str(tmp_path / "none.safetensors"),
            "There is no LoRA file .*none.safetensors: write --lora FILE",
        ),
        (f"{file}:99", "The scale of a LoRA file must be from -10 to 10"),
        (str(whole), r"is not a LoRA file but a network in the layout of diffusers.*--base MODEL"),
        (str(cut), "is damaged, or not a safetensors file"),
        (str(pickled), "is not a .safetensors file"),
        (
            str(extra),
            r"(is for another model: of its \d+ layers, \d+ fit|does not fit.*it is of another model)",
        ),
        (str(made(checkpoint("sdxl"), "sdxl", tmp_path / "xl")), "(for|of) another model"),
    ):
        with pytest.raises(ModelError, match=sentence):
            open_model(folder, lora=[given])
    with pytest.raises(ModelError, match=r"\(stable-audio\) cannot use LoRA files: leave --lora out"):
        open_model(checkpoint("stable-audio"), lora=[str(file)])


def test_a_colon_in_a_name_is_no_scale(checkpoint: Checkpoint, tmp_path: Path) -> None:
    folder = checkpoint("sd1")
    file = made(folder, "sd1", tmp_path / "own")
    odd = file.rename(tmp_path / "a:b.safetensors")
    assert open_model(folder, lora=[str(odd)]).loras[0].path == odd


def test_layers_stay_beside_quantised_weights(checkpoint: Checkpoint, tmp_path: Path) -> None:
    folder = checkpoint("sd3")
    kind = gguf.GGMLQuantizationType.Q8_0
    writer = gguf.GGUFWriter(tmp_path / "small.gguf", "sd3")
    whole = folder / "transformer" / "diffusion_pytorch_model.safetensors"
    for name, tensor in original_names.sd3_transformer(load_file(whole), "").items():
        fits = tensor.ndim == 2 and tensor.shape[1] % 32 == 0
        chosen = kind if fits else gguf.GGMLQuantizationType.F32
        writer.add_tensor(name, gguf.quants.quantize(tensor.numpy(), chosen), raw_dtype=chosen)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    add_single_file(tmp_path / "small.gguf", "small", str(folder))
    files = [f"{made(folder, 'sd3', tmp_path / str(seed), seed)}:{scale}" for seed, scale in ((1, 0.5), (2, 1.0))]
    x = torch.randn(1, *open_model(folder).latent_shape(*open_model(folder).size), generator=torch.manual_seed(0))

    def answer(name: str, lora: list[str]) -> torch.Tensor:
        model = open_model(name, lora=lora)
        return model.forward(x, torch.tensor([500.0]), model.condition(["a cat"]))

    for lora in ([], files[:1], files):
        torch.testing.assert_close(answer("small", lora), answer(str(folder), lora), atol=0.1, rtol=0)
    assert not torch.allclose(answer("small", []), answer("small", files), atol=0.3, rtol=0)
    assert not torch.allclose(answer("small", files[:1]), answer("small", files), atol=0.2, rtol=0)
