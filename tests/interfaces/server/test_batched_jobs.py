"""Jobs that fit are computed in one batch, whoever asked: each with its own result, recipe, progress and end."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gates import over, started
from homes import sharing_engines
from PIL import Image
from web_server import until

from regrow.editing.replay import recipe_in
from regrow.interfaces.server.history.history import History
from regrow.interfaces.server.jobs import local_executor
from regrow.interfaces.server.jobs.batches import fitting_key
from regrow.interfaces.server.jobs.events import Events
from regrow.interfaces.server.jobs.executor import Outcome
from regrow.interfaces.server.jobs.job import At, Job
from regrow.interfaces.server.jobs.local_executor import LocalExecutor, batch_of
from regrow.interfaces.server.jobs.queue import Queue
from regrow.interfaces.server.jobs.worker import Worker
from regrow.interfaces.server.sessions import Caller
from regrow.interfaces.server.verbs import all_works

SETTINGS = {"model": "storybook", "steps": 4}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REGROW_HOME", str(sharing_engines(tmp_path / "home")))
    return tmp_path / "home"


def job(owner: str, name: str, verb: str = "generate", **settings: Any) -> Job:
    return Job(name, owner, verb, {"prompt": name, "seed": len(name), **SETTINGS, **settings})


def test_jobs_that_differ_in_words_and_seed_alone_fit() -> None:
    key = fitting_key(job("a", "a cat"))
    assert key
    assert key == fitting_key(job("b", "a dog in the snow", negative="a beach", count=3))
    for other in (job("a", "a cat", steps=5), job("a", "a cat", model="other"), job("a", "a cat", size=[64, 64])):
        assert fitting_key(other) != key
    for alone in (job("a", "x", "verify"), job("a", "x", lyrics="la"), job("a", "x", "edit", attention="p2p")):
        assert fitting_key(alone) is None
    edits = [job("a", "", "edit", image=file, target=[file], source="") for file in ("one.png", "two.png")]
    assert fitting_key(edits[0]) == fitting_key(edits[1]) != key


def test_a_batch_takes_no_more_results_than_it_may_and_keeps_nobody_waiting() -> None:
    queue = Queue()
    for owner, name, steps in (("a", "a1", 4), ("a", "a2", 4), ("b", "b1", 9), ("a", "a3", 4), ("c", "c1", 4)):
        queue.add(job(owner, name, steps=steps))
    # in turn a1 b1 c1 a2 a3: c comes along, but a's others do not before b
    assert [one.id for one in queue.take(8)] == ["a1", "c1"]
    assert [one.id for one in queue.take(8)] == ["b1"]
    assert [one.id for one in queue.take(8)] == ["a2", "a3"]
    for name, count in (("one", 3), ("two", 3), ("three", 3), ("more", 2)):
        queue.add(job(name, name, count=count))
    assert [one.id for one in queue.take(8)] == ["one", "two", "more"]
    assert [one.id for one in queue.take(1)] == ["three"]


def test_batches_are_computed_where_they_pay_or_where_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    decide = batch_of.__wrapped__
    monkeypatch.setattr(local_executor, "find_spec", lambda _: None)
    assert [decide("storybook", *about) for about in (("cpu", 0), ("cpu", 4), ("cuda:0", 0))] == [1, 4, 8]
    monkeypatch.setattr(local_executor, "find_spec", lambda _: object())
    assert [decide("storybook", *about) for about in (("cpu", 0), ("cuda:0", 1))] == [8, 1]
    assert [decide(name, "cuda:0", 4) for name in ("bandstand", "none of them", "")] == [1, 1, 1]


@pytest.fixture
def forced() -> Worker:
    """A worker of batches, whose jobs wait until it is started."""
    events = Events()
    history = History(False, lambda owner, change: events.publish("history", change))
    return Worker([LocalExecutor(all_works, together=4)], events, history)


def pixels(one: Job) -> torch.Tensor:
    (name,) = one.files
    with Image.open(one.folder / name) as image:
        return torch.from_numpy(np.asarray(image.convert("RGB")).astype(np.int16))


def test_users_get_from_a_batch_what_each_gets_alone(forced: Worker) -> None:
    asked = {"a": ("a cat on a beach", 1), "b": ("an orange dog", 2), "c": ("a white rabbit in the snow", 3)}

    def submit(worker: Worker) -> list[Job]:
        each = asked.items()
        return [worker.submit(Caller(o), "generate", {"prompt": p, "seed": s, **SETTINGS}) for o, (p, s) in each]

    together = submit(forced)
    forced.start()
    assert [over(forced, one) for one in together] == ["done"] * 3
    assert [one.facts["together"] for one in together] == [3] * 3
    worker = started(all_works())
    for one in submit(worker):
        assert over(worker, one) == "done"
        beside = next(other for other in together if other.owner == one.owner)
        assert (pixels(one) - pixels(beside)).abs().max() <= 1  # of 255; without an engine torch rounds otherwise
        recipes = [recipe_in(each.folder / each.files[0]) for each in (one, beside)]
        assert recipes[0]["settings"] == recipes[1]["settings"]
        assert recipes[1]["settings"]["prompt"] == asked[one.owner][0]
        assert (beside.notes, beside.facts["guess"]) == (one.notes, one.facts["guess"])  # nothing of the others'
        assert beside.progress[1:] == (4, 4)


def test_one_of_a_batch_is_cancelled_and_one_fails_and_the_others_go_on(forced: Worker) -> None:
    settings = {"prompt": "a cat", "seed": 1, "model": "storybook", "steps": 30}
    gone, bad, good = (forced.submit(Caller(owner), "generate", dict(settings)) for owner in "abc")
    bad.settings["prompt"] = ["no words"]
    forced.start()
    until(lambda: gone.progress[1] > 2)
    assert good.state == "running"
    forced.cancel(gone)
    assert [over(forced, one) for one in (gone, bad, good)] == ["cancelled", "failed", "done"]
    assert (gone.files, bad.files, len(good.files)) == ([], [], 1)
    last = forced.submit(Caller("a"), "generate", dict(settings, steps=2))
    assert over(forced, last) == "done"


def test_a_batch_that_nobody_wants_any_more_ends_in_the_middle_of_a_step() -> None:
    inside, stuck = threading.Event(), torch.nn.Linear(2, 2)

    def work(one: Job, opened: Any) -> Iterator[At]:
        model = opened("storybook")
        x = torch.zeros(1, *model.latent_shape(*model.extent))
        model.denoiser(model.condition(["a cat"]))(x, model.grid(2, shape=x.shape[1:])[0])
        yield At("never", 1, 1)

    executor = LocalExecutor(lambda: {"generate": work}, together=4)  # pyright: ignore
    executor.start("")
    jobs = [job(owner, owner) for owner in "ab"]
    for one in jobs:
        one.folder.mkdir(parents=True)
    from regrow.models.engines import gathering

    def endless(*_: Any) -> torch.Tensor:
        inside.set()
        while True:
            stuck(torch.ones(2))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(gathering, "compute", endless)
        outcomes: list[Outcome] = []
        thread = threading.Thread(target=lambda: outcomes.extend(executor.run(jobs, lambda _: None)))
        thread.start()
        assert inside.wait(300)
        executor.drop("a")
        thread.join(0.2)
        assert thread.is_alive()  # for b
        executor.drop("b")
        thread.join(300)
    assert [one.state for one in outcomes] == ["cancelled", "cancelled"]
