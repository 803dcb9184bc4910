"""CLIP, DINO and LPIPS: figures equal to transformers' own, and sentences where something is not here."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import torch
from picture_networks import tiny_clip, tiny_dino
from safetensors.torch import load_file, save_file

from regrow.media.image.picture import from_uint8, to_uint8
from regrow.models.errors import ModelError
from regrow.models.probes import pretrained
from regrow.models.probes.clip import Clip, open_clip
from regrow.models.probes.dino import DEVIATION, MEAN, Dino, open_dino
from regrow.models.probes.lpips import WEIGHTS, open_lpips


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    return open_clip(str(tiny_clip(tmp_path_factory.mktemp("clip"))))


@pytest.fixture(scope="module")
def dino(tmp_path_factory: pytest.TempPathFactory) -> Dino:
    return open_dino(str(tiny_dino(tmp_path_factory.mktemp("dino"))))


def picture(seed: int, height: int, width: int) -> torch.Tensor:
    values = torch.randint(256, (height, width, 3), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)
    return from_uint8(values.numpy())


def test_a_score_is_a_hundred_times_the_cosine_that_transformers_computes(clip: Clip) -> None:
    shown, words = picture(1, 40, 56), "a cat"
    pixels = clip.pictures(to_uint8(shown), return_tensors="pt")["pixel_values"]
    assert pixels.shape == (1, 3, 32, 32)
    with torch.no_grad():
        said = clip.network(**clip.tokenizer([words], return_tensors="pt"), pixel_values=pixels)
    wanted = 100 * float((said.text_embeds @ said.image_embeds.T)[0, 0])
    assert abs(wanted) > 1
    assert clip.score(shown, words) == pytest.approx(max(0, wanted), abs=1e-3)


def test_a_score_is_never_below_none_and_depends_on_picture_and_words(clip: Clip) -> None:
    scores = {clip.score(picture(seed, 32, 32), words) for seed in range(4) for words in ("a cat", "the red sea")}
    assert min(scores) >= 0
    assert len(scores) > 3


def test_words_beyond_the_encoder_are_cut_off(clip: Clip) -> None:
    longest = clip.network.config.text_config.max_position_embeddings
    long = "sea " * longest
    assert clip.score(picture(1, 32, 32), long) == clip.score(picture(1, 32, 32), long + "and a cat")


def test_self_similarity_is_that_of_the_keys_of_the_last_layer(dino: Dino) -> None:
    shown = picture(2, 224, 224)
    values = torch.from_numpy(to_uint8(shown)).movedim(-1, 0)[None].float()
    inputs = (values - torch.tensor(MEAN)[:, None, None]) / torch.tensor(DEVIATION)[:, None, None]
    last = dino.network.layers[-1]
    with torch.no_grad():
        entering = dino.network(inputs, output_hidden_states=True).hidden_states[-2]
        keys = last.attention.k_proj(last.layernorm_before(entering))[0]
    assert keys.shape == (1 + 7 * 7, 16)
    wanted = torch.nn.functional.cosine_similarity(keys[:, None], keys[None], dim=-1)
    torch.testing.assert_close(dino.self_similarity(shown), wanted, atol=1e-5, rtol=0)


def test_structure_distance_is_the_mean_square_of_the_difference(dino: Dino) -> None:
    first, second = picture(3, 64, 64), picture(4, 64, 64)
    difference = dino.self_similarity(first) - dino.self_similarity(second)
    assert dino.distance(first, first) == 0
    assert dino.distance(first, second) == pytest.approx(float(difference.square().mean()))
    assert dino.distance(first, second) > 1e-5


def test_a_picture_is_made_smaller_without_a_filter_and_keeps_its_aspect_ratio(dino: Dino) -> None:
    shown = picture(5, 224, 224)
    doubled = shown.repeat_interleave(2, 1).repeat_interleave(2, 2)
    # each pixel falls between two equal ones: a filter against aliasing would mix in others
    torch.testing.assert_close(dino.self_similarity(doubled), dino.self_similarity(shown), atol=1e-4, rtol=0)
    assert len(dino.self_similarity(picture(6, 60, 120))) == 1 + 7 * (448 // 32)
    assert len(dino.self_similarity(picture(6, 30, 120))) == 1 + (120 // 32) * (480 // 32), "480 pixels at most"


@pytest.mark.parametrize("open_it", [open_clip, open_dino])
def test_what_is_not_here_is_said_with_the_command_that_gets_it(
    open_it: Callable[[str], object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(pretrained, "try_to_load_from_cache", lambda *of: None)
    with pytest.raises(
        ModelError, match=r"^some/where is not a folder and not in the Hugging Face cache: .*run `hf download "
    ):
        open_it("some/where")
    with pytest.raises(ModelError, match=r"cannot be opened as a (CLIP|ViT)Model of transformers .*safetensors"):
        open_it(str(tmp_path))


def test_a_checkpoint_that_lacks_a_weight_measures_nothing(tmp_path: Path) -> None:
    path = tiny_dino(tmp_path / "dino") / "model.safetensors"
    weights = load_file(path)
    save_file({name: weights[name] for name in weights if name != "layernorm.weight"}, path, {"format": "pt"})
    with pytest.raises(
        ModelError, match=r"is not a complete ViTModel, as it lacks layernorm.weight: name a copy of facebook/dino"
    ):
        open_dino(str(tmp_path / "dino"))


def test_a_clip_without_its_words_is_refused(tmp_path: Path) -> None:
    folder = tiny_clip(tmp_path / "clip")
    for path in folder.glob("*token*"):
        path.unlink()
    for path in folder.glob("vocab*"):
        path.unlink()
    with pytest.raises(
        ModelError, match=r"has a tokenizer of \d+ tokens for a network of \d+: name a complete copy of"
    ):
        open_clip(str(folder))
    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(ModelError, match=r"has no CLIP tokenizer or preprocessor"):
        open_clip(str(folder))


def test_lpips_needs_its_packages_and_its_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(ModelError, match=r"^LPIPS needs torchmetrics and torchvision .*pip install 'regrow\[pie\]'"):
        open_lpips()
    lpip = ModuleType("torchmetrics.image.lpip")
    setattr(lpip, "LearnedPerceptualImagePatchSimilarity", Differs)  # noqa: B010
    for name in ("torchvision", "torchmetrics", "torchmetrics.image"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, lpip.__name__, lpip)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(ModelError, match=rf"needs the weights of SqueezeNet in .*{WEIGHTS}: download them there from"):
        open_lpips()
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / WEIGHTS).touch()
    lpips = open_lpips()
    assert lpips.distance(torch.ones(3, 8, 8), torch.zeros(3, 8, 8)) == 1
    assert lpips.distance(torch.ones(3, 8, 8), torch.ones(3, 8, 8)) == 0, "nothing is left of the pair before"


class Differs:
    """A stand-in for torchmetrics' class of this name: the mean difference of all pairs since `reset`."""

    device = "cpu"

    def __init__(self, net_type: str) -> None:
        assert net_type == "squeeze"
        self.pairs: list[torch.Tensor] = []

    def to(self, device: str) -> "Differs":
        assert device == "cpu"
        return self

    def __call__(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        assert first.ndim == 4
        assert first.shape[1] == 3
        assert min(first.min(), second.min()) >= -1
        self.pairs.append((first - second).abs().mean())
        return torch.stack(self.pairs).mean()

    def reset(self) -> None:
        self.pairs.clear()
