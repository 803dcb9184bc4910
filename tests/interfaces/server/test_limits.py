"""What a user may take of a server: jobs, pixels, minutes, room; a sentence for each, and nobody else is kept out."""

import io
import os
import time
from pathlib import Path

import numpy as np
import pytest
from gates import Gate, begun, client_of, over, started, work
from PIL import Image
from record_api import PASSWORD
from web_server import EXAMPLE

from regrow.interfaces.server import uploads, usage
from regrow.interfaces.server.errors import Refused
from regrow.interfaces.server.files import Files
from regrow.interfaces.server.jobs.job import Job
from regrow.interfaces.server.limits import AT_HOME, SHARED, Limits, limits_of
from regrow.interfaces.server.places import made, page
from regrow.interfaces.server.sessions import Caller
from regrow.interfaces.server.usage import Usage, pixels_of

A, B = Caller("a"), Caller("b")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REGROW_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def refused(worker, caller: Caller, settings: dict) -> str:
    with pytest.raises(Refused) as problem:
        worker.submit(caller, "gate", settings)
    assert problem.value.status_code in (429, 507)
    assert problem.value.sentence("zh") != problem.value.sentence("en")
    return problem.value.sentence("en")


def test_pixels_are_sizes_times_numbers(home: Path) -> None:
    (page() / "pictures").mkdir(parents=True)
    file = "0" * 32 + ".png"
    Image.new("RGB", (300, 200)).save(page() / "pictures" / file)

    def pixels(verb: str, **settings: object) -> float:
        return pixels_of(Job("1", "a", verb, settings))

    assert pixels("generate", size=[100, 50], count=3) == 15_000
    assert pixels("generate", prompt="a cat") == usage.USUAL
    assert pixels("edit", image=file, target=["a", "b"]) == 120_000
    assert pixels("compare", image=file, target=["a"], methods=["x", "y"], strengths=[0.1, 0.5, 1.0]) == 360_000
    assert pixels("generate", prompt="a piano", duration=6.0, count=4) == 0
    assert pixels("edit", image="1" * 32 + ".png", target=["gone"]) == 0


def test_one_users_pixels_are_bounded_and_anothers_wait_beside_them() -> None:
    gate = Gate()
    worker = started({"gate": gate}, private=True)
    worker.usage.limits = Limits(megapixels=1)
    worker.submit(A, "gate", {"name": "0"})
    begun(gate, 1)
    worker.submit(A, "gate", {"name": "1", "size": [1000, 600]})
    assert "1.2 megapixels, and the limit is 1" in refused(worker, A, {"name": "2", "size": [1000, 600]})
    other = worker.submit(B, "gate", {"name": "b", "size": [1000, 600]})
    worker.submit(A, "gate", {"name": "3", "size": [100, 100]})
    gate.all.set()
    assert over(worker, other) == "done"
    assert len(list(made().glob("*"))) == 4  # nothing of what was refused is left


def test_minutes_of_an_hour_are_bounded_and_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate()
    gate.all.set()
    worker = started({"gate": gate}, private=True)
    worker.usage.limits = Limits(minutes=10)
    worker.usage.note_computed(Job("1", "a", "gate", {}), 400)
    assert over(worker, worker.submit(A, "gate", {"name": "1"})) == "done"
    worker.usage.note_computed(Job("1", "a", "gate", {}), 300)
    assert "11.7 minutes within the last hour, and the limit is 10: ask again in 60 minutes" in refused(worker, A, {})
    assert over(worker, worker.submit(B, "gate", {"name": "2"})) == "done"
    now = time.monotonic()
    monkeypatch.setattr(usage.time, "monotonic", lambda: now + usage.HOUR + 60)
    worker.usage._check_minutes("a")


def test_what_jobs_take_is_counted() -> None:
    worker = started({"slow": work(lambda _: time.sleep(0.2))}, private=True)
    assert over(worker, worker.submit(A, "slow", {})) == "done"
    assert sum(seconds for _, seconds in worker.usage._computed["a"]) >= 0.2
    assert not worker.usage._computed["b"]


