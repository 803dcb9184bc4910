"""Embedding files: diffusers' vectors are regrow's, words of several vectors too; in recipes by hash, others named."""

from collections.abc import Callable
from pathlib import Path

import diffusers
import pytest
import torch
from safetensors.torch import save_file

import regrow
from regrow.editing.replay import embeddings_of, recipe_in
from regrow.media.files import MediaError
from regrow.media.home import home
from regrow.models.errors import ModelError
from regrow.models.open import open_model, user_models
from regrow.models.single_files.folders import add_folder
from regrow.requests.generate import Generate

Checkpoint = Callable[[str], Path]
PROMPTS = ["a Moe-bius!", "moe-bius", "a cat"]
pytestmark = pytest.mark.usefixtures("home")


def vectors(count: int, width: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed))


def sd_file(folder: Path, count: int = 2, name: str = "Moe-bius", key: str = "emb_params", width: int = 16) -> Path:
    path = folder / f"{name}.safetensors"
    save_file({key: vectors(count, width) if count > 1 else vectors(1, width)[0]}, path)
    return path


def width_of(folder: Path) -> int:
    return open_model(folder).parts.config("text_encoder")["hidden_size"]


@pytest.mark.parametrize(("count", "key"), [(1, "<moe>"), (1, "emb_params"), (3, "emb_params")])
def test_the_words_are_diffusers_own_with_stable_diffusion(
    checkpoint: Checkpoint, count: int, key: str, tmp_path: Path
) -> None:
    folder = checkpoint("sd1")
    file = sd_file(tmp_path, count, key=key, width=width_of(folder))
    model = open_model(folder, embedding=[str(file)])
    theirs = diffusers.StableDiffusionPipeline.from_pretrained(folder, local_files_only=True)
    theirs.load_textual_inversion(str(file), token="moe-bius", local_files_only=True)
    ours = model.condition(PROMPTS).tokens
    # CLIP reads no upper case; diffusers finds the vectors behind the first of a word in lower case only
    expected = theirs.encode_prompt([prompt.lower() for prompt in PROMPTS], "cpu", 1, False)[0]
    torch.testing.assert_close(ours, expected)
    plain = open_model(folder).condition(PROMPTS).tokens
    changed = [not torch.allclose(one, other) for one, other in zip(ours, plain, strict=True)]
    assert changed == [True, True, False]
    ids = model.tokenize(PROMPTS)
    assert all(set(range(len(model.tokenizer) - count, len(model.tokenizer))) <= set(row.tolist()) for row in ids[:2])
    assert not any(parameter.requires_grad for parameter in model.parts["text_encoder"].parameters())


def test_the_words_are_diffusers_own_with_stable_diffusion_xl(checkpoint: Checkpoint, tmp_path: Path) -> None:
    folder = checkpoint("sdxl")
    config = open_model(folder).parts.config
    first, second = (config(name)["hidden_size"] for name in ("text_encoder", "text_encoder_2"))
    file = tmp_path / "moe-bius.safetensors"
    state = {"clip_l": vectors(2, first), "clip_g": vectors(2, second, 1)}
    save_file(state, file)
    model = open_model(folder, embedding=[str(file)])
    theirs = diffusers.StableDiffusionXLPipeline.from_pretrained(folder, local_files_only=True)
    for key, end in (("clip_l", ""), ("clip_g", "_2")):
        theirs.load_textual_inversion(
            state[key],
            token="moe-bius",
            tokenizer=getattr(theirs, f"tokenizer{end}"),
            text_encoder=getattr(theirs, f"text_encoder{end}"),
        )
    ours = model.condition(PROMPTS)
    lower = [prompt.lower() for prompt in PROMPTS]
    tokens, _, pooled, _ = theirs.encode_prompt(lower, device="cpu", do_classifier_free_guidance=False)
    torch.testing.assert_close(ours.tokens, tokens)
    torch.testing.assert_close(ours.extra["pooled"], pooled)
    assert not torch.allclose(ours.tokens[0], open_model(folder).condition(PROMPTS).tokens[0])


def test_the_run_says_which_word_to_write_and_whether_a_prompt_holds_it(checkpoint: Checkpoint, tmp_path: Path) -> None:
    folder = checkpoint("sd1")
    file = sd_file(tmp_path, width=width_of(folder))
    open_model(folder)  # from then on the tokenizer file alone is read
    request = Generate("a moe-bius cat", model=str(folder), steps=3, prompt_expansion="off", solver="ddim")
    made = regrow.generate(request, model=open_model(folder, embedding=[str(file)]))
    plain = regrow.generate(request, model=open_model(folder))
    assert not torch.equal(made.items[0], plain.items[0])
    assert made.notes[-1] == 'To use the embedding Moe-bius.safetensors, write "moe-bius" in a prompt.'
    none = regrow.generate(
        Generate("a cat", model=str(folder), steps=1), model=open_model(folder, embedding=[str(file)])
    )
    assert none.notes[-1].startswith('The embedding Moe-bius.safetensors has no effect: write its word "moe-bius"')


