"""Batches on a Ray cluster of two machines: two raylets here, whose actors, drivers and nodes are killed for real."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from batches import EDIT, Batches, at_work, attempts_in, written
from clusters import QUIET, two_nodes
from PIL import Image
from web_server import PROGRAM, until

from regrow import __version__
from regrow.interfaces.batch.actors import Actor
from regrow.interfaces.batch.attempts import MOST, Doer
from regrow.interfaces.batch.jobs import read_jobs
from regrow.interfaces.cluster import connect as cluster
from regrow.interfaces.cluster.connect import ClusterError
from regrow.interfaces.cluster.place import Place
from regrow.interfaces.run import Making

TORCH = ("--engine", "torch")
"""Which is open in the fewest seconds."""


@pytest.fixture
def nodes() -> Iterator[list[Any]]:
    """A cluster, its head and its other node, with a core each."""
    with two_nodes() as found:
        yield found


@pytest.fixture
def ray_batch(batch: Batches, nodes: list[Any], monkeypatch: pytest.MonkeyPatch) -> Batches:
    """Starts `regrow batch --ray` on that cluster."""
    for name, value in QUIET.items():
        monkeypatch.setenv(name, value)
    return lambda *options: batch("--ray", nodes[0].address, *TORCH, *options)


def facts_of(process: subprocess.Popen) -> dict[str, Any]:
    printed, said = process.communicate()
    assert printed.strip(), said
    return json.loads(printed.splitlines()[-1])


def test_actor_driver_and_node_are_killed_and_each_result_is_there_once_as_the_pool_makes_it(
    tmp_path: Path, batch: Batches, ray_batch: Batches, nodes: list[Any]
) -> None:
    out = tmp_path / "out"
    written(tmp_path, *({**EDIT, "seed": seed, "method": "img2img"} for seed in range(6)))
    first = ray_batch("--workers", "0")
    until(lambda: len(at_work(out)) == 2)  # a worker on each node
    os.kill(at_work(out)[0], signal.SIGKILL)
    until(lambda: list(out.glob("*.json")))
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert len(list(out.glob("*.json"))) < 6

    inodes = defaultdict(set)

    def look() -> bool:
        for path in [*out.glob("*.png"), *out.glob("*.json")]:
            inodes[path.name].add(path.stat().st_ino)
        return second.poll() is not None and local.poll() is not None

    second, local = ray_batch("--workers", "2"), batch(*TORCH)
    two, _, node = nodes
    until(lambda: look() or len(at_work(out)) == 3)
    two.remove_node(node, allow_graceful=False)
    until(look)
    assert (second.returncode, local.returncode) == (0, 0)
    facts = facts_of(second)
    assert facts["done"] == facts_of(local)["done"] == 6
    files = [name for result in facts["results"] for name in result["files"]]
    assert Counter(path.name for path in out.glob("*.png")) == Counter(files)
    assert len(files) == 6
    assert {len(of_a_name) for of_a_name in inodes.values()} == {1}  # nothing was written a second time
    assert not list((out / ".attempts").glob("*.2"))

    assert batch(*TORCH, out="pool").wait() == 0
    for name in files:
        assert Image.open(out / name).tobytes() == Image.open(tmp_path / "pool" / name).tobytes()


def test_ctrl_c_is_no_attempt_and_a_job_that_ends_its_actor_each_time_is_set_aside(
    tmp_path: Path, ray_batch: Batches
) -> None:
    out = tmp_path / "out"
    # the first takes as long as it is left
    written(tmp_path, {**EDIT, "steps": 1000}, {**EDIT, "method": "img2img"})
    slow = read_jobs(tmp_path / "jobs.jsonl")[0]
    stopped = ray_batch()
    until(lambda: at_work(out) or stopped.poll() is not None)
    stopped.send_signal(signal.SIGINT)
    assert "no file was left half-written" in stopped.communicate()[1]
    assert stopped.returncode == 130
    assert not list((out / ".attempts").iterdir())

    running = ray_batch()
    killed = set[str]()

    def kill() -> bool:
        for pid, attempt in attempts_in(out):
            if attempt.startswith(slow.key) and attempt not in killed:
                os.kill(pid, signal.SIGKILL)
                killed.add(attempt)
        return running.poll() is not None

    until(kill)
    facts = facts_of(running)
    assert len(killed) == MOST
    assert [result["state"] for result in facts["results"]] == ["set aside", "done"]
    assert "Its process was killed 3 times" in facts["results"][0]["reason"]


def said_of(tmp_path: Path, address: str, before: str = "") -> str:
    written(tmp_path, EDIT)
    command = ["batch", str(tmp_path / "jobs.jsonl"), "--out", str(tmp_path / "out"), "--ray", address, "--json"]
    done = subprocess.run(
        [sys.executable, "-c", before + PROGRAM, *command], env={**os.environ, **QUIET}, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    return done.stderr


def test_where_ray_is_not_installed_a_sentence_says_how_to_have_it(tmp_path: Path) -> None:
    said = said_of(tmp_path, "auto", "import sys; sys.modules['ray'] = None; ")
    assert "--ray needs Ray: pip install 'regrow[cluster]'" in said


@pytest.mark.parametrize("address", ["auto", "127.0.0.1:9", "nonsense", "a:b:c"])
def test_an_address_that_does_not_answer_is_named(tmp_path: Path, address: str) -> None:
    pytest.importorskip("ray")
    assert f"No Ray cluster answers at {address} (" in said_of(tmp_path, address)


def test_a_machine_that_cannot_work_for_the_driver_says_why(tmp_path: Path) -> None:
    (tmp_path / ".shared").write_text("1")
    place = Place(tmp_path, tmp_path, "1", None, __version__)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("OMP_NUM_THREADS", "1")
        environment.chdir(tmp_path)
        assert Actor(place, Making(threads=1)).begin() == Doer.here()
    with pytest.raises(ClusterError, match="does not see the folder"):
        Actor(replace(place, mark="2"), Making()).begin()
    with pytest.raises(ClusterError, match="does not see the folder"):
        Actor(replace(place, folder=tmp_path / "none"), Making()).begin()
    with pytest.raises(ClusterError, match=r"regrow is .*, here it is 0\.0\.1"):
        Actor(replace(place, version="0.0.1"), Making()).begin()


class Nodes(ModuleType):
    """Ray, as far as connecting goes, on machines of these resources."""

    def __init__(self, *resources: dict[str, float]) -> None:
        super().__init__("ray")
        self.nodes = lambda: [{"Alive": True, "NodeID": str(i), "Resources": one} for i, one in enumerate(resources)]
        self.init = self.shutdown = lambda **_: None


@pytest.mark.parametrize(("cores", "gpu", "room"), [(1, False, 12), (3, False, 3), (1, True, 2), (64, False, 1)])
def test_room_is_counted_machine_by_machine(monkeypatch: pytest.MonkeyPatch, cores: int, gpu: bool, room: int) -> None:
    monkeypatch.setattr(cluster, "_library", lambda: Nodes({"CPU": 4}, {"CPU": 8, "GPU": 2}))
    if gpu:
        connected = cluster.connect("auto", cores, gpu)
    else:
        with pytest.warns(UserWarning, match="2 GPUs that are not used"):
            connected = cluster.connect("auto", cores, gpu)
    assert (connected.room, connected.cores, connected.gpus) == (room, cores, int(gpu))
    assert connected.machines() == ({"1"} if gpu else {"0", "1"} if cores < 64 else set())


def test_a_cluster_without_gpus_is_refused_for_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_library", lambda: Nodes({"CPU": 4}))
    with pytest.raises(ClusterError, match="has a GPU: take cpu as the device"):
        cluster.connect("auto", 1, gpu=True)


def test_small_shared_memory_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_library", lambda: Nodes({"CPU": 1}))
    monkeypatch.setattr(cluster, "OBJECTS", 2**60)
    monkeypatch.setenv("RAY_worker_niceness", "0")
    with pytest.warns(UserWarning, match="/dev/shm has .* so Ray keeps its objects in /tmp"):
        cluster.connect("local", 1, gpu=False)
