"""The benchmark of sound edits: tasks whose answer is known, and results that say so."""

import io

import pytest
import torch

from regrow.benchmark.editors import Setting
from regrow.benchmark.judges import load_judge
from regrow.benchmark.sounds import FIRST_SEED, _results, sound_tasks
from regrow.benchmark.sounds_figures import SoundFigures, as_dict, print_table, summary
from regrow.benchmark.tuning import Measured
from regrow.media.audio.mel import MelSettings

SETTINGS = MelSettings()
SAMPLES = 512 * SETTINGS.hop


@pytest.fixture(scope="module")
def tasks() -> list:
    return sound_tasks(3, FIRST_SEED, SAMPLES, SETTINGS.rate)


def test_a_task_changes_the_instrument_and_nothing_else(tasks: list) -> None:
    for task in tasks:
        assert task.target == task.phrase.replace(instrument=task.target.instrument)
        assert task.target.instrument != task.phrase.instrument
        assert task.before.shape == task.truth.shape == (1, SAMPLES)
    assert [task.seed for task in tasks] == [task.seed for task in sound_tasks(3, FIRST_SEED, SAMPLES, SETTINGS.rate)]


def test_the_truth_is_read_and_keeps_its_notes_and_the_source_is_not_the_target(tasks: list) -> None:
    judge = load_judge("bandstand")
    right = _results(judge, tasks, torch.stack([task.truth for task in tasks]), SETTINGS)
    wrong = _results(judge, tasks, torch.stack([task.before for task in tasks]), SETTINGS)
    assert all(result.right_instrument and result.truth == 0 and result.source > 3 for result in right)
    assert all(not result.right_instrument and result.source == 0 and result.truth > 3 for result in wrong)
    assert summary(right)["notes"].value > 0.8


def test_the_table_and_the_json_say_what_ran_and_what_did_not(tasks: list) -> None:
    judge = load_judge("bandstand")
    results = tuple(_results(judge, tasks[:2], torch.stack([task.truth for task in tasks[:2]]), SETTINGS, 40.0, 1.5))
    setting = Setting(0.7, 3)
    measured = (
        Measured("anchored", "", False, setting, ((setting, results),), results),
        Measured("a baseline", "", True, failure="it takes pictures only"),
    )
    figures = SoundFigures("tiny", 2, FIRST_SEED, 2, {"truth": results, "source": results}, measured, 1.0)
    out = io.StringIO()
    print_table(figures, out)
    assert "anchored 0.7 g3           100 [100, 100]" in out.getvalue()
    assert "a baseline: did not run: it takes pictures only" in out.getvalue()
    assert max(map(len, out.getvalue().splitlines())) <= 120
    plain = as_dict(figures)["measured"]
    assert plain[0]["figures"]["evaluations"]["value"] == 40
    assert plain[1] == {"editor": "a baseline", "rival": True, "failure": "it takes pictures only"}