def test_a_result_names_the_file_by_hash_and_is_replayed_with_it_alone(checkpoint: Checkpoint, tmp_path: Path) -> None:
    folder = checkpoint("sd1")
    width = width_of(folder)
    file = sd_file(tmp_path, width=width)
    model = open_model(folder, embedding=[str(file)])
    request = Generate("a moe-bius", model=str(folder), steps=2, prompt_expansion="off")
    (tmp_path / "out").mkdir()
    (path,) = regrow.generate(request, model=model).save(tmp_path / "out" / "made.png")
    recipe = recipe_in(path)
    assert recipe["embedding"] == [{"file": file.name, "hash": recipe["embedding"][0]["hash"]}]
    assert regrow.replay(path, folders=[tmp_path, folder.parent]).identical
    with pytest.raises(MediaError, match=r"The source file Moe-bius\.safetensors is not in"):
        embeddings_of(recipe, folder)
    assert model.content_hash != open_model(folder).content_hash
    # one that lies in a folder that was added is found by itself
    other = tmp_path / "webui" / "embeddings"
    other.mkdir(parents=True)
    file.rename(other / file.name)
    add_folder(tmp_path / "webui")
    assert regrow.replay(path, folders=[folder.parent]).identical
    save_file({"emb_params": vectors(2, width, 5)}, other / file.name)
    with pytest.raises(MediaError, match="has changed since the result was made"):
        embeddings_of(recipe)


def test_files_are_found_by_name_in_folders_that_were_added(checkpoint: Checkpoint, tmp_path: Path) -> None:
    folder = checkpoint("sd1")
    sd_file(tmp_path, name="night", width=width_of(folder))
    save_file({"lora_unet_x.lora_down.weight": torch.zeros(2, 2)}, tmp_path / "style.safetensors")
    with pytest.raises(ModelError, match="There is no embedding file night: write --embedding FILE"):
        open_model(folder, embedding=["night"])
    with pytest.raises(ModelError, match="There is no LoRA file style: write --lora FILE"):
        open_model(folder, lora=["style"])
    assert [file.path.stem for file in add_folder(tmp_path)] == ["night", "style"]
    assert [one.word for one in open_model(folder, embedding=["night"]).embeddings] == ["night"]
    with pytest.raises(ModelError, match=r"style.safetensors"):  # found, and of another model
        open_model(folder, lora=["style:0.5"])
    (home() / "folders.json").unlink()
    user_models().mkdir(parents=True, exist_ok=True)
    (tmp_path / "night.safetensors").rename(user_models() / "night.safetensors")
    assert open_model(folder, embedding=["night.safetensors"]).embeddings[0].path.parent == user_models()


def test_a_name_that_is_a_token_already_gets_brackets_and_names_that_cannot_be_told_apart_are_refused(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    folder = checkpoint("sd1")
    width = width_of(folder)
    known = next(word for word in open_model(folder).tokenizer.get_vocab() if word.islower() and len(word) == 1)
    files = [sd_file(tmp_path, name=name, width=width) for name in (known, "moe-bius", "moe-bius-2")]
    model = open_model(folder, embedding=[str(files[0])])
    assert model.embeddings[0].word == f"<{known}>"
    with pytest.raises(ModelError, match=r"cannot be told apart in a prompt, as 'moe-bius-2' contains 'moe-bius'"):
        open_model(folder, embedding=list(map(str, files)))
    sd_file(tmp_path, 1, "moe-bius", width=width)
    assert len(open_model(folder, embedding=list(map(str, files[1:]))).embeddings) == 2


def test_what_is_no_embedding_of_this_model_is_named(checkpoint: Checkpoint, tmp_path: Path) -> None:
    folder, xl = checkpoint("sd1"), checkpoint("sdxl")
    width = width_of(folder)
    pair = tmp_path / "pair.safetensors"
    save_file({"clip_l": vectors(2, 768), "clip_g": vectors(2, 1280)}, pair)
    style = tmp_path / "style.safetensors"
    save_file({"lora_unet_x.lora_down.weight": torch.zeros(2, 2)}, style)
    whole = tmp_path / "whole.safetensors"
    save_file({"model.diffusion_model.input_blocks.0.0.weight": torch.zeros(320, 4, 3, 3)}, whole)
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(pair.read_bytes()[:100])
    pickle = tmp_path / "old.pt"
    torch.save({"string_to_param": {"*": vectors(2, width)}, "name": "old"}, pickle)
    empty, deep, broken = (tmp_path / f"{name}.safetensors" for name in ("empty", "deep", "broken"))
    save_file({"emb_params": torch.zeros(0, width)}, empty)
    save_file({"emb_params": torch.zeros(1, 2, width)}, deep)
    save_file({"emb_params": torch.full((1, width), torch.nan)}, broken)
    small, wide = sd_file(tmp_path, name="small", width=768), sd_file(tmp_path, name="wide", width=1024)
    for given, model, sentence in (
        (
            pair,
            folder,
            rf"is an embedding for Stable Diffusion XL, with vectors of 768 and 1280 .* reads {width}: use",
        ),
        (
            small,
            folder,
            rf"is an embedding for Stable Diffusion 1.x, with vectors of 768 numbers, but .* reads {width}",
        ),
        (
            wide,
            xl,
            r"is an embedding for Stable Diffusion 2.x, with vectors of 1024 numbers, but .* reads \d+ and \d+",
        ),
        (style, folder, r"is not an embedding but a LoRA file. Use it with a checkpoint: --model NAME --lora"),
        (whole, folder, "is not an embedding but a whole checkpoint. Open it with --model"),
        (empty, folder, "holds no vectors of decimal numbers: "),
        (deep, folder, "holds no vectors of decimal numbers: "),
        (broken, folder, "holds NaN or infinite numbers in emb_params"),
        (cut, folder, "is damaged, or not a safetensors file"),
        (pickle, folder, "is a pickle, which can run any program"),
        (
            small,
            checkpoint("stable-audio"),
            r"\(stable-audio\) cannot use embedding files: leave --embedding out",
        ),
    ):
        with pytest.raises(ModelError, match=sentence):
            open_model(model, embedding=[str(given)])
    assert open_model(folder, embedding=[str(pickle)], allow_pickle=True).embeddings[0].vectors == 2
