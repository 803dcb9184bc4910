"""What a run's folder remembers: the request that began it, and what of it may change."""

from dataclasses import replace
from pathlib import Path

import pytest

from regrow.requests.train import Train
from regrow.training.runs import check_request, clear, diverged, keep_request, other_data, resumed, run_of, spend

pytestmark = pytest.mark.usefixtures("home")
BEGUN = Train(Path("/pictures"), "mine", prompts=("a cat", "a dog"), logit_normal=(0.6, 1.2))


def begun(request: Train, checkpoint: bool = True) -> Path:
    """A run of this request, with a checkpoint or killed before its first."""
    run = run_of(request.name)
    for folder in (run / "start", run / "denoiser"):
        folder.mkdir(parents=True)
        (folder / "model.safetensors").touch()
    (run / "denoiser" / "log.jsonl").touch()
    if checkpoint:
        (run / "denoiser" / "step-00000002.0.safetensors").touch()
    keep_request(resumed(request))
    return run


def test_the_same_request_goes_on_whatever_its_settings_are() -> None:
    begun(BEGUN)
    check_request(resumed(BEGUN))
    assert resumed(Train(resume="mine")) == BEGUN


def test_a_run_from_a_relative_folder_goes_on_from_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kl").mkdir()
    (tmp_path / "kl" / "model_index.json").touch()
    request = replace(BEGUN, data=Path("pictures"), start="./kl")
    monkeypatch.chdir(tmp_path)
    begun(request)
    check_request(resumed(request))
    monkeypatch.chdir("/")
    found = resumed(Train(resume="mine"))
    assert (found.start, found.data) == (str(tmp_path / "kl"), tmp_path / "pictures")
    check_request(found)
    assert resumed(replace(BEGUN, start="storybook")).start == "storybook"


def test_how_often_something_is_kept_or_drawn_may_change() -> None:
    begun(BEGUN)
    check_request(resumed(replace(BEGUN, minutes=5, sample_minutes=0, prompts=())))
    assert resumed(Train(resume="mine", minutes=5, prompts=("a cow",))) == replace(BEGUN, minutes=5, prompts=("a cow",))
    keep_request(replace(BEGUN, minutes=60, sample_minutes=30))
    again = resumed(Train(resume="mine", minutes=2, sample_minutes=10))  # as they are where they are not given
    assert (again.between_checkpoints, again.between_grids) == (2, 10)
    with pytest.raises(ValueError, match=r"other settings \(drop was 0.1 and is 0.2\)"):
        check_request(resumed(replace(BEGUN, drop=0.2, minutes=5)))
    with pytest.raises(ValueError, match=r"--resume goes on with the run's own settings; leave out --for, --drop\."):
        Train(resume="mine", drop=0.2, time="3h")


def test_a_run_without_a_checkpoint_is_begun_anew_with_other_settings() -> None:
    run = begun(BEGUN, checkpoint=False)
    check_request(resumed(BEGUN))
    clear(resumed(BEGUN))
    assert (run / "start" / "model.safetensors").exists()
    other = resumed(replace(BEGUN, size=64))
    check_request(other)
    clear(other)
    assert not list(run.iterdir())


def test_a_run_that_diverged_says_whether_its_name_is_free() -> None:
    run = begun(BEGUN)
    assert "lower --rate, which was 0.5, and choose another --name; the last good checkpoints are kept in" in (
        diverged("denoiser", 7, 0.5, run)
    )
    spend("mine")
    assert diverged("denoiser", 7, 0.5, run).endswith("lower --rate, which was 0.5, and run it again.")


def test_a_folder_that_changed_while_a_run_was_stopped_is_named() -> None:
    begun(BEGUN)
    assert other_data("mine", "some pictures") == ()
    assert other_data("mine", "some pictures") == ()
    (note,) = other_data("mine", "other pictures")
    assert "has changed since it began" in note


def test_what_a_published_run_would_have_gone_on_from_goes() -> None:
    run = begun(BEGUN)
    (run / "denoiser" / "best.safetensors").touch()
    spend("mine")
    kept = {path.relative_to(run).as_posix() for path in run.rglob("*.*")}
    assert kept == {"request.json", "denoiser/log.jsonl", "denoiser/model.safetensors"}
