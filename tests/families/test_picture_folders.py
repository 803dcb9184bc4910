"""Folders of the picture families on transformers: each way they can be broken is one sentence."""

import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import pytest
import transformers
from checkpoints import edit_json

from regrow.models.model import ModelError
from regrow.models.open import open_model

Change = Callable[[Path], Any]
Z, QWEN, PIXART, SANA, LUMINA, CHROMA = "z-image", "qwen-image", "pixart-sigma", "sana", "lumina-2", "chroma"
NETWORKS = {
    Z: "ZImageTransformer2DModel",
    QWEN: "QwenImageTransformer2DModel",
    PIXART: "PixArtTransformer2DModel",
    SANA: "SanaTransformer2DModel",
    LUMINA: "Lumina2Transformer2DModel",
    CHROMA: "ChromaTransformer2DModel",
}
PARTS = ("tokenizer", "text_encoder", "vae", "transformer", "scheduler")
pytestmark = pytest.mark.usefixtures("home")


def sentence(folder: Path) -> str:
    with pytest.raises(ModelError) as caught:
        open_model(folder)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    return message


@pytest.fixture
def copied(checkpoint: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Path]:
    """From the name of a tiny checkpoint to a folder with a copy of it, to be broken."""
    return lambda name: Path(shutil.copytree(checkpoint(name), tmp_path / "mine"))


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", NETWORKS)
def test_a_part_that_is_missing_is_named(copied: Callable[[str], Path], name: str, part: str) -> None:
    folder = copied(name)
    shutil.rmtree(folder / part)
    said = sentence(folder)
    assert f"{folder / part}" in said
    assert "is missing" in said


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_of_another_class_is_named(copied: Callable[[str], Path], name: str) -> None:
    folder = copied(name)
    edit_json(folder / "model_index.json", transformer=["diffusers", "DiTTransformer2DModel"])
    assert f"is a DiTTransformer2DModel: regrow supports {NETWORKS[name]}" in sentence(folder)


def config(file: str, **changes: Any) -> Change:
    return lambda folder: edit_json(folder / file, **changes)


def epsilon(folder: Path) -> None:
    diffusers.DDIMScheduler().save_pretrained(folder / "scheduler")


