"""What the server expects of its executors, whichever they are: processes or actors of a cluster."""

import json
import os
from collections.abc import Callable

from gates import client_of, over
from web_server import until

from regrow.interfaces.server.jobs.worker import STOPPED, Worker
from regrow.interfaces.server.places import page
from regrow.interfaces.server.sessions import Caller


def computes_side_by_side(two: Worker) -> None:
    """Two workers compute two jobs at once, a third waits, and each is cancelled alone."""
    jobs = [two.submit(Caller(owner), "endless", {"prompt": owner}) for owner in "abc"]
    until(lambda: all(job.progress[1] > 1 for job in jobs[:2]))  # both go on, while the third waits
    with client_of(two) as client:
        told = {one["id"]: client.get(f"/api/jobs/{one['id']}").json() for one in client.get("/api/jobs").json()}
    assert [(told[job.id]["state"], told[job.id]["place"]) for job in jobs] == [("running", 0)] * 2 + [("waiting", 2)]
    two.cancel(jobs[1])
    until(lambda: jobs[2].state == "running")
    assert jobs[0].state == "running"  # nobody else's is stopped
    for job in jobs:
        two.cancel(job)
        assert over(two, job) == "cancelled"
        until(lambda job=job: json.loads((job.folder / "job.json").read_text())["state"] == "cancelled")
    pair = [two.submit(Caller(owner), "together", {}) for owner in "ab"]
    assert [over(two, job) for job in pair] == ["done", "done"]


def tells_what_it_makes(worker: Worker) -> None:
    """What a job makes in another process is told, and written down."""
    job = worker.submit(Caller("a"), "told", {"prompt": "a cat"})
    assert over(worker, job) == "done"
    assert (job.files, job.notes, job.summary, job.progress) == (
        ["a-cat-1.txt"], ["A note."], "It is made.", ("generate", 2, 2),
    )  # fmt: skip
    assert job.facts["pid"] != os.getpid()
    assert (job.folder / "a-cat-1.txt").read_text() == str(job.facts["pid"])
    noted = json.loads((job.folder / "job.json").read_text())
    assert (noted["state"], noted["files"], noted["facts"]) == ("done", ["a-cat-1.txt"], job.facts)
    assert job.took is not None


def tries_once_more(worker: Worker) -> None:
    """A job whose process is killed is done by another, and is given up the second time."""
    again = worker.submit(Caller("a"), "killed", {})
    assert (over(worker, again), again.tries, again.summary, again.files) == ("done", 2, "It is made.", [])
    never = worker.submit(Caller("a"), "killed", {"always": True})
    assert (over(worker, never), never.tries) == ("failed", 2)
    assert "ended twice" in never.error


def is_taken_up(two: Worker, ended: Callable[[], object], begin: Callable[[], Worker]) -> None:
    """What is at work when a server is asked to end is noted, and gone on with by the next server.

    Args:
        two: the first server's worker, with two executors.
        ended: waits until what computed is gone.
        begin: starts the next server's worker.
    """
    jobs = [two.submit(Caller(owner), "endless", {}) for owner in "ab"]
    until(lambda: all(job.progress[1] for job in jobs))
    two.note_stop()
    two.end()
    ended()
    assert sorted((page() / STOPPED).read_text().split()) == [job.id for job in jobs]
    assert [json.loads((job.folder / "job.json").read_text())["state"] for job in jobs] == ["running"] * 2
    next_one = begin()
    assert next_one.taken_up.wait(60)
    taken = [next_one.jobs[job.id] for job in jobs]
    until(lambda: any(job.progress[1] for job in taken))
    for job in taken:
        next_one.cancel(job)
    assert [over(next_one, job) for job in taken] == ["cancelled"] * 2
    next_one.end()
