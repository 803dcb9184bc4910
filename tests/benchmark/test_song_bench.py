"""The benchmark of singers: it runs, goes on where it was killed, says what it found, and refuses in a sentence."""

import json
from pathlib import Path

import numpy as np
import pytest

from regrow.benchmark.song import bench as benches
from regrow.benchmark.song import songs
from regrow.benchmark.song.bench import bench_songs
from regrow.benchmark.song.edits import EDIT, EDITORS, LIMITS, REGENERATED, edited
from regrow.benchmark.song.figures import SongFigures, as_dict, markdown, of_edits, of_songs
from regrow.benchmark.song.songs import edit_tasks, held_out_song
from regrow.core.progress import finish
from regrow.interfaces.cli import main
from regrow.media.audio import voice
from regrow.models.errors import ModelError
from regrow.models.families.singer import Singer
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.requests.bench import BenchSong


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("singer")
    Singer.write_new(path, seed=0, size="tiny")
    return path


@pytest.fixture(scope="module")
def singer(folder: Path) -> Model:
    return open_model(folder)


def test_a_run_goes_on_where_it_was_killed(singer: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = BenchSong(songs=2, edits=1, tuning=0, steps=2, out=tmp_path / "rows.jsonl")
    monkeypatch.setattr(benches, "EDITORS", EDITORS[:1] + EDITORS[-1:])
    calls = []
    real = benches.timed
    monkeypatch.setattr(benches, "timed", lambda *args: calls.append(args[2]) or real(*args))
    first = bench_songs(singer, request)
    next(first)
    first.close()
    figures = finish(bench_songs(singer, request))
    assert calls == [songs.FIRST_SEED, songs.FIRST_SEED + 1]
    lines = request.out.read_text().splitlines() if request.out else []
    assert finish(bench_songs(singer, request)).songs == figures.songs
    assert request.out
    assert request.out.read_text().splitlines() == lines
    assert len(calls) == 2
    assert set(figures.edits) == {REGENERATED, EDIT, *LIMITS}
    with pytest.raises(ValueError, match="another solver of it; name another file"):
        finish(bench_songs(singer, BenchSong(steps=3, out=request.out)))


def rows(right: int) -> dict[str, object]:
    """A song of four of everything, of which a model has so many right and the teacher all."""
    whole, model = [4, 4], [right, 4]
    voices = {
        name: {"pitch": share, "notes": share, "onsets": share, "on_time": share, "words": share, "mel": 0.5}
        for name, share in (("teacher", whole), ("frames", whole), ("model", model))
    }
    return {"singer": "heart", "thrown": 1, "limit": whole, "length": 4.0, "seconds": 0.5, "threads": 1, **voices}


def edits(granted: int, truth: float) -> list[dict[str, object]]:
    return [{"granted": [granted, 2], "tune": [9, 10], "truth": truth, "inside": 2 * truth, "outside": 1.0}]


def test_figures_are_shares_of_all_songs_together() -> None:
    made = {"regenerated": edits(2, 4.0), "img2img": edits(1, 3.0), "edit": edits(2, 1.0)}
    figures = SongFigures("a", 10, "ddim", 17.5, [rows(4), rows(2)], made, dict.fromkeys(made, 1.0), 3, 9.0)
    estimates = of_songs(figures)
    assert estimates["model pitch"].value == 0.75
    assert estimates["model words"].value == 0.25
    assert estimates["more"].value == 0.25
    assert estimates["speed"].value == 8
    assert (estimates["model pitch"].low, estimates["model pitch"].high) == (0.5, 1)
    each = of_edits(figures)["edit"]
    assert each["granted of regenerated"].value == 1
    assert each["truth of regenerated"].value == 0.25
    assert each["inside of img2img"].value == pytest.approx(1 / 3)
    text = markdown(figures)
    assert "| pitch within 25 cents of the curve, % | 100.0 [100.0, 100.0]" in text
    assert "2 more songs were thrown away" in text
    assert "| more than the teacher, points | - | - | 25.0 [0.0, 50.0] | 3 |" in text
    assert all(line.count("|") == 6 for line in text.split("\n\n")[1].splitlines())
    assert json.loads(json.dumps(as_dict(figures)))["songs"]["speed"]["value"] == 8


def test_an_edit_keeps_every_sample_outside_of_what_changes(singer: Model) -> None:
    task = next(edit_tasks(1))
    made = edited(singer, task, 1.0)
    outside = np.repeat(~task.frames, voice.HOP)
    assert outside.mean() > 0.2
    assert (made == task.before)[outside].all()
    assert (made != task.before)[~outside].mean() > 0.9


def test_held_out_songs_are_sung_whole_and_are_the_same_again() -> None:
    from regrow.worlds.songbook.teacher import unvoiced_vowels

    first, again = held_out_song(songs.FIRST_SEED + 2), held_out_song(songs.FIRST_SEED + 2)
    assert first.score == again.score
    assert first.thrown > 0
    assert (first.wave == again.wave).all()
    assert unvoiced_vowels(first.score, first.wave) == []


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(songs.EXTRAS, "no_such_module", "pocketsphinx")
    with pytest.raises(ModelError, match=r"needs pocketsphinx: pip install 'regrow\[songs\]'"):
        songs.check_extras()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--model", "storybook"], "storybook is a model of pictures: use a model of sounds, such as --model"),
        (["--model", "bandstand"], "bandstand sings no scores; the song benchmark needs a model of the family singer"),
        (["--songs", "0"], "--songs and --shown must be 1 or more"),
        (["--steps", "0"], "--steps must be 1 or more; got 0"),
        (["--out", "nowhere/x.jsonl"], "cannot be written, as the folder nowhere"),
    ],
)
def test_mistakes_get_a_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(["bench", "song", *arguments])
    assert sentence in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
