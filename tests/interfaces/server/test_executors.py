"""Several workers: each a process, side by side, with progress, cancelling, and what becomes of one that is killed."""

import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from executor_contract import computes_side_by_side, is_taken_up, tells_what_it_makes, tries_once_more
from executor_works import all_kinds
from gates import over
from web_server import until

from regrow.interfaces.server.history.history import History
from regrow.interfaces.server.jobs.events import Events
from regrow.interfaces.server.jobs.executor import Executor
from regrow.interfaces.server.jobs.executors import executors
from regrow.interfaces.server.jobs.local_executor import LocalExecutor
from regrow.interfaces.server.jobs.process_executor import ProcessExecutor
from regrow.interfaces.server.jobs.worker import Worker
from regrow.interfaces.server.sessions import Caller


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REGROW_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def two(home: Path) -> Iterator[Worker]:
    """A server's worker with two processes."""
    worker = at_work(executors(all_kinds, ("cpu",), 2))
    yield worker
    worker.end()


def at_work(several: Sequence[Executor]) -> Worker:
    events = Events()
    return Worker(several, events, History(False, lambda owner, change: events.publish("history", change))).start()


def test_two_jobs_are_computed_side_by_side_and_the_queue_says_so(two: Worker) -> None:
    computes_side_by_side(two)


def test_what_a_process_makes_is_told_written_down_and_in_the_history(two: Worker) -> None:
    tells_what_it_makes(two)


def test_a_process_that_is_killed_is_replaced_and_its_job_tried_once_more(two: Worker) -> None:
    tries_once_more(two)
    assert [over(two, two.submit(Caller("a"), "told", {})) for _ in range(3)] == ["done"] * 3


def test_processes_end_with_the_server_and_what_they_were_at_is_taken_up(two: Worker) -> None:
    def ended() -> None:
        for one in two._executors:
            if isinstance(one, ProcessExecutor):
                one._process.join()

    is_taken_up(two, ended, lambda: at_work(executors(all_kinds, ("cpu",), 1)))


def test_a_server_that_is_killed_leaves_no_process(home: Path) -> None:
    executor = ProcessExecutor(all_kinds, "cpu", 1)
    executor.start("")
    pid = executor.pid
    assert pid
    executor._pipe.close()  # as the system does for a server that is killed

    def gone() -> bool:
        return os.waitpid(pid, os.WNOHANG)[0] == pid

    until(gone)


def test_one_worker_needs_no_process_and_several_take_the_devices_in_turn() -> None:
    assert isinstance(executors(all_kinds, ("cpu",), 0)[0], LocalExecutor)
    several = executors(all_kinds, ("cuda:0", "cuda:1"), 0)
    assert [one._about[1] for one in several if isinstance(one, ProcessExecutor)] == ["cuda:0", "cuda:1"]
    several = executors(all_kinds, ("cpu", "cuda:3"), 3)
    assert [one._about[1] for one in several if isinstance(one, ProcessExecutor)] == ["cpu", "cuda:3", "cpu"]
    for devices, workers, words in ((("gpu",), 0, "not a device"), (("cpu",), -1, "from 0"), (("cpu",), 65, "from 0")):
        with pytest.raises(ValueError, match=words):
            executors(all_kinds, devices, workers)


def test_a_signal_to_the_terminals_group_leaves_processes_at_work(two: Worker) -> None:
    job = two.submit(Caller("a"), "endless", {})
    until(lambda: job.progress[1])
    executor = two.at_work[job.id]
    assert isinstance(executor, ProcessExecutor)
    assert executor.pid
    os.kill(executor.pid, signal.SIGINT)
    before = job.progress[1]
    until(lambda: job.progress[1] > before + 5)
    two.cancel(job)
    assert over(two, job) == "cancelled"
