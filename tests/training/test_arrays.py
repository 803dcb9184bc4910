"""Arrays on disk: each process its own, whole or not at all, and room taken before it is written to."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from named_pipes import without_waiting

from regrow.training.arrays import kept_array, kept_rows


def test_two_that_make_the_same_do_not_write_into_each_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "cache" / "x.npy"
    with kept_array(path, (4,), np.uint8) as first:
        first[:2] = 7
        monkeypatch.setattr(os, "getpid", lambda: os.getppid())  # another one that is at work
        with kept_array(path, (4,), np.uint8) as second:
            second[:] = 9
        assert np.load(path).tolist() == [9] * 4
        monkeypatch.undo()
        first[2:] = 7
    assert np.load(path).tolist() == [7] * 4
    assert [found.name for found in path.parent.iterdir()] == ["x.npy"]


def test_what_is_broken_off_or_killed_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    with pytest.raises(KeyError), kept_array(path, (4,), np.uint8):
        raise KeyError
    assert list(tmp_path.iterdir()) == []
    killed = subprocess.run(
        [
            sys.executable,
            "-c",
            "import os, pathlib, sys; import numpy as np; from regrow.training.arrays import kept_array\n"
            "with kept_array(pathlib.Path(sys.argv[1]), (4,), np.uint8): os.kill(os.getpid(), 9)",
            str(path),
        ],
        check=False,
    )
    assert killed.returncode == -9
    assert len(list(tmp_path.iterdir())) == 1
    with kept_array(path, (4,), np.uint8) as array:
        array[:] = 1
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(
    subprocess.run(["unshare", "-rm", "true"], check=False).returncode != 0, reason="no namespaces here"
)
def test_a_full_disk_is_a_sentence_and_no_signal(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys; import numpy as np; from regrow.training.arrays import kept_array\n"
        "try:\n"
        "    with kept_array(pathlib.Path(sys.argv[1]), (900_000,), np.uint8) as array: array[:] = 1\n"
        "except ValueError as problem: print(problem)"
    )
    command = (
        f"mount -t tmpfs -o size=256k tmpfs {tmp_path} && {sys.executable} -c '{code}' {tmp_path}/x.npy; ls {tmp_path}"
    )
    done = subprocess.run(["unshare", "-rm", "sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"1 MB could not be written to {tmp_path} (No space left on device): free some space")
    assert len(done.stdout.splitlines()) == 1


def test_a_pipe_in_the_place_of_an_array_is_not_waited_for(tmp_path: Path) -> None:
    assert without_waiting(tmp_path / "x.npy", lambda: kept_rows(tmp_path / "x.npy")) is None
