"""Checkpoints in one file: the same model as their folder, whatever names their makers gave to the weights."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import gguf
import original_names
import pytest
import torch
import transformers
from checkpoints import sd1, sd2
from diffusers.loaders.single_file_model import SINGLE_FILE_LOADABLE_CLASSES
from safetensors.torch import load_file, save_file
from tiny.qwen_image import qwen_image
from tiny.riffusion import riffusion
from tiny.stable_diffusion_3 import sd3
from tiny.stable_diffusion_xl import sdxl
from torch import Tensor

from regrow.core.progress import finish
from regrow.editing.generate import generate
from regrow.media.home import home
from regrow.models.model import Model, ModelError
from regrow.models.open import add_single_file, list_models, open_model, user_models
from regrow.models.single_files.folders import add_folder, added_folders, forget_folder
from regrow.models.single_files.header import Header
from regrow.models.single_files.kinds import PREFIX, kind_of
from regrow.models.single_files.layouts import layout, layout_names
from regrow.models.single_files.view import cached_view, read_notes
from regrow.requests.generate import Generate

pytestmark = pytest.mark.usefixtures("home")
State = dict[str, Tensor]


def assert_alike(one: torch.Tensor, other: torch.Tensor) -> None:
    """Weights that lie elsewhere in memory are summed up in another order on some machines; random ones amplify it."""
    assert one.shape == other.shape
    assert float((one - other).std()) < 0.1 * float(other.std())  # other weights give 1.4


def assert_same_weights(one: Model, other: Model) -> None:
    for part in other.parts:
        if isinstance(other.parts[part], torch.nn.Module):
            first, second = one.parts[part].state_dict(), other.parts[part].state_dict()
            assert list(first) == list(second)
            assert all(torch.equal(first[name], second[name]) for name in first), part


def weights(folder: Path, part: str) -> State:
    """The weights of a part of a folder."""
    return {name: t for path in (folder / part).glob("*.safetensors") for name, t in load_file(path).items()}


def sd_1_file(folder: Path) -> State:
    words = original_names.clip(weights(folder, "text_encoder"), "cond_stage_model.transformer.")
    return original_names.sd_unet(weights(folder, "unet"), 1) | original_names.vae(weights(folder, "vae")) | words


def sdxl_file(folder: Path) -> State:
    first = original_names.clip(weights(folder, "text_encoder"), "conditioner.embedders.0.transformer.")
    second = original_names.open_clip(weights(folder, "text_encoder_2"), "conditioner.embedders.1.model.")
    return (
        original_names.sd_unet(weights(folder, "unet"), 1) | original_names.vae(weights(folder, "vae")) | first | second
    )


def sd3_file(folder: Path) -> State:
    clips = {"text_encoder": "clip_l", "text_encoder_2": "clip_g"}
    words: State = {}
    for part, name in clips.items():
        words |= original_names.clip(weights(folder, part), f"text_encoders.{name}.transformer.")
    third = weights(folder, "text_encoder_3")
    words |= {f"text_encoders.t5xxl.transformer.{name}": tensor for name, tensor in third.items()}
    # the published file of the first encoder has no projection: that of Stable Diffusion 3 changes nothing
    words.pop("text_encoders.clip_l.transformer.text_projection.weight")
    return (
        original_names.sd3_transformer(weights(folder, "transformer"))
        | original_names.vae(weights(folder, "vae"))
        | words
    )


def sd3_plain(folder: Path) -> Path:
    """Stable Diffusion 3 whose first encoder's projection changes nothing, as in a single file."""
    path = sd3(folder) / "text_encoder" / "model.safetensors"
    state = load_file(path)
    save_file(
        state | {"text_projection.weight": torch.eye(len(state["text_projection.weight"]))}, path, {"format": "pt"}
    )
    return folder


