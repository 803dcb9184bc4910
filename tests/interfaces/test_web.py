"""The page without a browser: its worker, its history, and what it lets in."""

import io
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import tyro
from homes import sharing_engines

from regrow.interfaces.web import history, places, processes
from regrow.interfaces.web.app import serve
from regrow.interfaces.web.guard import is_local
from regrow.interfaces.web.job_handlers import KINDS
from regrow.interfaces.web.jobs import At, Job
from regrow.interfaces.web.own_files import OwnFiles
from regrow.interfaces.web.tabs.models_tab import default_card
from regrow.interfaces.web.tabs.train_tab import command_of
from regrow.interfaces.web.worker import Worker
from regrow.media.audio.sound import load, read_recipe
from regrow.media.files import MediaError, file_hash
from regrow.media.image.picture import save
from regrow.models.open import Listed
from regrow.requests.train import Train

SHARED = OwnFiles(private=False)
PROGRAM = "from regrow.interfaces.cli import main; main()"
EXAMPLE = Path(__file__).parents[2] / "examples" / "cat.png"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REGROW_HOME", str(sharing_engines(tmp_path / "home")))
    return tmp_path / "home"


class Gate:
    """A kind of work that waits until it is let go on, and says how far it came."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.open: set[str] = set()

    def __call__(self, job: Job, opened: object) -> Iterator[At]:
        name = job.settings["name"]
        self.begun.append(name)
        index = 0
        while name not in self.open:
            time.sleep(0.01)
            index += 1
            yield At("wait", index, 0)
        if job.settings.get("bad"):
            raise MediaError("It is bad.")


def over(worker: Worker, job: Job) -> str:
    """The state that a job ends in."""
    *_, last = worker.watch(job)
    return last.state


def test_jobs_wait_in_order_and_say_their_place(home: Path) -> None:
    gate = Gate()
    worker = Worker({"gate": gate})
    one, two, three = (worker.submit(f"browser {n}", "gate", {"name": n, "bad": n == "2"}) for n in "123")
    while not gate.begun:
        time.sleep(0.01)
    assert [worker.place(job) for job in (one, two, three)] == [0, 1, 2]
    worker.cancel(two)
    assert over(worker, two) == "cancelled"
    assert worker.place(three) == 1
    gate.open |= set("123")
    assert (over(worker, one), over(worker, three)) == ("done", "done")
    assert gate.begun == ["1", "3"]
    assert worker.latest("browser 1", ("gate",)) is one


def test_a_failure_is_a_sentence_and_the_next_job_runs(home: Path) -> None:
    gate = Gate()
    gate.open |= {"1", "2"}
    worker = Worker({"gate": gate, "broken": lambda job, opened: iter([1 / 0])})  # pyright: ignore
    bad, broken = worker.submit("", "gate", {"name": "1", "bad": True}), worker.submit("", "broken", {})
    last = worker.submit("", "gate", {"name": "2"})
    assert (over(worker, bad), bad.error) == ("failed", "It is bad.")
    assert over(worker, broken) == "failed"
    assert "division by zero" in broken.error
    assert over(worker, last) == "done"


def test_cancelling_ends_a_long_step_inside_the_network(home: Path) -> None:
    layer = torch.nn.Linear(2, 2)

    def endless(job: Job, opened: object) -> Iterator[At]:
        yield At("step", 1, 2)
        while True:  # one step of a large model, a layer at a time
            layer(torch.ones(2))

    worker = Worker({"endless": endless})
    job = worker.submit("", "endless", {})
    while job.progress[1] == 0:
        time.sleep(0.01)
    asked = time.monotonic()
    worker.cancel(job)
    worker.submit("", "endless", {})
    while not any(one.state == "running" for one in worker.jobs.values()):
        time.sleep(0.01)
        assert time.monotonic() - asked < 1
    worker.cancel(worker.latest("", ("endless",)) or job)


def test_what_was_waiting_is_taken_up_again(home: Path) -> None:
    before = Job("20260101-000000-aa", "browser", "gate", {"name": "1"}, "running", facts={"tries": 1})
    given_up = Job("20260101-000001-aa", "browser", "gate", {"name": "2"}, "running", facts={"tries": 2})
    before.keep()
    given_up.keep()
    gate = Gate()
    gate.open |= {"1", "2"}
    worker = Worker({"gate": gate})
    assert over(worker, worker.jobs[before.id]) == "done"
    assert gate.begun == ["1"]
    assert json.loads((given_up.folder / "job.json").read_text())["state"] == "failed"


def test_a_server_that_starts_again_knows_what_each_browser_made_last(home: Path) -> None:
    def done(owner: str, name: str, kind: str = "edit") -> Job:
        job = Job(name, owner, kind, {}, state="done", files=["x.png"])
        job.keep()
        (job.folder / "x.png").touch()
        return job

    done("one", "1")
    last, other = done("one", "2"), done("two", "3")
    (done("three", "4").folder / "x.png").unlink()  # a result that was deleted
    worker = Worker({})
    assert worker.latest("one", ("edit",)) == last
    assert worker.latest("two", ("edit",)) == other
    assert worker.latest("three", ("edit",)) is None
    assert not worker.queue


def test_pictures_are_bounded_and_kept_once(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = places.keep_picture(EXAMPLE)
    assert kept.read_bytes() == EXAMPLE.read_bytes()
    assert places.keep_picture(EXAMPLE) == kept
    (tmp_path / "empty.png").touch()
    with pytest.raises(MediaError, match=r"empty.png is empty"):
        places.keep_picture(tmp_path / "empty.png")
    monkeypatch.setattr(places, "MOST_PIXELS", 100)
    with pytest.raises(MediaError, match=r"more than the 0\.0001 megapixels"):
        places.keep_picture(EXAMPLE)
    monkeypatch.setattr(places, "MOST_BYTES", 100)
    with pytest.raises(MediaError, match="more than the 0 MB"):
        places.keep_picture(EXAMPLE)


def test_sounds_are_bounded_and_kept_once(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = places.keep_sound(places.PIANO)
    assert kept.read_bytes() == places.PIANO.read_bytes()
    assert (kept.suffix, places.keep_sound(places.PIANO)) == (".flac", kept)
    for name, data, sentence in (
        ("empty.wav", b"", "empty.wav is empty"),
        ("cat.wav", EXAMPLE.read_bytes(), "cat.wav is a picture"),
        ("cut.flac", places.PIANO.read_bytes()[:9000], "cut.flac is (cut short|damaged)"),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(MediaError, match=sentence):
            places.keep_sound(tmp_path / name)
    monkeypatch.setattr(places, "MOST_SECONDS", 5)
    with pytest.raises(MediaError, match=r"piano\.flac lasts 6 s, more than the 5 s"):
        places.keep_sound(places.PIANO)


def test_a_worker_edits_a_sound_and_makes_it_again(home: Path) -> None:
    worker = Worker(KINDS)
    settings = {"image": str(places.keep_sound(places.PIANO)), "target": ["a slow sad violin melody"], "mask": None}
    settings |= {"source": "a slow sad piano melody", "model": "bandstand", "steps": 2, "span": "1:2"}
    job = worker.submit("", "edit", settings)
    assert over(worker, job) == "done", job.error
    assert set(job.beside) == {"original", "before", "seen-1"}
    made = job.folder / job.files[0]
    recipe = read_recipe(made)
    assert recipe is not None
    assert (recipe["settings"]["span"], recipe["operation"]) == ("1:2", "edit")
    before, after = (load(file).wave for file in (places.PIANO, made))
    assert torch.equal(before[:, :22050], after[:, :22050])
    assert not torch.equal(before[:, 22050:44100], after[:, 22050:44100])
    again = worker.submit("", "again", {"file": str(made), "input": settings["image"]})
    assert over(worker, again) == "done", again.error
    assert again.facts["identical"]
    assert history.listed(9, SHARED, "") == [again.folder / again.files[0], made]
    assert history.picture_of(made) == job.folder / job.beside["seen-1"]
    kind, found, here = history.settings_in(made, SHARED, "")
    assert (kind, found["medium"], found["sound"], here) == ("edit", "sound", settings["image"], True)
    assert (found["begin"], found["end"]) == (1, 2)
    history.delete(made, SHARED, "")
    assert not job.folder.exists()


@pytest.mark.parametrize(
    "request_",
    [
        Train(Path("/sounds"), "mine", medium="sound", new="tiny", time="20m", batch=4, sample_minutes=2.0, seed=3),
        Train(Path("/pictures"), "mine", medium="picture", start="storybook", steps=5, lora=8, sample_minutes=0.0),
    ],
)
def test_the_tab_asks_for_a_training_by_the_command_line(request_: Train) -> None:
    verb, *given = command_of(request_)
    assert verb == "train"
    assert tyro.cli(Train, args=given) == request_


def test_a_recipe_cannot_name_files_outside(home: Path, tmp_path: Path) -> None:
    settings = {"target": ["x"], "source": "y", "strength": 0.5, "start_step": None, "model": "storybook", "steps": 3}
    settings |= {"mask": "/etc/passwd", "trajectory": "/etc/passwd"}
    pixels = torch.zeros(3, 8, 8)
    own = places.keep_picture(EXAMPLE)
    for file, here in ((EXAMPLE, None), (own, str(own))):
        recipe = {"operation": "edit", "settings": settings}
        recipe["input"] = {"file": str(file), "hash": file_hash(file)}
        save(tmp_path / "made.png", pixels, recipe)
        kind, found, _ = history.settings_in(tmp_path / "made.png", SHARED, "")
        assert (kind, found["image"], found["target"]) == ("edit", here, "x")
        assert found["mask"] is None
        assert "trajectory" not in found
    with pytest.raises(MediaError, match="no model"):
        places.known_model("/etc")


def test_history_lists_newest_first_and_deletes_only_its_own(home: Path, tmp_path: Path) -> None:
    for stamp in ("20260101-000000-aa", "20260102-000000-aa"):
        job = Job(stamp, "", "generate", {}, "done", files=["a-cat-1.png", "a-cat-2.png"])
        job.keep()
        for name in job.files:
            save(job.folder / name, torch.zeros(3, 8, 8))
    found = history.listed(9, SHARED, "")
    assert history.listed(3, SHARED, "") == found[:3]
    assert [path.parent.name[:8] for path in found] == ["20260102", "20260102", "20260101", "20260101"]
    assert history.caption(found[0]) == "a cat · 01-02 00:00"
    save(tmp_path / "other.png", torch.zeros(3, 8, 8))
    with pytest.raises(MediaError, match="none of the page's"):
        history.delete(tmp_path / "other.png", SHARED, "")
    for path in found[:2]:
        history.delete(path, SHARED, "")
    assert not found[0].parent.exists()
    assert len(history.listed(9, SHARED, "")) == 2


def test_a_model_without_a_card_says_what_is_known(home: Path) -> None:
    folder = home / "models" / "mine <two>"
    folder.mkdir(parents=True)
    listed = Listed("mine <two>", folder, "stable-diffusion")
    for about, said in (
        ("{}", "makes pictures"),
        ('{"stages": [1]}', "does not say what it was trained on"),
        ('{"stages": {"codec": {"steps": null, "seconds": 3}}}', "does not say"),
        (
            '{"data": "pics", "base_model": "storybook", "stages": {"a": {"steps": 5, "seconds": 90}}}',
            "trained on pics, going on from storybook: 5 steps in 1.5 minutes",
        ),
    ):
        (folder / "training.json").write_text(about)
        words = default_card(listed, None)
        assert said in words
        assert "mine &lt;two&gt;" in words
        assert "states no licence" in words


def test_a_process_is_known_by_when_it_began(home: Path) -> None:
    folder = home / "page" / "processes"
    processes.start("long", ["--help"])
    told = json.loads((folder / "long.json").read_text())
    assert processes.running("long") == told["pid"]
    for other in ({"began": 1.0}, {"began": None}):  # its number was given anew, or an older record
        (folder / "other.json").write_text(json.dumps(told | {"pid": os.getpid()} | other))
        assert processes.running("other") is None
        assert not processes.stop("other")
    os.waitpid(told["pid"], 0)
    assert processes.running("long") is None


def test_of_a_long_log_few_points_are_sent_and_torn_lines_are_left_out(home: Path) -> None:
    log = home / "runs" / "mine" / "denoiser" / "log.jsonl"
    log.parent.mkdir(parents=True)
    lines = [json.dumps({"step": i, "seconds": i, "samples": i, "loss": 1.0}) for i in range(3000)]
    lines[7] = '{"step": 7, "sec' + lines[7]
    log.write_text("\n".join([*lines, '{"step": 3000, "lo']))
    run = processes.run("mine")
    assert run.step == 2999
    assert 400 < len(run.losses) < 600


def test_another_address_needs_a_password() -> None:
    for host, share in (("0.0.0.0", False), ("192.168.1.2", False), ("127.0.0.1", True)):
        with pytest.raises(ValueError, match="needs a password of 8"):
            serve(host, 0, share, "short", False, io.StringIO())
    assert [is_local(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "::", "example.org")] == [
        True, True, True, False, False, False,
    ]  # fmt: skip
