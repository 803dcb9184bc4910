"""The shipped judge reads drawings it never saw, soft ones and ones of other sizes too, and refuses what is none."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from regrow.benchmark.judge import ATTRIBUTES, WEIGHTS, Judge, load_judge
from regrow.benchmark.judge_training import HELD_OUT_FROM, JudgeTraining, accuracies, train_judge, worn
from regrow.media.files import MediaError
from regrow.media.image.picture import from_uint8
from regrow.worlds.storybook.drawing import Scene, draw

# beyond the 2,000 on which its own figures were taken
SCENES = [Scene.random(HELD_OUT_FROM + 5_000 + i) for i in range(60)]
MAIN = ("animal", "colour", "place")


@pytest.fixture(scope="module")
def judge() -> Judge:
    return load_judge()


@pytest.fixture(scope="module")
def values() -> np.ndarray:
    return np.stack([draw(scene).picture for scene in SCENES])


def share_right(judge: Judge, pictures: Tensor, name: str, scenes: Sequence[Scene] = SCENES) -> float:
    read = judge.read(pictures)
    return sum(r[name] == getattr(scene, name) for r, scene in zip(read, scenes, strict=True)) / len(scenes)


def test_it_reads_drawings_it_never_saw_even_worn(judge: Judge, values: np.ndarray) -> None:
    found = accuracies(judge, SCENES, values)
    for wear, right in found.items():
        assert min(right[name] for name in MAIN) >= 0.95, (wear, right)
    assert min(found["clean"].values()) >= 0.95


@pytest.mark.parametrize("size", [64, 200, (96, 128)])
def test_it_reads_pictures_of_other_sizes(judge: Judge, size: int | tuple[int, int]) -> None:
    scenes = SCENES[:20]
    pictures = from_uint8(np.stack([draw(scene, size).picture for scene in scenes]))
    assert min(share_right(judge, pictures, name, scenes) for name in MAIN) >= 0.9


def test_probabilities_are_those_of_what_is_read(judge: Judge, values: np.ndarray) -> None:
    pictures = from_uint8(values[:5])
    found, read = judge.probabilities(pictures), judge.read(pictures)
    assert list(found) == list(ATTRIBUTES)
    features = judge.features(pictures, batch=2)  # the size of a batch does not matter
    assert torch.allclose(features, judge.features(pictures), atol=1e-4)
    assert judge.read_features(features) == read
    for name, table in found.items():
        assert table.shape == (5, len(ATTRIBUTES[name]))
        assert torch.allclose(table.sum(1), torch.ones(5))
        assert [ATTRIBUTES[name][i] for i in table.argmax(1)] == [row[name] for row in read]


def test_its_file_is_small_and_says_how_good_it_is(judge: Judge) -> None:
    assert WEIGHTS.stat().st_size < 1_500_000
    for wear in ("clean", "blurred"):
        assert min(judge.facts["held_out"][wear][name] for name in MAIN) >= 0.99
    assert judge.facts["settings"]["held_out"] >= 2000


@pytest.mark.parametrize(
    ("pictures", "sentence"),
    [
        (torch.zeros(3, 128, 128), "of shape b 3 h w; got"),
        (torch.zeros(1, 4, 128, 128), "of shape b 3 h w; got"),
        (torch.full((1, 3, 128, 128), torch.nan), "not finite"),
    ],
)
def test_what_is_no_picture_is_refused(judge: Judge, pictures: Tensor, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        judge.read(pictures)


def test_what_is_no_judge_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "judge.safetensors"
    with pytest.raises(MediaError, match="no file"):
        load_judge(path)
    path.write_text("words")
    with pytest.raises(MediaError, match="is no judge"):
        load_judge(path)
    save_file({"x": torch.zeros(1)}, path)
    with pytest.raises(MediaError, match="judges other attributes"):
        load_judge(path)


def test_wear_is_a_function_of_its_seed_and_spares_some(values: np.ndarray) -> None:
    pictures = from_uint8(values[:16])
    once, again = (worn(pictures, np.random.default_rng(3)) for _ in range(2))
    assert torch.equal(once, again)
    assert once.abs().max() <= 1
    same = [torch.equal(a, b) for a, b in zip(once, pictures, strict=True)]
    assert 0 < sum(same) < 16


def test_a_training_in_small_writes_a_judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGROW_HOME", str(tmp_path / "home"))
    run = train_judge(tmp_path / "run", JudgeTraining(scenes=8, held_out=4, steps=2, batch=4), processes=1)
    steps = [state.step for state in run]
    assert steps == [1, 2]
    judge = load_judge(tmp_path / "run" / "judge.safetensors")
    assert set(judge.facts["held_out"]["clean"]) == set(ATTRIBUTES)
