"""Batches: what a line becomes, who may do a job, and real drivers and workers that are killed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from batches import EDIT, Batches, at_work, written
from homes import sharing_engines
from PIL import Image
from web_server import EXAMPLE, until

from regrow.interfaces.batch import attempts
from regrow.interfaces.batch.attempts import Doer
from regrow.interfaces.batch.jobs import read_jobs
from regrow.interfaces.batch.records import Record, read_record
from regrow.interfaces.batch.worker import Worker
from regrow.interfaces.cli import with_also
from regrow.interfaces.commands.edit import edit
from regrow.interfaces.run import Making
from regrow.media.files import MediaError
from regrow.messages.message import Message, say
from regrow.requests.edit import Edit


def test_a_line_becomes_a_request(tmp_path: Path) -> None:
    path = written(tmp_path, EDIT, {**EDIT, "steps": 3, "size": [64, 64]}, {"verb": "generate", "prompt": "a cat"})
    edit, other, generate = read_jobs(path, ("steps=4", "notes=free", 'negative="none"'))
    assert edit.request == Edit(
        tmp_path / "cat.png", ("make it a dog",), EDIT["source"], steps=2, notes="free", negative="none"
    )
    assert (other.request.steps, other.request.size) == (3, (64, 64))
    assert (generate.line, generate.verb, generate.request.steps) == (3, "generate", 4)


def test_a_job_is_known_by_its_settings_and_by_what_is_in_its_files(tmp_path: Path) -> None:
    path = written(tmp_path, EDIT, {**EDIT, "image": "copy.png"}, {**EDIT, "seed": 1})
    shutil.copy(EXAMPLE, tmp_path / "copy.png")
    jobs = read_jobs(path)
    assert [job.line for job in jobs] == [1, 3]
    (tmp_path / "cat.png").write_bytes(EXAMPLE.read_bytes() + b"\0")
    assert jobs[0].key not in {job.key for job in read_jobs(path)} - {read_jobs(path)[1].key}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("nonsense", "Line 1 of .* is not a job: "),
        ("[]", 'whose "verb" is one of edit, generate, extend, interpolate'),
        ('{"verb": "train"}', 'whose "verb" is one of'),
        ('{"verb": "generate", "prompt": "a", "strenght": 1}', "generate has no setting 'strenght'"),
        ('{"verb": "generate", "prompt": "a", "steps": 0}', "--steps must be a number of steps"),
        ('{"verb": "generate"}', "generate needs 'prompt'"),
        ('{"verb": "edit", "image": "none.png", "target": "a dog"}', "There is no file .*none.png"),
        ("[" * 100_000, "Line 1 of .* is not a job: "),
    ],
)
def test_a_line_that_is_no_job_is_named(tmp_path: Path, line: str, words: str) -> None:
    path = tmp_path / "jobs.jsonl"
    path.write_text(line)
    with pytest.raises(ValueError, match=words):
        read_jobs(path)


def test_files_without_jobs_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n \n")
    with pytest.raises(MediaError, match="holds no jobs"):
        read_jobs(tmp_path / "empty")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(MediaError, match="not in UTF-8"):
        read_jobs(tmp_path / "bytes")


def test_one_process_makes_an_attempt(tmp_path: Path) -> None:
    assert not attempts.is_alive(tmp_path, "a")
    assert attempts.begin(tmp_path, "a") == 1
    assert attempts.is_alive(tmp_path, "a")
    assert attempts.begin(tmp_path, "a") is None
    attempts.withdraw(tmp_path, "a", 1)
    assert attempts.begin(tmp_path, "a") == 1


def test_what_a_killed_process_began_counts_as_an_attempt(tmp_path: Path) -> None:
    begin = (
        "import os, pathlib, sys; from regrow.interfaces.batch.attempts import begin; "
        "print(begin(pathlib.Path(sys.argv[1]), 'a'), os.getpid())"
    )
    made = [
        subprocess.run([sys.executable, "-c", begin, str(tmp_path)], capture_output=True, text=True).stdout.strip()
        for _ in "1234"
    ]
    numbers, processes = zip(*map(str.split, made), strict=True)
    assert numbers == ("1", "2", "3", "None")
    assert attempts.attempts_at(tmp_path, "a") == attempts.MOST
    assert not attempts.is_alive(tmp_path, "a")
    attempts.forgive(tmp_path, "a", Doer.here(int(processes[1])))  # which is not that of the last attempt
    assert attempts.attempts_at(tmp_path, "a") == 3
    attempts.forgive(tmp_path, "a", Doer.here(int(processes[2])))
    assert attempts.attempts_at(tmp_path, "a") == 2


def test_an_attempt_on_another_machine_lives_while_it_is_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts.begin(tmp_path, "a")
    (file,) = (tmp_path / ".attempts").iterdir()
    file.write_text(json.dumps({"machine": "elsewhere", "process": 1, "began": 0}))
    assert attempts.is_alive(tmp_path, "a")
    monkeypatch.setattr(time, "time", lambda: 4e9)  # this machine's clock, not the storage's
    assert attempts.is_alive(tmp_path, "a")
    monkeypatch.undo()
    long_ago = time.time() - 2 * attempts.DEAD
    os.utime(file, (long_ago, long_ago))
    assert not attempts.is_alive(tmp_path, "a")
    assert attempts.begin(tmp_path, "a") == 2
    assert not list((tmp_path / ".attempts").glob(".*"))


def test_what_another_driver_has_done_is_not_done_again(tmp_path: Path) -> None:
    (job,) = read_jobs(written(tmp_path, {**EDIT, "model": "none"}))
    record = Record("failed", "edit", {}, reason="as it was written by another")
    record.write(tmp_path, job.key)
    assert Worker(tmp_path, Making()).do(job) == record
    assert not list((tmp_path / ".attempts").iterdir())


def test_a_fault_of_regrow_fails_its_job_and_not_the_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (job,) = read_jobs(written(tmp_path, EDIT))
    monkeypatch.setattr(Worker, "_opened", lambda worker, name: 1 / 0)
    Worker(tmp_path, Making()).do(job)
    record = read_record(tmp_path, job.key)
    assert record
    assert record.state == "failed"
    assert "ZeroDivisionError" in record.reason


def test_a_folder_that_cannot_be_written_ends_the_batch(tmp_path: Path, batch: Batches) -> None:
    written(tmp_path, EDIT)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".attempts").touch()
    assert "File exists" in batch().communicate()[1]


def test_lyrics_are_read_from_their_file_before_the_job_is_named(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("all my days")
    jobs = written(tmp_path, {"verb": "generate", "prompt": "a song", "lyrics": str(tmp_path / "words.txt")})
    assert read_jobs(jobs)[0].request.lyrics == "all my days"


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    record = Record("done", "edit", {"steps": 2}, ("a.png",), (say("nothing_said"),), "", 1.5, 4)
    record.write(tmp_path, "k")
    assert read_record(tmp_path, "k") is None  # its file is gone
    (tmp_path / "a.png").touch()
    again = read_record(tmp_path, "k")
    assert again == record
    assert again
    assert isinstance(again.notes[0], Message)
    for damaged in ("", "null", "[]", '{"state": "done"}', "[" * 10_000):
        (tmp_path / "k.json").write_text(damaged)
        assert read_record(tmp_path, "k") is None


def test_a_driver_and_a_worker_are_killed_and_each_result_is_there_once(tmp_path: Path, batch: Batches) -> None:
    out = tmp_path / "out"
    written(tmp_path, *({**EDIT, "seed": seed, "method": "img2img"} for seed in range(4)))
    first = batch()
    until(lambda: list(out.glob("*.json")))
    first.send_signal(signal.SIGKILL)  # its worker ends by itself after the job that it is at
    second = batch("--workers", "2")
    until(lambda: any(pid != first.pid for pid in at_work(out)) or second.poll() is not None)
    for pid in at_work(out)[:1]:
        os.kill(pid, signal.SIGKILL)
    facts = json.loads(second.communicate()[0].splitlines()[-1])
    assert second.returncode == 0
    assert (facts["jobs"], facts["done"]) == (4, 4)
    files = [name for result in facts["results"] for name in result["files"]]
    assert Counter(path.name for path in out.glob("*.png")) == Counter(files)
    assert len(files) == 4
    stamps = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    third = json.loads(batch().communicate()[0].splitlines()[-1])
    assert third["done_before"] == 4
    assert {path: path.stat().st_mtime_ns for path in out.iterdir()} == stamps


def test_a_job_that_ends_its_process_each_time_is_set_aside_and_the_rest_is_done(
    tmp_path: Path, batch: Batches
) -> None:
    out = tmp_path / "out"
    # the first takes as long as it is left
    written(
        tmp_path,
        {**EDIT, "steps": 1000},
        {**EDIT, "method": "img2img"},
        {"verb": "generate", "prompt": "a", "model": "none"},
    )
    running = batch()
    killed: list[int] = []

    def kill() -> bool:
        for pid in at_work(out):
            if pid not in killed and (out / ".attempts" / f"{slow.key}.{len(killed) + 1}").exists():
                time.sleep(0.2)
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
        return len(killed) == attempts.MOST or running.poll() is not None

    slow = read_jobs(tmp_path / "jobs.jsonl")[0]
    until(kill)
    facts = json.loads(running.communicate()[0].splitlines()[-1])
    assert running.returncode == 1
    assert [result["state"] for result in facts["results"]] == ["set aside", "done", "failed"]
    assert "Its process was killed 3 times, perhaps for lack of memory" in facts["results"][0]["reason"]


def test_ctrl_c_leaves_the_job_at_work_for_the_next_time(tmp_path: Path, batch: Batches) -> None:
    out = tmp_path / "out"
    written(tmp_path, {**EDIT, "steps": 1000})
    running = batch()
    until(lambda: at_work(out))
    worker = at_work(out)[0]
    running.send_signal(signal.SIGINT)
    assert running.wait(60) == 130
    assert "Stopped; no file was left half-written" in running.communicate()[1]
    assert not list((out / ".attempts").iterdir())
    until(lambda: not Path(f"/proc/{worker}").exists())


def test_files_that_a_shell_writes_out_are_one_option() -> None:
    assert with_also(["edit", "a.png", "b.png", "c.png", "--target", "x"]) == [
        "edit", "a.png", "--also", "b.png", "c.png", "--target", "x",
    ]  # fmt: skip
    for alone in (["edit", "a.png", "--target", "x", "y"], ["generate", "a", "b"], ["edit"], []):
        assert with_also(alone) == alone


def test_one_edit_for_several_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REGROW_HOME", str(sharing_engines(tmp_path / "home")))
    monkeypatch.chdir(tmp_path)
    shutil.copy(EXAMPLE, "one.png")
    Image.open("one.png").rotate(90).save("two.png")
    request = Edit(Path("one.png"), ("a puppy on a beach in armour",), "a cat on a beach", steps=2)
    edit(request, Making(), also=(Path("two.png"), Path("one.png")))
    assert len(list(Path("edited").glob("*.png"))) == 2
    said = capsys.readouterr().out.splitlines()
    assert [line for line in said if line.startswith("one.png, two.png: ") and "armour" in line]
    with pytest.raises(ValueError, match="--sheet and --explore work on one file"):
        edit(request, Making(), sheet=Path("sheet.png"), also=(Path("two.png"),))
    with pytest.raises(ValueError, match=r"one.png is a file, but several results need a folder"):
        edit(request, Making(), out=Path("one.png"), also=(Path("two.png"),))


def test_what_lies_in_the_place_of_records_and_attempts_is_no_record(tmp_path: Path) -> None:
    key = "0" * 20
    (tmp_path / ".attempts").mkdir()
    for path in (tmp_path / f"{key}.json", tmp_path / ".attempts" / f"{key}.1"):
        os.mkfifo(path)  # which nobody writes into
    assert read_record(tmp_path, key) is None
    assert attempts.is_alive(tmp_path, key)  # as one that was touched just now
    os.remove(tmp_path / f"{key}.json")
    sound = {
        "state": "done",
        "verb": "edit",
        "settings": {},
        "notes": [],
        "reason": "",
        "seconds": 1.0,
        "evaluations": 1,
    }
    for wrong in (
        {"seconds": "x"},
        {"settings": []},
        {"files": [3]},
        {"notes": 5},
        {"state": []},
        {"evaluations": 1.5},
    ):
        (tmp_path / f"{key}.json").write_text(json.dumps(sound | {"files": []} | wrong))
        assert read_record(tmp_path, key) is None, wrong
    (tmp_path / f"{key}.json").write_text(json.dumps(sound | {"files": []}))
    assert read_record(tmp_path, key)