LEVELS = "scheduler/scheduler_config.json"
CASES: dict[str, tuple[str, Change, str]] = {
    "no flow": (Z, epsilon, "does not describe flow matching, which Z-Image uses"),
    "qwen: no flow": (QWEN, epsilon, "does not describe flow matching, which Qwen-Image uses"),
    "qwen: unknown shift": (QWEN, config(LEVELS, time_shift_type="cubic"), "Unknown time_shift_type 'cubic' in"),
    "qwen: end of levels": (QWEN, config(LEVELS, shift_terminal=1.5), "must be a number in [0, 1); got 1.5"),
    "sana: no flow": (SANA, epsilon, "does not describe flow matching, which Sana uses"),
    "sana sprint": (
        SANA,
        config(LEVELS, _class_name="SCMScheduler"),
        "describes a Sana-Sprint (TrigFlow levels), which regrow",
    ),
    "lumina: no flow": (LUMINA, epsilon, "does not describe flow matching, which Lumina-Image 2.0 uses"),
    "lumina: by size": (LUMINA, config(LEVELS, use_dynamic_shifting=True), "asks for use_dynamic_shifting"),
    "chroma: no flow": (CHROMA, epsilon, "does not describe flow matching, which Chroma uses"),
    "no chat": (
        Z,
        lambda folder: (folder / "tokenizer/chat_template.jinja").unlink(),
        "chat_template.jinja is missing, the chat template for prompts",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_each_is_one_sentence(copied: Callable[[str], Path], case: str) -> None:
    name, change, said = CASES[case]
    folder = copied(name)
    change(folder)
    assert said in sentence(folder)


OTHERS: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "z channels": (Z, "transformer", {"in_channels": 8}, "takes 8 channels and returns 8, but its codec makes 16"),
    "z words": (Z, "transformer", {"cap_feat_dim": 24}, "reads text vectors of 24 numbers, but its text_encoder"),
    "z patches": (Z, "transformer", {"all_patch_size": [1]}, "but Z-Image needs 2 by 2: it is of another model"),
    "z omni": (Z, "transformer", {"siglip_feat_dim": 8}, "is of Z-Image-Omni (siglip_feat_dim)"),
    "qwen channels": (
        QWEN,
        "transformer",
        {"in_channels": 32},
        "takes 32 channels and returns 64, but its codec",
    ),
    "qwen words": (QWEN, "transformer", {"joint_attention_dim": 24}, "reads text vectors of 24 numbers, but its text_"),
    "qwen guidance": (QWEN, "transformer", {"guidance_embeds": True}, "takes guidance as an input, which diffusers"),
    "qwen layers": (QWEN, "transformer", {"use_additional_t_cond": True}, "makes layers, as Qwen-Image-Layered"),
    "pixart channels": (PIXART, "transformer", {"in_channels": 8}, "takes 8 channels and returns 8, but its codec"),
    "pixart words": (PIXART, "transformer", {"caption_channels": 24}, "reads text vectors of 24 numbers, but its te"),
    "sana channels": (SANA, "transformer", {"in_channels": 16}, "takes 16 channels and returns 32, but its codec"),
    "sana words": (SANA, "transformer", {"caption_channels": 24}, "reads text vectors of 24 numbers, but its text_"),
    "sana guidance": (
        SANA,
        "transformer",
        {"guidance_embeds": True},
        "holds a Sana-Sprint (its transformer has guidance_embeds)",
    ),
    "lumina channels": (LUMINA, "transformer", {"in_channels": 8}, "takes 8 channels and returns 8, but its codec"),
    "lumina words": (LUMINA, "transformer", {"cap_feat_dim": 24}, "reads text vectors of 24 numbers, but its text_"),
    "chroma channels": (CHROMA, "transformer", {"in_channels": 32}, "takes 32 channels and returns 32, but its"),
    "chroma words": (CHROMA, "transformer", {"joint_attention_dim": 24}, "reads text vectors of 24 numbers, but its"),
}


@pytest.mark.parametrize("case", OTHERS)
def test_parts_of_two_models_are_told_apart(copied: Callable[[str], Path], case: str) -> None:
    name, part, changes, said = OTHERS[case]
    folder = copied(name)
    kind = getattr(diffusers, NETWORKS[name])
    settings = {**kind.load_config(folder / part), **changes}
    shutil.rmtree(folder / part)
    kind.from_config(settings).save_pretrained(folder / part)
    assert said in sentence(folder)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_tokenizer_of_more_tokens_is_named(copied: Callable[[str], Path], name: str) -> None:
    folder = copied(name)
    class_name = json.loads((folder / "model_index.json").read_text())["text_encoder"][1]
    kind = getattr(transformers, class_name)
    settings = kind.config_class.from_pretrained(folder / "text_encoder")
    settings.get_text_config().vocab_size = 50
    shutil.rmtree(folder / "text_encoder")
    kind(settings).save_pretrained(folder / "text_encoder")
    assert "tokens, but its text_encoder knows 50" in sentence(folder)


START = 1
"""Of the tokens of T5 and of Gemma: the mark of a word's beginning."""
ROOMS = {
    Z: (512 - len("<|im_start|>user\n"), 0),
    QWEN: (512 - (180 - 34), 0),  # of the template but what the pipeline drops
    PIXART: (299, START),
    "pixart-alpha": (119, START),
    SANA: (298, 0),
    LUMINA: (92, 0),
    CHROMA: (511, START),
}


@pytest.mark.parametrize(("name", "room", "start"), [(name, *room) for name, room in ROOMS.items()])
def test_words_past_what_is_read_are_named(checkpoint: Callable[[str], Path], name: str, room: int, start: int) -> None:
    model = open_model(checkpoint(name))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.condition(["e" * (room - start)])
    with pytest.warns(UserWarning, match=f"reads {room} tokens of a prompt; these words were ignored: fg$"):
        model.condition(["e" * (room - start) + "fg"])
