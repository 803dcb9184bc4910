"""The bandstand bench on the embedded model in small, and on counterfeits whose figures are known beforehand."""

import io
import json
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from regrow.benchmark import bandstand
from regrow.benchmark.bandstand import FIRST_SEED, asked, bench_bandstand
from regrow.benchmark.bandstand_figures import BandstandFigures, as_dict, contact_sheet, print_table
from regrow.core.progress import Progress, finish
from regrow.media.audio.mel import from_unit, to_mel, to_unit
from regrow.models.codecs.sound_codec import settings_of
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.requests.generate import Generate
from regrow.worlds.bandstand.playing import Phrase, captions, play

QUICK = Generate("", steps=2)


@pytest.fixture(scope="module")
def model() -> Model:
    return open_model("bandstand")


def test_figures_of_few_phrases(model: Model) -> None:
    seen: list[Progress] = []
    figures: BandstandFigures = finish(bench_bandstand(model, 3, QUICK, ("zh",), batch=2, shown=2), seen.append)
    assert [(p.part, p.index, p.steps) for p in seen] == [
        ("codec", 2, 3), ("codec", 3, 3), ("words zh", 2, 3), ("words zh", 3, 3),
    ]  # fmt: skip
    assert set(figures.heard) == {"played", "codec", "codec and phase", "words zh"}
    assert figures.heard["played"]["instrument"].value == 1
    assert 0.5 < figures.lost["codec"].value < 6  # phase adds to what the codec loses; in a few clips it may not
    assert 0.5 < figures.lost["codec and phase"].value < 6
    assert {kind: len(mels) for kind, mels in figures.samples.items()} == dict.fromkeys(figures.heard, 2)
    assert figures.settings["first_seed"] == FIRST_SEED
    assert figures.settings["prompt_expansion"] == "on"
    assert json.loads(json.dumps(as_dict(figures)))["heard"]["played"]["instrument"]["count"] == 3
    said = io.StringIO()
    print_table(figures, said)
    assert "3 phrases from seed 9000000; 2 steps" in said.getvalue()
    assert max(map(len, said.getvalue().splitlines())) <= 170
    assert contact_sheet(figures, ("played", "words zh")).isfinite().all()


def test_counterfeits_are_heard_as_what_they_are(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """Phrases played by rule in the place of generated ones: those that were asked for, and others."""
    mel, shift = settings_of(model), 0

    def forge(model: Model, prompts: Sequence[str], seeds: Sequence[int], settings: Generate) -> Tensor:
        seconds = model.size[1] * mel.hop / mel.rate
        waves = np.stack([play(Phrase.random(seed + shift), seconds).wave for seed in seeds])
        return to_unit(to_mel(torch.from_numpy(waves), mel), mel)

    monkeypatch.setattr(bandstand, "grow", forge)
    monkeypatch.setattr(bandstand, "_again", lambda mels, model, mel: from_unit(mels, mel))  # quicker without phase
    right = finish(bench_bandstand(model, 6, QUICK, ("en",))).heard["words en"]
    assert right["instrument"].value == 1
    assert right["pattern"].value >= 0.9
    shift = 1000
    wrong = finish(bench_bandstand(model, 6, QUICK, ("en",)))
    assert wrong.heard["words en"]["instrument"].value < 0.5
    missed = sum(n for true, row in wrong.confusion.items() for name, n in row.items() if name != true)
    assert missed == round(6 * (1 - wrong.heard["words en"]["instrument"].value))


def test_what_a_caption_asks_for() -> None:
    phrase = Phrase.random(5)
    full = captions(phrase)[-1]
    assert asked(phrase, full, "en") >= {"instrument", "pattern"}
    for text in captions(phrase):
        told = asked(phrase, text, "en")
        assert "instrument" in told, text
        other = phrase.replace(tempo=next(t for t in ("slow", "fast") if t != phrase.tempo))
        assert ("tempo" in told) == (text not in captions(other)), text


@pytest.mark.parametrize(("phrases", "batch"), [(1, 4), (4, 0)])
def test_numbers_that_do_not_fit_are_refused(model: Model, phrases: int, batch: int) -> None:
    with pytest.raises(ValueError, match="phrases must be 2 or more and batch 1 or more"):
        finish(bench_bandstand(model, phrases, QUICK, batch=batch))
