"""The benchmark of sound edits: tasks whose answer is known, results that say so, and models of any family."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from regrow.benchmark.editors import Setting, own_editors, sound_editors, why_not
from regrow.benchmark.judges import load_judge
from regrow.benchmark.sound import measure as measures
from regrow.benchmark.sound.bench import bench_sounds
from regrow.benchmark.sound.figures import SoundFigures, as_dict, print_table, summary
from regrow.benchmark.sound.measure import Measure, span_kept
from regrow.benchmark.sound.tasks import (
    FIRST_SEED,
    RATE,
    from_model,
    knows_bandstand,
    seconds_of,
    sound_tasks,
    to_model,
)
from regrow.benchmark.tuning import Measured
from regrow.core.progress import finish
from regrow.editing.result import Result
from regrow.interfaces.cli import main
from regrow.models.model import Model
from regrow.models.open import open_model

SECONDS = 512 * 256 / RATE
FEW = ("direct_inversion", "inversion_free", "img2img, free")


class Fits:
    """A stand-in for CLAP: what it returns for what it was asked."""

    name = "tiny-clap"

    def similarity(self, wave: torch.Tensor, rate: int, words: str) -> float:
        assert rate == RATE
        return len(words) / 100

    def distance(self, first: torch.Tensor, second: torch.Tensor, rate: int) -> float:
        return float((first - second).abs().mean())


@pytest.fixture(scope="module")
def tasks() -> list:
    return sound_tasks(3, FIRST_SEED, SECONDS)


@pytest.fixture(scope="module")
def bandstand() -> Model:
    return open_model("bandstand")


@pytest.fixture(scope="module")
def waves(checkpoint: Callable[[str], Path]) -> Model:
    return open_model(checkpoint("stable-audio"))


def test_a_task_changes_the_instrument_and_nothing_else(tasks: list) -> None:
    for task in tasks:
        assert task.target == task.phrase.replace(instrument=task.target.instrument)
        assert task.target.instrument != task.phrase.instrument
        assert task.before.shape == task.truth.shape == (1, 512 * 256)
    assert [task.seed for task in tasks] == [task.seed for task in sound_tasks(3, FIRST_SEED, SECONDS)]


def test_the_truth_is_read_and_keeps_its_notes_and_the_source_is_not_the_target(tasks: list, bandstand: Model) -> None:
    measure, tasks = Measure(bandstand, load_judge("bandstand")), tasks[:2]
    right = measure.results(tasks, [task.truth for task in tasks])
    wrong = measure.results(tasks, [task.before for task in tasks])
    assert all(result.right_instrument and result.truth == 0 and result.source > 3 for result in right)
    assert all(not result.right_instrument and result.source == 0 and result.truth > 3 for result in wrong)
    assert all(result.chroma == pytest.approx(1) and result.loudness == 0 for result in wrong)
    assert all(result.codec > 1 for result in wrong), "what the codec loses"
    assert summary(right)["notes"].value > 0.8
    assert 0.5 < summary(right)["chroma"].value < summary(wrong)["chroma"].value


def test_only_a_model_that_was_taught_its_words_is_heard_by_the_bandstands_judge(
    bandstand: Model, waves: Model
) -> None:
    assert knows_bandstand(bandstand)
    assert not knows_bandstand(waves)
    assert not knows_bandstand(open_model("storybook"))


def test_sounds_are_as_long_as_a_model_takes_at_once_and_six_seconds_at_most(bandstand: Model, waves: Model) -> None:
    assert seconds_of(bandstand) == SECONDS
    assert seconds_of(waves) == 128 * 256 / 44_100
    longer = replace(waves, size=(2, 10_000 * 256))
    assert 6 - 256 / 44_100 < seconds_of(longer) <= 6


def test_a_model_gets_a_sound_at_its_own_rate_and_the_same_comes_back(waves: Model) -> None:
    (task,) = sound_tasks(1, FIRST_SEED, seconds_of(waves))
    frames, levels = to_model(waves, [task.before])
    assert frames.shape == (1, 2, 128 * 256)
    assert torch.equal(frames[:, 0], frames[:, 1])
    (back,) = from_model(waves, frames, levels, task.before.shape[-1])
    assert back.shape == task.before.shape
    middle = slice(2000, -2000)  # resampling rings at both ends
    assert float((back - task.before)[:, middle].abs().max()) < 0.05 * float(task.before.abs().max())


@pytest.mark.usefixtures("home")
def test_any_family_is_measured_by_distances_level_and_likeness(waves: Model) -> None:
    waves.edit_steps = 3
    chosen = [editor for editor in sound_editors() if editor.name in FEW]
    figures = finish(bench_sounds(waves, chosen, 2, tuning=5, settings=2, spans=1, clap=Fits()))  # pyright: ignore
    assert figures.tuning == 0, "nobody hears which setting is good"
    assert [one.editor for one in figures.measured] == list(FEW)
    for one in figures.measured:
        assert one.chosen == next(editor for editor in chosen if editor.name == one.editor).settings[0]
        means = summary(one.results)
        assert {"truth", "source", "codec", "loudness", "chroma", "melody", "clap", "lpaps"} <= set(means)
        assert not {"heard", "notes"} & set(means)
        assert means["evaluations"].value > 2
    kept = [[result.span_kept for result in one.results] for one in figures.measured]
    assert kept == [[True, None], [True, None], [None, None]]
    out = io.StringIO()
    print_table(figures, out)
    text = out.getvalue()
    assert "outside a span, %" in text
    assert "heard, notes: not measured" in text
    assert "CLAP, LPAPS: not measured" not in text
    assert max(map(len, text.splitlines())) <= 120
    facts = as_dict(figures)
    assert facts["clap"] == "tiny-clap"
    assert json.dumps(facts)


@pytest.mark.usefixtures("home")
def test_the_command_writes_the_table_of_a_folder(
    checkpoint: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, path = checkpoint("stable-audio"), tmp_path / "figures.json"
    main([
        *("bench", "sound", "--model", str(folder), "--phrases", "1", "--spans", "0", "--only", "delta_denoising"),
        *("ddim pair", "--figures", str(path)),
    ])  # fmt: skip
    text = capsys.readouterr().out
    assert "chroma, cosine" in text
    assert "delta_denoising 0.9 g4" in text
    assert "ddim pair: did not run: it needs a network that predicts noise or v" in text
    assert "CLAP, LPAPS: not measured, for no CLAP model was given" in text
    (one, refused) = json.loads(path.read_text())["measured"]
    assert one["figures"]["evaluations"]["value"] > 30
    assert refused["failure"].endswith("another family (stable-audio).")


@pytest.mark.usefixtures("home")
def test_a_model_without_words_is_measured_without_guidance(checkpoint: Callable[[str], Path]) -> None:
    model = open_model(checkpoint("audio-diffusion"))
    model.edit_steps = 2
    chosen = [editor for editor in sound_editors() if editor.name in ("img2img", "uni_edit")]
    figures = finish(bench_sounds(model, chosen, 1, spans=0))
    by_name = {one.editor: one for one in figures.measured}
    assert by_name["img2img"].chosen == Setting(0.9, 1)
    assert by_name["img2img"].results[0].evaluations == 2
    assert "takes no prompts" in by_name["uni_edit"].failure


def test_a_family_without_a_path_is_told_so_by_each_method_that_inverts(
    waves: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not [editor.name for editor in own_editors() if why_not(waves, editor)]
    monkeypatch.setattr(type(waves), "deterministic_path", False)
    refused = {editor.name for editor in own_editors() if why_not(waves, editor)}
    assert "direct_inversion" in refused
    assert not refused & {"img2img", "inversion_free", "delta_denoising"}


@pytest.mark.usefixtures("home")
def test_a_sample_outside_the_span_that_changes_is_found(waves: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    waves.edit_steps = 2
    (task,) = sound_tasks(1, FIRST_SEED, seconds_of(waves))
    editor = next(editor for editor in own_editors() if editor.name == "img2img")
    assert span_kept(waves, editor, Setting(0.9, 2), task)
    right = measures.edit

    def off_by_one_sample(*given):
        result: Result = yield from right(*given)
        result.items[0][0, 3] += 1e-4
        return result

    monkeypatch.setattr(measures, "edit", off_by_one_sample)
    assert not span_kept(waves, editor, Setting(0.9, 2), task)


def test_the_table_and_the_json_say_what_ran_and_what_did_not(tasks: list, bandstand: Model) -> None:
    measure = Measure(bandstand, load_judge("bandstand"))
    results = tuple(measure.results(tasks[:2], [task.truth for task in tasks[:2]], 40.0, 1.5))
    setting = Setting(0.7, 3)
    measured = (
        Measured("anchored", "", False, setting, ((setting, results),), results),
        Measured("a baseline", "", True, failure="it takes pictures only"),
    )
    figures = SoundFigures("tiny", 2, FIRST_SEED, 2, {"truth": results, "source": results}, measured, 1.0, SECONDS)
    out = io.StringIO()
    print_table(figures, out)
    assert "anchored 0.7 g3           100 [100, 100]" in out.getvalue()
    assert "a baseline: did not run: it takes pictures only" in out.getvalue()
    assert max(map(len, out.getvalue().splitlines())) <= 120
    plain = as_dict(figures)["measured"]
    assert plain[0]["figures"]["evaluations"]["value"] == 40
    assert plain[1] == {"editor": "a baseline", "rival": True, "failure": "it takes pictures only"}