FORMS: dict[str, tuple[Callable[[Path], Path], Callable[[Path], State]]] = {
    "sd-1": (sd1, sd_1_file),
    "sdxl": (sdxl, sdxl_file),
    "sd3": (sd3_plain, sd3_file),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_file_makes_the_same_as_its_folder(form: str, tmp_path: Path) -> None:
    build, write = FORMS[form]
    folder = build(tmp_path / "folder")
    save_file(write(folder), tmp_path / "mine.safetensors")
    added = add_single_file(tmp_path / "mine.safetensors", "mine", str(folder))
    model, whole = open_model("mine"), open_model(folder)
    assert_same_weights(model, whole)
    assert model.parts.weights("vae") == whole.parts.weights("vae")
    request = Generate(prompt="a cat", model="mine", steps=2)
    (one,), (other,) = (finish(generate(request, opened)).items for opened in (model, whole))
    assert_alike(one, other)
    assert sum(path.stat().st_size for path in added.rglob("*")) < 500_000
    # a second opening reads no weight
    again = open_model("mine")
    assert not again.parts.opened
    assert again.content_hash == model.content_hash


@pytest.mark.parametrize("name", layout_names())
def test_the_carried_configs_are_those_of_the_published_files(name: str) -> None:
    """Full-size networks without numbers: names and shapes there and back, and the published count of weights."""
    made = layout(name)
    state: State = {}
    for part, kind in made.classes.items():
        if part == "scheduler" or part.startswith("tokenizer"):
            continue
        with torch.device("meta"):
            config = dict(made.configs[part])
            if part.startswith("text_encoder"):
                module = getattr(transformers, kind)(getattr(transformers, kind).config_class(**config))
            else:
                module = getattr(diffusers, kind).from_config(config)
        own = module.state_dict()
        written = _as_published(name, made.roles.get(part, part), part, own)
        if not part.startswith("text_encoder"):
            back = SINGLE_FILE_LOADABLE_CLASSES[kind]["checkpoint_mapping_fn"](dict(written), config=module.config)
            assert {key: tensor.shape for key, tensor in back.items()} == {key: t.shape for key, t in own.items()}
        state |= written
        if (part, name) in PUBLISHED:
            assert sum(parameter.numel() for parameter in module.parameters()) == PUBLISHED[part, name]
    file = {"flux-kontext": "flux1-kontext-dev", "sd-2": "512-base-ema"}.get(name, "model")
    kind_there = kind_of(Header(Path(f"{file}.safetensors"), {key: tuple(t.shape) for key, t in state.items()}))
    assert kind_there.layout == name
    assert set(kind_there.parts) == set(made.roles) | {"unet" if "unet" in made.classes else "transformer"}


PUBLISHED = {
    ("unet", "sd-1"): 859_520_964,
    ("unet", "sd-2"): 865_910_724,
    ("unet", "sdxl"): 2_567_463_684,
    ("transformer", "sd3"): 2_028_328_000,
    ("transformer", "sd3.5-large"): 8_056_627_520,
    ("transformer", "flux-dev"): 11_901_408_320,
    ("text_encoder_2", "sdxl"): 694_659_840,
    ("text_encoder_3", "sd3"): 4_762_310_656,
}
"""Counts of weights that are known of the published checkpoints."""


def _as_published(name: str, role: str, part: str, state: State) -> State:
    if part == "unet":
        return original_names.sd_unet(state, 2)
    if part == "vae":
        return original_names.vae(state)
    if part == "transformer":
        write = original_names.sd3_transformer if name.startswith("sd3") else original_names.flux_transformer
        return write(state, "model.diffusion_model.")
    if name.startswith("sd-1"):
        return original_names.clip(state, "cond_stage_model.transformer.")
    if name.startswith("sd-2"):
        return original_names.open_clip(state, "cond_stage_model.model.")
    if name.startswith("sdxl") and part == "text_encoder":
        return original_names.clip(state, "conditioner.embedders.0.transformer.")
    if name.startswith("sdxl"):
        return original_names.open_clip(state, "conditioner.embedders.1.model.")
    prefix = {"clip-l": "clip_l", "clip-g": "clip_g", "t5-xxl": "t5xxl"}[role]
    plain = state if role == "t5-xxl" else original_names.clip(state, "")
    return {f"text_encoders.{prefix}.transformer.{key}": tensor for key, tensor in plain.items()}


def test_words_are_read_by_the_carried_vocabularies(tmp_path: Path) -> None:
    from regrow.models.single_files.layouts import write_tokenizer

    write_tokenizer(tmp_path, layout("sd-1").configs["tokenizer"])
    clip = transformers.CLIPTokenizer.from_pretrained(tmp_path)
    assert clip("a photo of a cat").input_ids == [49406, 320, 1125, 539, 320, 2368, 49407]
    assert clip("", padding="max_length").input_ids == [49406, *[49407] * 76]
    (tmp_path / "second").mkdir()
    write_tokenizer(tmp_path / "second", layout("sdxl").configs["tokenizer_2"])
    second = transformers.CLIPTokenizer.from_pretrained(tmp_path / "second")
    assert second("", padding="max_length").input_ids == [49406, 49407, *[0] * 75]
    (tmp_path / "third").mkdir()
    write_tokenizer(tmp_path / "third", layout("flux-dev").configs["tokenizer_2"])
    t5 = transformers.T5TokenizerFast.from_pretrained(tmp_path / "third")
    ids = [13959, 1566, 12, 2968, 10, 37, 629, 19, 1627, 5, 1]
    assert t5("translate English to German: The house is wonderful.").input_ids == ids


@pytest.mark.parametrize("quantised", ["F16", "Q8_0"])
def test_a_gguf_transformer_computes_as_the_weights_that_it_holds(quantised: str, tmp_path: Path) -> None:
    folder = sd3(tmp_path / "folder")
    kind = getattr(gguf.GGMLQuantizationType, quantised)
    writer = gguf.GGUFWriter(tmp_path / "small.gguf", "sd3")
    rounded: State = {}
    for name, tensor in original_names.sd3_transformer(weights(folder, "transformer"), "").items():
        # what is not a matrix of whole blocks stays as it is, as in the files that are handed out
        fits = tensor.ndim == 2 and tensor.shape[1] % 32 == 0
        data = gguf.quants.quantize(tensor.numpy(), kind if fits else gguf.GGMLQuantizationType.F32)
        writer.add_tensor(name, data, raw_dtype=kind if fits else gguf.GGMLQuantizationType.F32)
        rounded[name] = torch.from_numpy(gguf.quants.dequantize(data, kind)) if fits else tensor
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    save_file(rounded, tmp_path / "rounded.safetensors")
    for name in ("small.gguf", "rounded.safetensors"):
        add_single_file(tmp_path / name, name.partition(".")[0], str(folder))
    request = Generate(prompt="a cat", model="small", steps=2)
    first, second = (finish(generate(request, open_model(name))).items[0] for name in ("small", "rounded"))
    torch.testing.assert_close(first, second, atol=2 / 255, rtol=0)
    assert open_model("small").parts.weights("transformer") == sum(tensor.numel() for tensor in rounded.values())


def test_riffusion_in_one_file_is_a_model_of_sounds(tmp_path: Path) -> None:
    folder = riffusion(tmp_path / "riffusion-folder")
    save_file(sd_1_file(folder), tmp_path / "riffusion-model-v1.safetensors")
    add_single_file(tmp_path / "riffusion-model-v1.safetensors", "riffusion-model-v1", str(folder))
    model = open_model("riffusion-model-v1")
    assert (model.family, model.medium.name) == ("riffusion", "sound")
    request = Generate(prompt="a piano", model="riffusion-model-v1", steps=2)
    whole = open_model(folder)
    assert_same_weights(model, whole)
    first, second = (finish(generate(request, opened)).items[0] for opened in (model, whole))
    assert_alike(first, second)
    # one that lies among the user's models is listed as one of sounds by its name alone
    user_models().mkdir(parents=True, exist_ok=True)
    (tmp_path / "riffusion-model-v1.safetensors").rename(user_models() / "riffusion-file.safetensors")
    listed = next(listed for listed in list_models() if listed.name == "riffusion-file")
    assert (listed.family, listed.medium.name) == ("riffusion", "sound")


def test_files_in_an_added_folder_are_opened_by_name(tmp_path: Path) -> None:
    comfy = tmp_path / "ComfyUI" / "models"
    folder = sd1(tmp_path / "folder")
    (comfy / "checkpoints").mkdir(parents=True)
    (comfy / "loras").mkdir()
    save_file(sd_1_file(folder), comfy / "checkpoints" / "painted.safetensors")
    save_file({"lora_unet_x.lora_down.weight": torch.zeros(2, 2)}, comfy / "loras" / "style.safetensors")
    assert [file.path.name for file in add_folder(comfy)] == ["painted.safetensors", "style.safetensors"]
    assert added_folders() == [comfy]
    listed = next(model for model in list_models() if model.name == "painted")
    assert (listed.family, listed.folder) == ("stable-diffusion", comfy / "checkpoints" / "painted.safetensors")
    with pytest.raises(
        ModelError, match="it is of another model, or damaged"
    ):  # tiny weights, and the published configs
        open_model("painted")
    assert forget_folder(comfy)
    assert not added_folders()
    assert (comfy / "checkpoints" / "painted.safetensors").is_file()


def test_float8_weights_with_a_scale_are_multiplied(tmp_path: Path) -> None:
    folder = sd1(tmp_path / "folder")
    state = sd_1_file(folder)
    name = next(name for name in state if name.endswith("attn1.to_q.weight"))
    scale = state[name].abs().max() / 448
    scaled = state | {
        name: (state[name] / scale).to(torch.float8_e4m3fn),
        name.replace(".weight", ".scale_weight"): scale,
        "model.diffusion_model.scaled_fp8": torch.zeros(0, dtype=torch.float8_e4m3fn),
    }
    save_file(scaled, tmp_path / "small.safetensors")
    add_single_file(tmp_path / "small.safetensors", "small", str(folder))
    ours, exact = (open_model(one).parts["unet"].state_dict() for one in ("small", folder))
    changed = [key for key in ours if not torch.equal(ours[key], exact[key])]
    assert len(changed) == 1
    # float8 keeps 3 bits behind the first, bfloat16 7
    torch.testing.assert_close(ours[changed[0]], exact[changed[0]], rtol=0.07, atol=float(scale))


NOT_CHECKPOINTS: dict[str, tuple[dict[str, Any], str]] = {
    "lora": ({"lora_unet_mid.lora_down.weight": (4, 320)}, "is not a checkpoint but a LoRA file.*--model NAME --lora"),
    "peft": ({"unet.mid.to_q.lora_A.weight": (4, 320)}, "a LoRA file"),
    "embedding": ({"emb_params": (2, 768)}, "an embedding.*--embedding FILE"),
    "embedding-xl": ({"clip_l": (2, 768), "clip_g": (2, 1280)}, "an embedding"),
    "diffusers-embedding": ({"<cat>": (768,)}, "an embedding"),
    "ip-adapter": ({"image_proj.proj.weight": (8, 8), "ip_adapter.1.to_k_ip.weight": (8, 8)}, "an IP-Adapter"),
    "control": ({"control_model.input_hint_block.0.weight": (16, 3, 3, 3)}, "a ControlNet"),
    "vae": ({"encoder.conv_in.weight": (8, 3, 3, 3), "decoder.conv_in.weight": (8, 4, 3, 3)}, "a VAE, the codec alone"),
    "clip": (
        {"text_model.embeddings.position_embedding.weight": (77, 768), "x": (1,)},
        "CLIP's text encoder L. It is only a part",
    ),
    "refiner": (
        {"conditioner.embedders.0.model.text_projection": (8, 8), "model.diffusion_model.x": (2,)},
        "refiner, which regrow cannot open",
    ),
    "upscaler": (
        {"model.0.weight": (8, 3, 3, 3), "model.1.sub.0.RDB1.conv1.0.weight": (8, 8, 3, 3), "c": (1,)},
        "an upscaler",
    ),
    "film": ({"patchify_proj.weight": (8, 8), "x": (1,), "y": (1,)}, "LTX-Video, which regrow cannot open"),
    "z-image": (
        {"layers.0.adaLN_modulation.0.weight": (9, 9), "a": (1,), "b": (1,)},
        "transformer of Z-Image alone.*--base",
    ),
    "chroma": (
        {"model.diffusion_model.distilled_guidance_layer.in_proj.bias": (9,), "a.b": (1,), "c": (1,)},
        "transformer of Chroma alone.*--base",
    ),
    "unknown": ({"what.is.this": (3, 3, 3)}, "a file with tensors of an unknown kind"),
}


@pytest.mark.parametrize("kind", NOT_CHECKPOINTS)
def test_what_is_no_checkpoint_is_named(kind: str, tmp_path: Path) -> None:
    shapes, sentence = NOT_CHECKPOINTS[kind]
    path = tmp_path / "file.safetensors"
    save_file({name: torch.zeros(shape) for name, shape in shapes.items()}, path)
    with pytest.raises(ModelError, match=sentence) as caught:
        open_model(path)
    assert "convert" not in str(caught.value)


def test_damaged_files_are_one_sentence(tmp_path: Path) -> None:
    whole = tmp_path / "whole.safetensors"
    save_file({"model.diffusion_model.input_blocks.0.0.weight": torch.zeros(320, 4, 3, 3)}, whole)
    cut, noise = tmp_path / "cut.safetensors", tmp_path / "noise.safetensors"
    cut.write_bytes(whole.read_bytes()[:-100])
    noise.write_bytes(b"\xff" * 1000)
    for path, sentence in ((cut, "its last 100 bytes are missing"), (noise, "is damaged, or not a safetensors file")):
        with pytest.raises(ModelError, match=sentence):
            open_model(path)
    with pytest.raises(ModelError, match=r"holds only the unet of Stable Diffusion 1.*text_encoder and vae.*--base"):
        open_model(whole)
    pickle = tmp_path / "old.ckpt"
    torch.save({"state_dict": {}}, pickle)
    with pytest.raises(ModelError, match="is a pickle"):
        open_model(pickle)


def test_a_pickle_opens_when_it_is_allowed(tmp_path: Path) -> None:
    folder = sd1(tmp_path / "folder")
    torch.save({"state_dict": sd_1_file(folder)}, tmp_path / "old.ckpt")
    add_single_file(tmp_path / "old.ckpt", "old", str(folder), allow_pickle=True)
    first = open_model("old", allow_pickle=True).parts["unet"].state_dict()
    second = open_model(folder).parts["unet"].state_dict()
    assert all(torch.equal(first[name], second[name]) for name in second)
    with pytest.raises(ModelError, match="is a pickle"):
        open_model("old")


def test_a_weight_too_few_or_too_many_is_named(tmp_path: Path) -> None:
    folder = sd1(tmp_path / "folder")
    state = sd_1_file(folder)
    lacking = "model.diffusion_model.middle_block.0.in_layers.2.bias"
    save_file({name: t for name, t in state.items() if name != lacking}, tmp_path / "less.safetensors")
    save_file(state | {f"{lacking[:-6]}9.weight": torch.zeros(2)}, tmp_path / "more.safetensors")
    for name, what in (
        ("less", r"lacks mid_block\.resnets\.0\.conv1\.bias"),
        ("more", r"holds tensors that the config does not have: mid_block\.resnets\.0\."),
    ):
        add_single_file(tmp_path / f"{name}.safetensors", name, str(folder))
        with pytest.raises(ModelError, match=f"{what}.*: it is of another model, or damaged"):
            open_model(name)


def test_a_network_or_a_codec_alone_takes_the_place_of_its_base_s(tmp_path: Path) -> None:
    folder, other = sd1(tmp_path / "folder"), sd2(tmp_path / "other")
    for part in ("unet", "vae"):
        state = weights(other, part) if part == "unet" else original_names.vae(weights(other, part), "")
        save_file(state, tmp_path / f"{part}.safetensors")
        with pytest.raises(ModelError, match="is not a checkpoint but a"):
            open_model(tmp_path / f"{part}.safetensors")
        add_single_file(tmp_path / f"{part}.safetensors", part, str(other if part == "unet" else folder))
        opened, exact = open_model(part).parts[part].state_dict(), open_model(other).parts[part].state_dict()
        assert all(torch.equal(opened[name], exact[name]) for name in exact)
    words = open_model("vae").parts["text_encoder"].state_dict()
    assert all(torch.equal(words[name], t) for name, t in open_model(folder).parts["text_encoder"].state_dict().items())


@pytest.mark.parametrize("prefix", ["", "model.diffusion_model."])
def test_a_transformer_in_diffusers_own_names_is_added_to_its_base(prefix: str, tmp_path: Path) -> None:
    folder = qwen_image(tmp_path / "folder")
    state = {prefix + name: tensor for name, tensor in weights(folder, "transformer").items()}
    save_file(state, tmp_path / "qwen.safetensors")
    with pytest.raises(ModelError, match="the transformer of Qwen-Image alone"):
        open_model(tmp_path / "qwen.safetensors")
    add_single_file(tmp_path / "qwen.safetensors", "qwen", str(folder))
    opened, exact = (open_model(name).parts["transformer"].state_dict() for name in ("qwen", folder))
    assert all(torch.equal(opened[name], exact[name]) for name in exact)


def test_parts_are_taken_from_files_beside_it(tmp_path: Path) -> None:
    """As FLUX.1 is handed out: the transformer alone; here so much of each that its kind can be told."""
    transformer = {
        "double_blocks.0.img_attn.norm.key_norm.scale": (128,),
        "img_in.weight": (8, 64),
        "final_layer.linear.weight": (64, 8),
        "guidance_in.in_layer.bias": (8,),
    }
    files = {
        "flux1-dev": transformer,
        "clip_l": {"text_model.embeddings.position_embedding.weight": (77, 768), "x": (1,)},
        "t5xxl_fp8": {"encoder.block.0.layer.0.SelfAttention.q.weight": (8, 4096), "x": (1,)},
    }
    for name, shapes in files.items():
        save_file({key: torch.zeros(shape) for key, shape in shapes.items()}, tmp_path / f"{name}.safetensors")
    missing = r"holds only the transformer of FLUX\.1 dev\. Missing beside it and in added folders: vae\. Put"
    with pytest.raises(ModelError, match=missing):
        cached_view(tmp_path / "flux1-dev.safetensors", ())
    codec = {"encoder.conv_in.weight": (8, 3, 3, 3), "decoder.conv_in.weight": (8, 16, 3, 3)}
    save_file({key: torch.zeros(shape) for key, shape in codec.items()}, tmp_path / "ae.safetensors")
    view = cached_view(tmp_path / "flux1-dev.safetensors", ())
    assert view.parent == home() / "cache" / "single_files"
    assert [note for note in read_notes(view) if "lacks its vae, so " in note]
    places = json.loads((view / "weights.json").read_text())
    assert {part: Path(place["file"]).name for part, place in places.items()} == {
        "transformer": "flux1-dev.safetensors",
        "text_encoder": "clip_l.safetensors",
        "text_encoder_2": "t5xxl_fp8.safetensors",
        "vae": "ae.safetensors",
    }


def test_a_codec_that_may_be_another_family_s_is_not_taken(tmp_path: Path) -> None:
    network = {f"{PREFIX}input_blocks.0.0.weight": (320, 4, 3, 3), f"{PREFIX}label_emb.0.0.weight": (8, 8)}
    words = {"conditioner.embedders.0.transformer.x": (1,), "conditioner.embedders.1.model.x": (1,)}
    codec = {"encoder.conv_in.weight": (8, 3, 3, 3), "decoder.conv_in.weight": (8, 4, 3, 3)}

    def write(name: str, shapes: dict[str, Any]) -> Path:
        save_file({key: torch.zeros(shape) for key, shape in shapes.items()}, tmp_path / name)
        return tmp_path / name

    unet = write("mine.safetensors", network | words)
    for name in ("one.safetensors", "other.safetensors"):
        write(name, codec)
    with pytest.raises(
        ModelError,
        match=r"unclear which of .*one\.safetensors and .*other\.safetensors it is: leave only the right one beside it",
    ):
        cached_view(unet, ())
    named = write("sdxl_vae.safetensors", codec)
    places = json.loads((cached_view(unet, ()) / "weights.json").read_text())
    assert places["vae"]["file"] == str(named)


def test_a_codec_named_after_another_family_is_not_taken(tmp_path: Path) -> None:
    state = {"joint_blocks.0.context_block.adaLN_modulation.1.bias": torch.zeros(8)}
    words = {f"text_encoders.{name}.transformer.x": torch.zeros(1) for name in ("clip_l", "clip_g")}
    save_file({PREFIX + key: tensor for key, tensor in state.items()} | words, tmp_path / "sd3_medium.safetensors")
    codec = {"encoder.conv_in.weight": torch.zeros(8, 3, 3, 3), "decoder.conv_in.weight": torch.zeros(8, 16, 3, 3)}
    save_file(codec, tmp_path / "ae.safetensors")
    with pytest.raises(ModelError, match=r"Missing beside it and in added folders: vae\. Put"):
        cached_view(tmp_path / "sd3_medium.safetensors", ())
