"""Jobs that are cancelled at their start: what the disk says of them is what became of them."""

from pathlib import Path

import pytest
from gates import Gate, client_of, over, started
from homes import sharing_engines
from web_server import PATIENCE, until

from regrow.interfaces.server.history.record import read_job
from regrow.interfaces.server.sessions import Caller

COUNT = 100


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REGROW_HOME", str(sharing_engines(tmp_path / "home")))
    return tmp_path / "home"


def test_a_hundred_jobs_cancelled_as_they_begin_are_cancelled_on_disk_too() -> None:
    gate = Gate()
    worker = started({"gate": gate})
    for i in range(COUNT):
        job = worker.submit(Caller("me"), "gate", {"name": str(i)})
        if i % 2:  # while the worker writes down that it begins, or in its first step
            until(lambda job=job: job.state != "waiting", PATIENCE)
        worker.cancel(job)
        assert over(worker, job) == "cancelled"
    last = worker.submit(Caller("me"), "gate", {"name": "last"})
    gate.open.add("last")
    assert over(worker, last) == "done"  # so the worker is through with all before
    states = [record.state for job in worker.jobs.values() if (record := read_job(job.id))]
    assert states == ["cancelled"] * COUNT + ["done"]
    with client_of(worker) as client:
        assert client.get("/api/jobs?active=true").json() == []
