"""`bench load`: what its figures mean, that it finds what is wrong, and a short load of a real server."""

import json
import time
from io import StringIO
from pathlib import Path

import pytest
from homes import sharing_engines

from regrow.benchmark.load.bench import bench_load
from regrow.benchmark.load.clients import Done, Load, Program
from regrow.benchmark.load.figures import SETTLED, LoadFigures, Memory, as_dict, json_lines, percentile, print_table
from regrow.core.progress import finish
from regrow.requests.bench_load import BenchLoad


def figures(faults: tuple[str, ...] = ()) -> LoadFigures:
    done = [Done(f"client {i % 4}", str(i), i / 100, i / 100 + 1, 2, i / 10) for i in range(101)]
    memory = [Memory(i, 10 * i, 500 + (0.02 * 10 * i if 10 * i >= SETTLED else 50 * i)) for i in range(60)]
    return LoadFigures(4, 2, 60.0, done, faults, [0.1] * 10, memory)


def test_percentiles_are_between_neighbours() -> None:
    assert [percentile(range(101), p) for p in (5, 50, 95)] == [5, 50, 95]
    assert (percentile([], 50), percentile([3.0], 95)) == (None, 3.0)


def test_the_slope_leaves_out_what_fills_caches_at_first() -> None:
    facts = as_dict(figures())
    assert facts["megabytes_a_job"] == pytest.approx(0.02)
    assert (facts["wait_p50"], facts["wait_p95"], facts["result_p95"]) == (0.5, 0.95, 1.95)
    assert (facts["jobs"], facts["together"], facts["jobs_a_second"]) == (101, 2, 1.68)
    few = LoadFigures(1, 0, 1.0, [], ["it is wrong"], [], [Memory(0, 0, 500)])
    assert few.slope is None
    out = StringIO()
    print_table(few, out)
    assert "FAULT: it is wrong\n1 faults" in out.getvalue()
    out = StringIO()
    print_table(figures(), out)
    assert "0.02 MB a job" in out.getvalue()
    lines = [json.loads(line) for line in json_lines(figures()).splitlines()]
    assert [sum(line["kind"] == kind for line in lines) for kind in ("summary", "job", "memory")] == [1, 101, 60]


def test_a_picture_that_another_was_given_is_a_fault() -> None:
    load = Load("http://127.0.0.1:9", "", "storybook", 2, 0.0, 0.0)
    load.check_new("one", b"a picture")
    load.check_new("one", b"a picture")
    assert not load.faults
    load.check_new("two", b"a picture")
    assert load.faults == ["two was given a picture that one was given before"]


def test_a_server_that_is_not_there_is_a_fault() -> None:
    load = Load("http://127.0.0.1:9", "", "storybook", 2, 0.0, time.monotonic() + 60)
    user = Program(load, 1)
    user.start()
    user.join(60)
    assert len(load.faults) == 1
    assert "client 1: ConnectError" in load.faults[0]


def test_a_short_load_of_a_real_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGROW_HOME", str(sharing_engines(tmp_path / "home")))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    found = finish(bench_load(BenchLoad(clients=3, browsers=0, minutes=0.05)))
    assert not found.faults
    assert {one.user for one in found.done} == {"client 0", "client 1", "client 2"}
    assert found.answers
    assert found.memory[-1].megabytes > 50


def test_counts_have_ranges() -> None:
    for wrong in ({"clients": 0}, {"browsers": -1}, {"minutes": 0.0}):
        with pytest.raises(ValueError, match="--clients must be"):
            BenchLoad(**wrong)