def test_room_on_the_disk_is_bounded_for_each_user_and_comes_back() -> None:
    def write(job: Job) -> None:
        (job.folder / "a-1.png").write_bytes(bytes(3_000_000))
        job.files.append("a-1.png")

    worker = started({"gate": work(write)}, private=True)
    worker.usage.limits = Limits(gigabytes=0.005)
    files = Files(True, worker.usage)
    first, second = (worker.submit(A, "gate", {}) for _ in range(2))
    assert (over(worker, first), over(worker, second)) == ("done", "done")
    assert "take 0.01 GB, and 0.005 GB are allowed" in refused(worker, A, {})
    with pytest.raises(Refused, match="disk_quota"):
        uploads.keep(files, A, io.BytesIO(EXAMPLE.read_bytes()), "cat.png")
    assert uploads.keep(files, B, io.BytesIO(EXAMPLE.read_bytes()), "cat.png")["id"]
    assert over(worker, worker.submit(B, "gate", {})) == "done"
    (first.folder / "a-1.png").unlink()
    assert over(worker, worker.submit(A, "gate", {})) == "done"  # at once: the disk is looked at before a refusal


def picture(seed: int) -> bytes:
    drawn, noise = io.BytesIO(), np.random.default_rng(seed).integers(0, 256, (100, 100, 3), np.uint8)
    Image.fromarray(noise).save(drawn, "png")
    return drawn.getvalue()


def test_uploads_of_one_are_counted_and_the_total_is_bounded() -> None:
    """By many small files: each may be sent, and all together may not."""
    size = len(picture(0))
    files = Files(True, Usage(Limits(uploads=3.5 * size / 1e9, gigabytes=2.5 * size / 1e9), private=True))
    for number, caller in enumerate((A, A, B)):
        uploads.keep(files, caller, io.BytesIO(picture(number)), "a.png")
    with pytest.raises(Refused, match="disk_quota"):
        uploads.keep(files, A, io.BytesIO(picture(3)), "a.png")
    with pytest.raises(Refused, match="uploads_full"):
        uploads.keep(files, B, io.BytesIO(picture(3)), "a.png")
    assert uploads.keep(files, B, io.BytesIO(picture(2)), "again.png")["id"]  # which takes no room
    assert len(list((page() / "pictures").glob("*"))) == 3


def test_uploads_that_nothing_was_made_of_are_removed_after_a_time() -> None:
    files = Files(False)
    old, new, named = (uploads.keep(files, A, io.BytesIO(picture(n)), "a.png")["id"] for n in range(3))
    Job("20260101-000000-0123456789abcdef", "a", "edit", {"image": named}, state="done").keep()
    for name in (old, named):
        os.utime(page() / "pictures" / name, (0, time.time() - 8 * 86_400))
    assert uploads.remove_unused(0) == 0
    assert uploads.remove_unused(7) == 1
    assert {path.name for path in (page() / "pictures").glob("*")} == {new, named}


def test_a_user_is_told_over_http() -> None:
    gate = Gate()
    worker = started({"generate": gate}, private=True)
    worker.usage.limits = Limits(megapixels=0.1)
    with client_of(worker, PASSWORD) as client:
        client.post("/login", data={"username": "regrow", "password": PASSWORD})
        for language, words in (("en", "0.3 megapixels, and the limit is 0.1"), ("zh", "百万像素")):
            asked = {"prompt": "a cat", "size": [512, 512]}
            answer = client.post("/api/generate", json=asked, headers={"accept-language": language})
            assert (answer.status_code, words in answer.json()["error"]) == (429, True)
    gate.all.set()


def test_a_host_changes_limits_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "limits.toml"
    file.write_text("jobs = 7\nminutes = 0\n")
    assert (limits_of(None, False), limits_of(None, True)) == (AT_HOME, SHARED)
    assert limits_of(file, True) == Limits(7, SHARED.megapixels, 0, SHARED.gigabytes, SHARED.uploads, SHARED.days)
    for text, words in (
        ("jobs 7", "cannot be read"),
        ("job = 7", "is not a limit; there are jobs, megapixels"),
        ("jobs = -1", "jobs in"),
        ("days = 'many'", "days in"),
        ("jobs = true", "jobs in"),
        ("minutes = nan", "minutes in"),
    ):
        file.write_text(text)
        with pytest.raises(ValueError, match=words):
            limits_of(file, False)
    with pytest.raises(ValueError, match="No such file"):
        limits_of(tmp_path / "none.toml", False)
