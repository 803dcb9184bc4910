"""The benchmarks of sounds: wishes whose answer is known, and outcomes that say so."""

import io

import pytest
import torch

from regrow.benchmark.bandstand import asked
from regrow.benchmark.editors import Setting
from regrow.benchmark.sound_judge import load_sound_judge
from regrow.benchmark.sounds import FIRST_SEED, _outcomes, wishes
from regrow.benchmark.sounds_figures import Measured, SoundFigures, as_dict, print_table, summary
from regrow.media.audio.mel import MelSettings
from regrow.worlds.bandstand.playing import Phrase, caption

SETTINGS = MelSettings()
SAMPLES = 512 * SETTINGS.hop


@pytest.fixture(scope="module")
def found() -> list:
    return wishes(3, FIRST_SEED, SAMPLES, SETTINGS.rate)


def test_a_wish_changes_the_instrument_and_nothing_else(found: list) -> None:
    for wish in found:
        assert wish.target == wish.phrase.replace(instrument=wish.target.instrument)
        assert wish.target.instrument != wish.phrase.instrument
        assert wish.before.shape == wish.truth.shape == (1, SAMPLES)
    assert [wish.seed for wish in found] == [wish.seed for wish in wishes(3, FIRST_SEED, SAMPLES, SETTINGS.rate)]


def test_the_truth_is_heard_and_keeps_its_notes_and_the_source_is_not_the_wish(found: list) -> None:
    judge = load_sound_judge()
    right = _outcomes(judge, found, torch.stack([wish.truth for wish in found]), SETTINGS)
    wrong = _outcomes(judge, found, torch.stack([wish.before for wish in found]), SETTINGS)
    assert all(outcome.heard and outcome.truth == 0 and outcome.source > 3 for outcome in right)
    assert all(not outcome.heard and outcome.source == 0 and outcome.truth > 3 for outcome in wrong)
    assert summary(right)["notes"].value > 0.8


def test_only_what_the_words_tell_is_asked_for() -> None:
    phrase = Phrase(instrument="flute", pattern="melody", scale="minor", tempo="slow", register="high")
    assert asked(phrase, "a slow sad flute melody", "en") == {"instrument", "pattern", "tempo", "scale"}
    assert asked(phrase, "a flute melody", "en") == {"instrument", "pattern"}
    for seed in range(20):
        phrase = Phrase.random(seed)
        assert "instrument" in asked(phrase, caption(phrase, seed, "zh"), "zh")


def test_the_table_and_the_json_say_what_ran_and_what_did_not(found: list) -> None:
    judge = load_sound_judge()
    outcomes = tuple(_outcomes(judge, found[:2], torch.stack([w.truth for w in found[:2]]), SETTINGS, 40.0, 1.5))
    setting = Setting(0.7, 3)
    measured = (
        Measured("direct_inversion", False, setting, ((setting, outcomes),), outcomes),
        Measured("a rival", True, failure="it takes pictures only"),
    )
    figures = SoundFigures("tiny", 2, FIRST_SEED, 2, {"truth": outcomes, "source": outcomes}, measured, 1.0)
    out = io.StringIO()
    print_table(figures, out)
    assert "anchored 0.7 g3           100 [100, 100]" in out.getvalue()
    assert "a rival: did not run: it takes pictures only" in out.getvalue()
    assert max(map(len, out.getvalue().splitlines())) <= 120
    plain = as_dict(figures)["measured"]
    assert plain[0]["figures"]["evaluations"]["value"] == 40
    assert plain[1] == {"editor": "a rival", "rival": True, "failure": "it takes pictures only"}
