"""What a run's folder remembers: the request that began it, and what of it may change."""

from dataclasses import replace
from pathlib import Path

import pytest
from named_pipes import without_waiting

from regrow.requests.train import Train
from regrow.training.run_log import read_log
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


def test_a_run_whose_folder_was_renamed_goes_on_under_the_new_name() -> None:
    begun(BEGUN).rename(run_of("other"))
    request = resumed(Train(resume="other"))
    assert request == replace(BEGUN, name="other")
    check_request(request)
    clear(request)
    assert (run_of("other") / "denoiser" / "log.jsonl").exists()


def test_how_often_something_is_kept_or_drawn_may_change() -> None:
    begun(BEGUN)
    check_request(resumed(replace(BEGUN, minutes=5, sample_minutes=0, prompts=())))
    assert resumed(Train(resume="mine", minutes=5, prompts=("a cow",))) == replace(BEGUN, minutes=5, prompts=("a cow",))
    keep_request(replace(BEGUN, minutes=60, sample_minutes=30))
    again = resumed(Train(resume="mine", minutes=2, sample_minutes=10))  # as they are where they are not given
    assert (again.between_checkpoints, again.between_grids) == (2, 10)
    with pytest.raises(ValueError, match=r"other settings \(drop was 0.1 and is 0.2\)"):
        check_request(resumed(replace(BEGUN, drop=0.2, minutes=5)))
    with pytest.raises(ValueError, match=r"--resume continues a run with its own settings: leave out --for, --drop\."):
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
    assert "use a lower --rate than 0.5, and choose another --name. The last good checkpoints are kept in" in (
        diverged("denoiser", 7, 0.5, run)
    )
    spend("mine")
    assert diverged("denoiser", 7, 0.5, run).endswith("use a lower --rate than 0.5, and run it again.")


def test_a_folder_that_changed_while_a_run_was_stopped_is_named() -> None:
    begun(BEGUN)
    assert other_data("mine", "some pictures") == ()
    assert other_data("mine", "some pictures") == ()
    (note,) = other_data("mine", "other pictures")
    assert "NOTE: the training data has changed since the run began" in note


def test_what_a_published_run_would_have_gone_on_from_goes() -> None:
    run = begun(BEGUN)
    (run / "denoiser" / "best.safetensors").touch()
    spend("mine")
    kept = {path.relative_to(run).as_posix() for path in run.rglob("*.*")}
    assert kept == {"request.json", "denoiser/log.jsonl", "denoiser/model.safetensors"}


DAMAGED = {
    "null": b"null", "a list": b"[]", "cut short": b"{", "lists in lists": b"[" * 100_000, "no UTF-8": b"\xff\xfe",
    "data of a number": b'{"data": 5}', "steps in words": b'{"data": "/pictures", "start": "", "steps": "x"}',
}  # fmt: skip


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_request_is_one_sentence_and_goes_where_nothing_was_made_by_it(content: bytes) -> None:
    run = begun(BEGUN)
    (run / "request.json").write_bytes(content)
    sentence = r"request\.json is damaged and does not say any more how the run began \(.*\): put back a copy of it"
    with pytest.raises(ValueError, match=sentence):
        resumed(Train(resume="mine"))
    with pytest.raises(ValueError, match=sentence):
        check_request(resumed(BEGUN))
    clear(resumed(BEGUN))
    assert (run / "request.json").exists()
    spend("mine")  # then there is nothing to go on from
    clear(resumed(BEGUN))
    assert not list(run.iterdir())


def test_a_note_of_the_data_that_is_no_text_is_that_of_other_data() -> None:
    run = begun(BEGUN)
    (run / "data.txt").write_bytes(b"\xff\xfe")
    (note,) = other_data("mine", "some pictures")
    assert "the training data has changed" in note
    assert other_data("mine", "some pictures") == ()


def test_what_is_no_line_of_a_log_is_left_out_and_a_pipe_in_its_place_not_waited_for(tmp_path: Path) -> None:
    odd = (b"null", b"[" * 100_000, b"\xff\xfe", b'{"step": "x"}', b'{"loss": 1}', b'{"step": 2, "lo')
    (tmp_path / "log.jsonl").write_bytes(b"\n".join((b'{"step": 1}', *odd)))
    assert read_log(tmp_path) == [{"step": 1}]
    (tmp_path / "log.jsonl").unlink()
    assert without_waiting(tmp_path / "log.jsonl", lambda: read_log(tmp_path)) == []
