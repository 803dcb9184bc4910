"""Folders that one process holds: what lies in the place of the lock stops nobody for ever."""

from pathlib import Path

import pytest
from named_pipes import without_waiting

from regrow.media.one_process import holder, only_one


def test_a_pipe_in_the_place_of_a_lock_is_nobody_s_and_is_not_waited_for(tmp_path: Path) -> None:
    assert without_waiting(tmp_path / "lock", lambda: holder(tmp_path)) is None


def test_a_folder_with_a_pipe_in_the_place_of_its_lock_is_held_by_nobody(tmp_path: Path) -> None:
    def hold() -> bool:
        with pytest.raises(ValueError, match=r"lock is not an ordinary file.*: delete it"), only_one(tmp_path):
            pass
        return (tmp_path / "lock").is_fifo()

    assert without_waiting(tmp_path / "lock", hold)
    with only_one(tmp_path):
        assert holder(tmp_path)
