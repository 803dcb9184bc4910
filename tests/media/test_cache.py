"""What the home keeps for the next time: it comes back whole, or it counts as never kept."""

from pathlib import Path

from named_pipes import without_waiting

from regrow.media.cache import keep, kept


def test_what_is_kept_comes_back_unless_it_is_damaged_or_another_s(tmp_path: Path) -> None:
    keep(tmp_path / "some" / "a", b"numbers")
    assert kept(tmp_path / "some" / "a") == b"numbers"
    whole = (tmp_path / "some" / "a").read_bytes()
    for name, content in {"a": whole[:-1], "b": whole, "c": b""}.items():
        (tmp_path / "some" / name).write_bytes(content)
        assert kept(tmp_path / "some" / name) is None, name
    assert kept(tmp_path / "some") is None
    assert kept(tmp_path / "some" / "none") is None


def test_a_pipe_in_the_place_of_a_kept_file_is_not_waited_for(tmp_path: Path) -> None:
    assert without_waiting(tmp_path / "a", lambda: kept(tmp_path / "a")) is None
