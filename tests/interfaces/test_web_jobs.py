"""What the page's jobs say and whose they are, without a browser."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
import torch
from homes import sharing_engines
from web_server import EXAMPLE, Server, call

from regrow.core.methods.registry import method, names
from regrow.core.progress import finish
from regrow.editing.edit import edit
from regrow.interfaces.web import history, job_handlers, places, processes
from regrow.interfaces.web.jobs import Job
from regrow.interfaces.web.own_files import Caller, OwnFiles
from regrow.interfaces.web.shared import Page, spoken, status
from regrow.interfaces.web.texts import as_page_says
from regrow.interfaces.web.worker import Worker
from regrow.media.files import MediaError, file_hash
from regrow.media.image.picture import save
from regrow.models.open import EMBEDDED, open_model
from regrow.requests.edit import Edit

CHINESE = gr.Request(headers={"accept-language": "zh-CN"})


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REGROW_HOME", str(sharing_engines(tmp_path / "home")))
    return tmp_path / "home"


def over(worker: Worker, kind: str, settings: dict[str, Any]) -> Job:
    *_, job = worker.watch(worker.submit("", kind, settings))
    return job


def test_methods_that_tune_edit_and_explore(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_handlers, "STRENGTHS", (0.5,))
    worker = Worker(job_handlers.KINDS)
    settings = {"image": str(places.keep_picture(EXAMPLE)), "target": ["an orange puppy on a beach"], "mask": None}
    settings |= {"source": "an orange cat on a beach", "model": "storybook", "steps": 2, "strength": 0.5}
    for name in names():
        if method(name).tune:
            for kind in ("edit", "explore"):
                job = over(worker, kind, settings | {"method": name})
                assert (job.state, job.error) == ("done", "")


def test_a_method_says_whether_its_way_back_under_the_old_words_ends_at_the_picture(home: Path) -> None:
    model = open_model("storybook")
    request = Edit(image=EXAMPLE, source="an orange cat on a beach", target=("an orange cat on a beach",), steps=2)
    request = replace(request, strength=1.0, guidance=1.0, prompt_expansion="off")
    for name in names():
        if method(name).returns_source or name == "naive":
            figures = finish(edit(replace(request, method=name), model)).recipes[0]["figures"]
            exact = figures["to_codec"]["psnr"] is None or figures["to_codec"]["psnr"] > 60
            assert exact == method(name).returns_source, (name, figures)


def test_the_page_says_of_whom_the_loss_is(home: Path) -> None:
    page, english = Page(Worker({}), True, OwnFiles(private=False)), gr.Request(headers={})
    for facts, own in (({"returns_source": True}, True), ({"returns_source": False}, False), ({}, False)):
        job = Job("1", "", "edit", {"model": "storybook"}, "done", facts=facts | {"reconstruction": {"psnr": 20}})
        assert ("the model's own loss" in status(job, page, english)) == own
    job = Job("1", "", "look", {"model": "storybook"}, "done", facts={"codec": {"psnr": 20}})
    assert "the model's own loss" in status(job, page, english)


def result(owner: str, stamp: str, **recipe: Any) -> Path:
    job = Job(stamp, owner, "generate", {"model": "storybook"}, "done", files=["a-cat-1.png"])
    job.keep()
    save(job.folder / "a-cat-1.png", torch.zeros(3, 8, 8), recipe or None)
    return job.folder / "a-cat-1.png"


def test_behind_a_password_only_an_owner_reads_and_deletes(home: Path) -> None:
    one, other, nobody = (result(owner, f"2026010{i}-000000-aa") for i, owner in enumerate(("one", "other", ""), 1))
    private, shared = OwnFiles(private=True), OwnFiles(private=False)
    assert history.listed(9, shared, "one") == [nobody, other, one]
    assert history.listed(9, private, "one") == [one]
    assert history.listed(9, private, "") == []
    for owner, path in (("one", other), ("other", one), ("", nobody), ("", one)):
        with pytest.raises(MediaError, match="none of the page's results"):
            history.delete(path, private, owner)
        assert not private.may_fetch(Caller(owner), str(path))
    assert private.may_fetch(Caller("one"), str(one))
    assert not shared.may_fetch(Caller("one"), str(one.parent / "job.json"))
    assert not shared.may_fetch(Caller("one"), str(home / "page" / "secret"))
    history.delete(one, private, "one")
    assert (one.exists(), other.exists(), nobody.exists()) == (False, True, True)


def test_a_recipe_brings_back_only_what_is_the_browsers_own(home: Path) -> None:
    kept = places.keep_picture(EXAMPLE)
    known = {"file": str(kept), "hash": file_hash(kept)}
    private, shared = OwnFiles(private=True), OwnFiles(private=False)
    Job("20260101-000000-aa", "one", "edit", {"image": str(kept)}, "done").keep()
    for noted in (known, known | {"file": kept.name}, {"file": kept.name, "file_hash": known["hash"]}):
        assert shared.in_recipe("two", noted) == kept
        assert private.in_recipe("one", noted) == kept
        assert private.in_recipe("two", noted) is None
    wrong = [known | {"hash": "0"}, {"file": "/etc/passwd", "hash": file_hash(Path("/etc/passwd"))}, {"file": "*"}]
    for noted in (*wrong, {"file": ".."}, {"file": 3}, None, "x", {}):
        assert shared.in_recipe("one", noted) is None


def test_dry_runs_are_no_trainings(home: Path) -> None:
    folder = home / "page" / "processes"
    folder.mkdir(parents=True)
    for name in ("mine", ".rehearsal-0123456789abcdef"):
        (folder / f"{name}.json").write_text(json.dumps({"pid": 2**22, "began": 0, "command": ["train", "x"]}))
    assert processes.runs() == ["mine"]


def test_no_sentence_shows_a_name_or_a_folder_that_the_page_gave(home: Path) -> None:
    name = "0123456789abcdef0123456789abcdef.wav"
    job = Job("1", "", "edit", {"image": str(home / "page" / "sounds" / name), "model": "bandstand"})
    note = f"{name} was resampled from 8000 Hz to the model's 22050 Hz."
    assert spoken(job, note, gr.Request(headers={})) == "The sound was resampled from 8000 Hz to the model's 22050 Hz."
    assert "已从 8000 Hz 重采样到模型的 22050 Hz" in spoken(job, note, CHINESE)
    assert name not in spoken(job, note, CHINESE)
    for path, shown in (
        ("uploads/abc/cat.png", "cat.png"),
        ("sets/mine/x y.png", "x y.png"),
        (f"sounds/{name}", "the file"),
    ):
        assert as_page_says(f"{home}/page/{path} is empty.", None) == f"{shown} is empty."
    assert as_page_says("There is no folder /tmp/pictures: check its name.", None).startswith(
        "There is no folder /tmp/pi"
    )


def test_of_two_sentences_that_fit_the_fuller_one_is_said() -> None:
    said = as_page_says('Expanded prompt: "a cat" to "a dog".', CHINESE)
    assert said == "补全后的提示：“a cat”变成“a dog”。"
    assert as_page_says('Expanded prompt: "a cat".', CHINESE) == "补全后的提示：“a cat”。"


def functions(client: Any) -> dict[str, int]:
    return {one["api_name"]: one["id"] for one in client.get("/config").json()["dependencies"]}


def test_a_model_is_taken_as_soon_as_it_is_there_and_bad_calls_get_a_sentence(server: Server) -> None:
    with server.caller() as client:
        generate = functions(client)["generate"]
        asked = ["a white rabbit in the snow", "just-trained", 3, 1, 0]
        well, said = call(client, generate, asked)
        assert not well
        assert "There is no model 'just-trained' here" in said
        (server.home / "models").mkdir(exist_ok=True)
        (server.home / "models" / "just-trained").symlink_to(EMBEDDED / "storybook")
        try:
            well, made = call(client, generate, asked)
            assert well, made
        finally:
            (server.home / "models" / "just-trained").unlink()
        for i, bad, sentence in (
            (0, None, "prompt must be words"), (0, "", "Say what it should show"), (1, "/etc", "There is no model"),
            (2, "seven", "seed must be a number; got 'seven'"), (2, 1.5, "must be a whole number"),
            (2, -2, "must be a whole number"), (2, 1e30, "must be a whole number"), (3, 10**9, "8"), (3, [1], "count"),
            (4, -1, "Seconds must be"), (4, {"a": 1}, "duration must be"), (1, {"path": "/etc/passwd"}, "not uploaded"),
        ):  # fmt: skip
            data = [*asked[:i], bad, *asked[i + 1 :]]
            data[1] = data[1] if i == 1 else "bandstand" if i == 4 else "storybook"
            well, said = call(client, generate, data)
            assert not well, (i, bad)
            assert isinstance(said, str)
            assert sentence in said, (bad, said)
            assert "Something is wrong in regrow" not in said
