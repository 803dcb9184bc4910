"""The bench of hostile inputs counts what it should: toys that hang, end, eat memory, or raise what is no sentence."""

import io
import json
import os
import struct
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest
from homes import sharing_engines

from regrow.benchmark.hostile import bench
from regrow.benchmark.hostile.bench import bench_hostile
from regrow.benchmark.hostile.figures import as_dict, print_table
from regrow.benchmark.hostile.kind import Kind
from regrow.benchmark.hostile.mutate import mutated
from regrow.core.progress import finish
from regrow.interfaces.hostile import all_kinds
from regrow.media.files import MediaError
from regrow.messages.message import say


def make(folder: Path) -> None:
    (folder / "a.json").write_text(json.dumps({"value": 1, "more": [1, 2, {"deep": "x"}]}))


def is_whole(folder: Path, name: str) -> bool:
    return (folder / name).read_bytes() == b'{"value": 1, "more": [1, 2, {"deep": "x"}]}'


def refuse(folder: Path, name: str) -> None:
    if not is_whole(folder, name):
        raise MediaError(say("no_such_file", path=name))


def fail(folder: Path, name: str) -> None:
    if not is_whole(folder, name):
        raise KeyError("value")


def quote(folder: Path, name: str) -> None:
    if not is_whole(folder, name):
        raise ValueError("not a sentence of regrow's")


def hang(folder: Path, name: str) -> None:
    if not is_whole(folder, name):
        time.sleep(600)


def end(folder: Path, name: str) -> None:
    if not is_whole(folder, name):
        os._exit(3)


def eat(folder: Path, name: str) -> None:
    if not is_whole(folder, name):
        assert bytearray(200 << 20)


def toys() -> Sequence[Kind]:
    reads = {"refuse": refuse, "fail": fail, "quote": quote, "hang": hang, "end": end, "eat": eat}
    return [Kind(name, make, ("*.json",), read, places=False) for name, read in reads.items()]


def test_each_kind_of_failure_is_counted_kept_and_repeated_by_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "SECONDS", 60.0)
    monkeypatch.setattr(bench, "MOST_MEMORY", 100 << 20)
    expected = {"refuse": "refused", "fail": "foreign", "quote": "foreign", "end": "ended", "eat": "memory"}
    figures = finish(bench_hostile(toys, 10, 7, tuple(expected), keep=tmp_path / "kept"))
    assert figures.counts == {kind: {verdict: 2} for kind, verdict in expected.items()}
    assert figures.total == 10
    kept = json.loads((tmp_path / "kept" / "fail-1" / "failure.json").read_text())
    assert kept["command"] == "regrow bench hostile --seed 7 --only fail --first 1 --inputs 1"
    assert "KeyError" in kept["detail"]
    again = finish(bench_hostile(toys, 1, 7, ("fail",), first=1, keep=tmp_path / "again"))
    assert again.total == 1
    once, twice = (tmp_path / where / "fail-1" / "a.json" for where in ("kept", "again"))
    assert once.read_bytes() == twice.read_bytes()
    out = io.StringIO()
    print_table(figures, None, out)
    assert "fail" in out.getvalue()
    assert json.dumps(as_dict(figures, None))


def test_what_hangs_is_ended_counted_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "SECONDS", 0.5)
    assert finish(bench_hostile(toys, 1, 7, ("hang",), keep=tmp_path)).counts == {"hang": {"hang": 1}}
    assert (tmp_path / "hang-0" / "a.json").is_file()


def test_a_kind_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="There is no kind of input named 'x'; there are refuse, fail"):
        finish(bench_hostile(toys, 1, 0, ("x",)))


def test_mutations_follow_from_the_seed_and_keep_the_form_of_a_file() -> None:
    header = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("project.json", '{"a": 1}')
    files = {
        "a.json": b'{"a": [1, {"b": "x"}]}',
        "a.jsonl": b'{"a": 1}\n{"b": 2}\n',
        "a.txt": "words, 5 of them 猫".encode(),
        "a.safetensors": struct.pack("<Q", len(header)) + header + b"\0" * 8,
        "a.zip": packed.getvalue(),
        "a.png": bytes(range(256)),
    }
    for name, data in files.items():
        made = [mutated(Random(seed), name, data) for seed in range(200)]
        assert made == [mutated(Random(seed), name, data) for seed in range(200)]
        assert len({changed for _, changed in made}) > 100, name
        assert sum(changed == data for _, changed in made) < 20, name
    assert sum(how == "JSON" for how, _ in (mutated(Random(i), "a.json", files["a.json"]) for i in range(200))) > 120


def test_kinds_have_names_of_their_own_and_cover_what_regrow_reads() -> None:
    names = [kind.name for kind in all_kinds()]
    assert len(set(names)) == len(names)
    assert {"pictures", "sounds", "tunes", "recipes", "records", "calls", "projects", "indices", "batches"} <= {*names}


@pytest.mark.parametrize("name", ["additions", "indices", "single-files", "lists-of-models"])
def test_what_fits_the_carried_models_is_read_while_it_is_whole(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGROW_HOME", str(sharing_engines(tmp_path / "home")))
    kind = next(kind for kind in all_kinds() if kind.name == name)
    kind.make(tmp_path)
    for file in kind.names(tmp_path):
        kind.read(tmp_path, file)
