"""Workers on a Ray cluster of two machines: two raylets here, whose actors are killed for real."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from clusters import QUIET, SMALL, two_nodes
from executor_contract import computes_side_by_side, is_taken_up, tells_what_it_makes, tries_once_more
from executor_works import all_kinds
from gates import over
from homes import sharing_engines
from test_executors import at_work
from web_server import PROGRAM, Server, until

from regrow.interfaces.server.jobs.executors import executors
from regrow.interfaces.server.jobs.ray_executor import RayExecutor
from regrow.interfaces.server.jobs.worker import Worker
from regrow.interfaces.server.places import made
from regrow.interfaces.server.sessions import Caller

TESTS = Path(__file__).parents[2]
PATHS = os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])


@pytest.fixture(scope="module")
def nodes() -> Iterator[list[Any]]:
    """A cluster whose processes find the works of the tests."""
    with two_nodes(PYTHONPATH=PATHS) as found:
        yield found


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REGROW_HOME", str(sharing_engines(tmp_path / "home")))
    made().mkdir(parents=True)
    for name, value in QUIET.items():
        monkeypatch.setenv(name, value)
    return tmp_path / "home"


@pytest.fixture
def two(nodes: list[Any]) -> Iterator[Worker]:
    """A server's worker with as many actors as there is room for: one on each machine."""
    worker = at_work(executors(all_kinds, ("cpu",), 0, ray=nodes[0].address))
    yield worker
    worker.end()


def pid_of(worker: Worker) -> int:
    """The process of an actor that does a job at once, as the others have nothing to do."""
    job = worker.submit(Caller("a"), "told", {"prompt": "a cat"})
    assert over(worker, job) == "done"
    return job.facts["pid"]


def test_two_jobs_are_computed_side_by_side_told_written_down_and_dropped(two: Worker) -> None:
    computes_side_by_side(two)
    tells_what_it_makes(two)


def test_an_actor_that_is_killed_is_replaced_and_its_job_tried_once_more(two: Worker) -> None:
    tries_once_more(two)
    for _ in range(2):  # while nothing is to be done, which is no job's fault
        os.kill(pid_of(two), signal.SIGKILL)
        pair = [two.submit(Caller(owner), "together", {}) for owner in "ab"]
        assert [(over(two, job), job.tries) for job in pair] == [("done", 1)] * 2


def test_actors_end_with_the_server_and_what_they_were_at_is_taken_up(two: Worker, nodes: list[Any]) -> None:
    pid = pid_of(two)
    is_taken_up(
        two,
        lambda: until(lambda: not psutil.pid_exists(pid)),
        lambda: at_work(executors(all_kinds, ("cpu",), 1, ray=nodes[0].address)),
    )


def test_a_machine_with_another_version_is_named_and_the_others_do_its_jobs(
    nodes: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    (tmp_path / "sitecustomize.py").write_text("import regrow\nregrow.__version__ = '0.0.1'\n")
    with monkeypatch.context() as environment:
        environment.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{PATHS}")
        other = nodes[0].add_node(**SMALL)
    worker = at_work(executors(all_kinds, ("cpu",), 0, ray=nodes[0].address))
    assert len(worker._executors) == 3
    until(lambda: any(one._crew._refused for one in worker._executors if isinstance(one, RayExecutor)))
    pair = [worker.submit(Caller(owner), "together", {}) for owner in "ab"]
    assert [over(worker, job) for job in pair] == ["done", "done"]
    many = [worker.submit(Caller("a"), "told", {}) for _ in range(6)]
    assert [over(worker, job) for job in many] == ["done"] * 6
    assert any("regrow is 0.0.1, here it is" in str(one.message) for one in recwarn)
    worker.end()
    nodes[0].remove_node(other)


def test_where_no_machine_sees_the_servers_folder_a_job_says_so(nodes: list[Any]) -> None:
    several = executors(all_kinds, ("cpu",), 1, ray=nodes[0].address)
    for one in several:
        assert isinstance(one, RayExecutor)
        one._crew._place = replace(one._crew._place, mark="2")
    worker = at_work(several)
    job = worker.submit(Caller("a"), "told", {})
    assert over(worker, job) == "failed"
    assert "does not see the folder" in job.error
    worker.end()


def test_a_server_serves_what_a_cluster_computes_and_leaves_the_cluster_as_it_was(
    tmp_path: Path, nodes: list[Any]
) -> None:
    server = Server(tmp_path / "served", options=("--ray", nodes[0].address, "--workers", "1"))
    try:
        with server.caller() as client:
            job = client.post("/api/generate", json={"prompt": "a cat on a beach", "steps": 2}).json()
            until(lambda: client.get(f"/api/jobs/{job['id']}").json()["state"] not in ("waiting", "running"))
            done = client.get(f"/api/jobs/{job['id']}").json()
            assert done["state"] == "done", done["error"]
        assert [path.parent.name for path in server.made()] == [job["id"]]
    finally:
        server.stop()
    assert server.process.returncode == 128 + signal.SIGTERM  # as without a cluster, and not as Ray has it
    assert not any(node.dead_processes() for node in nodes[1:])  # the cluster goes on


@pytest.mark.parametrize(
    ("options", "before", "said"),
    [
        (("--ray", "auto"), "import sys; sys.modules['ray'] = None; ", "--ray needs Ray: pip install"),
        (("--ray", "127.0.0.1:9"), "", "No Ray cluster answers at 127.0.0.1:9 ("),
        (("--ray", "auto", "--devices", "cuda", "cpu"), "", "each on a GPU of its own with cuda; got cuda cpu."),
        (("--ray", "auto", "--workers", "1025"), "", "--workers must be from 0 to 1024; got 1025."),
    ],
)
def test_what_cannot_be_served_is_said_in_a_sentence(options: tuple[str, ...], before: str, said: str) -> None:
    if not before:
        pytest.importorskip("ray")
    command = [sys.executable, "-c", before + PROGRAM, "serve", "--no-browser", *options]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
