"""Work on several processes of which some are killed."""

import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from regrow.worlds.parallel_map import parallel_map


def test_a_killed_worker_is_told_and_not_waited_for() -> None:
    with pytest.raises(
        ValueError,
        match="A process that made training data was killed, perhaps for lack of memory: run the same command again",
    ):
        list(parallel_map(os._exit, [3], 2))


def test_workers_end_with_whoever_was_killed(tmp_path: Path) -> None:
    script = tmp_path / "endless.py"
    script.write_text(
        "import itertools, time\nfrom regrow.worlds.parallel_map import parallel_map\n"
        "if __name__ == '__main__':\n    for one in parallel_map(abs, itertools.count(), 2): print(one, flush=True)"
    )
    process = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in itertools.islice(process.stdout, 40):
        assert line
    workers = psutil.Process(process.pid).children(recursive=True)
    assert len(workers) >= 2
    process.send_signal(signal.SIGKILL)
    process.wait()
    end = time.monotonic() + 60
    while any(worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE for worker in workers):
        assert time.monotonic() < end, "they wait for work that never comes"
        time.sleep(0.1)
