"""What a training shows: a bar that fits a terminal, JSON that is JSON, and commands that work when they are copied."""

import json
import math
from pathlib import Path

import pytest

from regrow.interfaces import train_verb
from regrow.interfaces.cli import main
from regrow.requests.train import Train
from regrow.training.loop import FitState
from regrow.training.runs import keep_request, run_of
from regrow.training.train import Training


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGROW_HOME", str(tmp_path))


def test_a_terminal_of_80_columns_shows_the_losses_and_the_first_step_its_speed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tqdm.std._screen_shape_wrapper", lambda: lambda file: (80, 24))
    face = train_verb._Bar()
    face.show(Training("denoiser", fit=FitState(1, 20_000, 0.98765, 4.0, 1 / 20_000, 1.23456), batch=32))
    shown = str(face.bar)
    assert len(shown) <= 80
    assert shown.startswith("denoiser   0%: loss 0.9877, held out 1.2346, 22:13:16 left, 8.0 samples/s")
    face.show(Training("denoiser", fit=FitState(401, 20_000, 0.5, 404.0, 401 / 20_000), batch=32))
    assert str(face.bar).startswith("denoiser   2%: loss 0.5000, held out 1.2346, 5:29:0")
    capsys.readouterr()


def test_a_loss_that_is_no_number_is_null_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    train_verb._Json().show(Training("denoiser", fit=FitState(3, 9, math.nan, 1.0, 0.3)))
    line = json.loads(capsys.readouterr().out, parse_constant=lambda word: pytest.fail(word))
    assert (line["step"], line["loss"]) == (3, None)


def test_what_to_do_next_can_be_copied(tmp_path: Path) -> None:
    assert train_verb._hint(Train(name="my own", world="storybook", stage="pixel"), tmp_path) == (
        "try: regrow generate \"\" --model 'my own' --guidance 1"
    )
    codec = Train(Path("/my pictures"), "own", stage="codec")
    assert train_verb._hint(codec, tmp_path) == (
        "next, train its denoiser: regrow train '/my pictures' --from own --stage denoiser --name own-2"
    )
    (tmp_path / "text_encoder").mkdir()
    assert train_verb._hint(Train(Path("x"), "own"), tmp_path) == "try: regrow generate --model own WORDS"


def test_to_resume_what_is_finished_is_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_of("done").mkdir(parents=True)
    keep_request(Train(name="done", world="storybook", stage="pixel"))
    (tmp_path / "models" / "done").mkdir(parents=True)
    for dry in ([], ["--dry-run"]):
        main(["train", "--resume", "done", *dry])
        assert capsys.readouterr().out.startswith(
            f"The training of done is finished; its model is in {tmp_path / 'models' / 'done'}; try"
        )
