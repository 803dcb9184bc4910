"""The shipped sound judge hears phrases it never heard, worn ones too, and refuses what is no clip."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from regrow.benchmark import judge as picture_judge
from regrow.benchmark import sound_judge_training
from regrow.benchmark.sound_judge import ATTRIBUTES, SETTINGS, WEIGHTS, SoundJudge, load_sound_judge
from regrow.benchmark.sound_judge_training import (
    FRAMES,
    HELD_OUT_FROM,
    SoundJudgeTraining,
    accuracies,
    in_decibels,
    train_sound_judge,
    worn,
)
from regrow.core.progress import finish
from regrow.media.audio.mel import to_mel
from regrow.media.files import MediaError
from regrow.training.world_data import played
from regrow.worlds.bandstand.playing import INSTRUMENTS_OF, RATE, Phrase, play

# beyond the 1,400 on which its own figures were taken
PHRASES = [Phrase.random(HELD_OUT_FROM + 5_000 + i) for i in range(28)]


@pytest.fixture(scope="module")
def judge() -> SoundJudge:
    return load_sound_judge()


@pytest.fixture(scope="module")
def mels(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGROW_HOME", str(tmp_path_factory.mktemp("home")))
        return np.array(finish(played(PHRASES, SETTINGS, FRAMES, processes=1)))


def of(phrases: Sequence[Phrase], seconds: float) -> Tensor:
    return to_mel(torch.from_numpy(np.stack([play(phrase, seconds).wave for phrase in phrases])), SETTINGS)


def test_it_hears_phrases_it_never_heard_even_worn(
    judge: SoundJudge, mels: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sound_judge_training, "SLOW", 14)
    found = accuracies(judge, PHRASES, mels)
    for wear, right in found.items():
        assert right["instrument"] >= 0.9, (wear, right)  # two of 28, one of 14
        assert right["pattern"] >= 0.9, (wear, right)


def test_it_hears_the_exchange_of_an_instrument(judge: SoundJudge) -> None:
    phrase = Phrase.random(HELD_OUT_FROM + 6_001)
    others = [phrase.replace(instrument=name) for name in INSTRUMENTS_OF[phrase.pattern]]
    read = judge.read(of(others, 6.0))
    assert sum(r["instrument"] == other.instrument for r, other in zip(read, others, strict=True)) >= len(others) - 1


@pytest.mark.parametrize("seconds", [4.0, 9.0])
def test_it_hears_clips_of_other_lengths(judge: SoundJudge, seconds: float) -> None:
    read = judge.read(of(PHRASES[:10], seconds))
    assert sum(r["instrument"] == p.instrument for r, p in zip(read, PHRASES, strict=False)) >= 9


def test_the_level_changes_nothing(judge: SoundJudge, mels: np.ndarray) -> None:
    loud = in_decibels(mels[:8]).clamp_min(-80)
    assert torch.allclose(judge.features(loud), judge.features(loud - 15), atol=1e-4)


def test_probabilities_are_those_of_what_is_read(judge: SoundJudge, mels: np.ndarray) -> None:
    clips = in_decibels(mels[:5])
    found, read = judge.probabilities(clips), judge.read(clips)
    assert list(found) == list(ATTRIBUTES)
    assert torch.allclose(judge.features(clips, batch=2), judge.features(clips), atol=1e-4)
    for name, table in found.items():
        assert table.shape == (5, len(ATTRIBUTES[name]))
        assert torch.allclose(table.sum(1), torch.ones(5))
        assert [ATTRIBUTES[name][i] for i in table.argmax(1)] == [row[name] for row in read]


def test_its_file_is_small_and_says_how_good_it_is(judge: SoundJudge) -> None:
    assert WEIGHTS.stat().st_size < 2_000_000
    assert all(right["instrument"] >= 0.98 for right in judge.facts["held_out"].values())
    assert judge.facts["settings"]["held_out"] >= 1000


@pytest.mark.parametrize(
    ("mels", "sentence"),
    [
        (torch.zeros(1, 128, 512), "of shape b 1 128 frames"),
        (torch.zeros(1, 1, 64, 512), "of shape b 1 128 frames"),
        (torch.zeros(1, 1, 128, 100), "of 128 frames or more"),
        (torch.zeros(0, 1, 128, 512), "of shape b 1 128 frames"),
        (torch.full((1, 1, 128, 512), torch.nan), "not finite"),
    ],
)
def test_what_is_no_clip_is_refused(judge: SoundJudge, mels: Tensor, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        judge.read(mels)


def test_what_is_no_sound_judge_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="no file"):
        load_sound_judge(tmp_path / "judge.safetensors")
    with pytest.raises(MediaError, match=r"judges other attributes .* runs/train_judge.py bandstand"):
        load_sound_judge(picture_judge.WEIGHTS)
    with pytest.raises(MediaError, match=r"judges other attributes .* runs/train_judge.py storybook"):
        picture_judge.load_judge(WEIGHTS)


def test_wear_is_a_function_of_its_seed_and_spares_some(mels: np.ndarray) -> None:
    clips = in_decibels(mels[:16])
    once, again = (worn(clips, np.random.default_rng(3)) for _ in range(2))
    assert torch.equal(once, again)
    assert once.isfinite().all()
    assert once.min() >= SETTINGS.floor
    same = [torch.equal(a, b) for a, b in zip(once, clips, strict=True)]
    assert 0 < sum(same) < 16


def test_a_training_in_small_writes_a_judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGROW_HOME", str(tmp_path / "home"))
    settings = SoundJudgeTraining(phrases=8, held_out=4, seconds=0.3, batch=4)
    states = list(train_sound_judge(tmp_path / "run", settings, processes=1))
    assert states[-1].step == states[-1].steps >= 2
    judge = load_sound_judge(tmp_path / "run" / "sound_judge.safetensors")
    assert set(judge.facts["held_out"]["rebuilt"]) == set(ATTRIBUTES)
    assert FRAMES * SETTINGS.hop / RATE == pytest.approx(5.944, abs=1e-3)
