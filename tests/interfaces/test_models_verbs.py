"""`regrow models` and what stands behind it, driven as a user drives it."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from regrow.hub.download import announce, size_text
from regrow.interfaces.cli import main
from regrow.media.one_process import only_one


@pytest.fixture(autouse=True)
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, checkpoint: Callable[[str], Path]) -> Path:
    monkeypatch.setenv("REGROW_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "home" / "models" / "mine"
    shutil.copytree(checkpoint("sd-tiny"), folder)
    return folder


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    main(["models", *arguments])
    return capsys.readouterr().out


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    return json.loads(told(capsys, *arguments, "--json"))


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as stop:
        main(["models", *arguments])
    assert stop.value.code == 1
    caught = capsys.readouterr()
    assert caught.out == ""
    assert caught.err.count("\n") == 1
    return caught.err


def test_models_alone_lists(capsys: pytest.CaptureFixture[str], mine: Path) -> None:
    lines = told(capsys).splitlines()
    assert lines == told(capsys, "list").splitlines()
    assert [line.split()[0] for line in lines] == ["bandstand", "mine", "songbook", "storybook"]
    assert str(mine) in lines[1]
    assert "part of regrow" in lines[2]
    listed = printed(capsys)["models"]
    assert listed == printed(capsys, "list")["models"]
    assert [(m["name"], m["family"], m["embedded"]) for m in listed] == [
        ("bandstand", "stable-diffusion", True),
        ("mine", "stable-diffusion", False),
        ("songbook", "singer", True),
        ("storybook", "stable-diffusion", True),
    ]
    assert listed[1]["bytes"] == sum(path.stat().st_size for path in mine.rglob("*") if path.is_file())


def test_the_list_says_what_to_do_next(capsys: pytest.CaptureFixture[str], mine: Path) -> None:
    (mine / "model_index.json").write_text("{}")
    assert "regrow models show mine" in told(capsys)
    shutil.rmtree(mine)
    assert "regrow models pull user/repo" in told(capsys)


def test_show_tells_all(capsys: pytest.CaptureFixture[str], mine: Path) -> None:
    (mine / "README.md").write_text("---\nlicense: mit\n---\n")
    (mine / "training.json").write_text(json.dumps({"data": {"pictures": 12}}))
    facts = printed(capsys, "show", "mine")
    assert (facts["name"], facts["folder"]) == ("mine", str(mine))
    assert (facts["family"], facts["medium"], facts["predicts"]) == ("stable-diffusion", "picture", "v")
    assert (facts["size"], facts["licence"], facts["training"]) == ([32, 48], "mit", {"data": {"pictures": 12}})
    assert facts["schedule"]["clean"] == {"alpha": 1.0, "sigma": 0.0, "log_snr": None}
    assert facts["schedule"]["noisiest"]["log_snr"] == pytest.approx(-5.364, abs=1e-3)
    assert set(facts["parameters"]) == {"unet", "vae", "text_encoder"}
    assert len(facts["hash"]) == 64
    text = told(capsys, "show", "mine")
    for said in ("32 x 48 pixels", "log-SNR -5.36", "mit", facts["hash"], "data.pictures: 12"):
        assert said in text


def test_show_of_a_model_without_words_and_with_broken_notes(
    capsys: pytest.CaptureFixture[str], checkpoint: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = tmp_path / "bare"
    shutil.copytree(checkpoint("bare-pixel"), folder)
    (folder / "training.json").write_text("{")
    facts = printed(capsys, "show", "bare")
    assert set(facts["parameters"]) == {"unet"}
    assert facts["licence"] is None
    assert len(facts["notes"]) == 2
    assert "training.json is not valid JSON" in told(capsys, "show", "bare")


def test_remove_asks_first(capsys: pytest.CaptureFixture[str], mine: Path) -> None:
    asked = refused(capsys, "remove", "mine")
    assert str(mine) in asked
    assert "kB" in asked
    assert "--yes" in asked
    assert mine.exists()
    removed = printed(capsys, "remove", "mine", "--yes")
    assert removed["removed"] == str(mine)
    assert removed["bytes"] > 0
    assert not mine.exists()
    assert "is part of regrow and cannot be removed" in refused(capsys, "remove", "storybook", "--yes")
    assert "not a path" in refused(capsys, "remove", "../models/mine", "--yes")


def test_remove_takes_the_training_along(capsys: pytest.CaptureFixture[str], mine: Path) -> None:
    log = mine.parent.parent / "runs" / "mine" / "denoiser" / "log.jsonl"
    log.parent.mkdir(parents=True)
    log.write_text("{}\n")
    mine.with_name("link").symlink_to(mine)
    shutil.copytree(log.parent.parent, log.parent.parent.with_name("link"))
    assert "its training" not in told(capsys, "remove", "link", "--yes")
    assert f"and its training {log.parent.parent} (3 B)" in refused(capsys, "remove", "mine")
    with only_one(log.parent.parent):
        assert "Another process is training mine" in refused(capsys, "remove", "mine", "--yes")
    assert mine.exists()
    assert printed(capsys, "remove", "mine", "--yes")["training"] == str(log.parent.parent)
    assert [path.name for path in log.parent.parent.parent.iterdir()] == ["link"]


def test_remove_leaves_the_training_of_another_that_is_not_over(capsys: pytest.CaptureFixture[str], mine: Path) -> None:
    checkpoint = mine.parent.parent / "runs" / "mine" / "denoiser" / "step-3.safetensors"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_bytes(b"abc")
    assert "its training" not in refused(capsys, "remove", "mine")
    assert printed(capsys, "remove", "mine", "--yes")["training"] is None
    assert checkpoint.exists()


def test_remove_of_a_link_says_that_the_rest_stays(capsys: pytest.CaptureFixture[str], mine: Path) -> None:
    mine.with_name("link").symlink_to(mine)
    assert "(its target stays)" in refused(capsys, "remove", "link")
    assert "removed the link" in told(capsys, "remove", "link", "--yes")
    assert (mine / "model_index.json").exists()


def test_a_download_that_broke_off_is_listed_and_removed(capsys: pytest.CaptureFixture[str], mine: Path) -> None:
    place = mine.parent / ".pulling" / "jane--pets"
    (place / "c0ffee" / "unet").mkdir(parents=True)
    (place / "c0ffee" / "unet" / "diffusion_pytorch_model.safetensors.part").write_bytes(bytes(1_200_000))
    announce(place, "jane/pets", 4_300_000_000)
    assert printed(capsys)["unfinished"] == [
        {"repo": "jane/pets", "came": 1_200_000, "size": 4_300_000_000, "file": ""}
    ]
    line = told(capsys).splitlines()[-1]
    assert line.startswith("1.2 MB of 4.3 GB of jane/pets are here. Continue: regrow models pull jane/pets. Delete: ")
    assert "This would remove the unfinished download of jane/pets" in refused(capsys, "remove", "jane/pets")
    assert "removed the unfinished download of jane/pets" in told(capsys, "remove", "jane/pets", "--yes")
    assert [path.name for path in mine.parent.iterdir()] == ["mine"]


def test_push_to_a_folder_and_pull_from_it(capsys: pytest.CaptureFixture[str], mine: Path, tmp_path: Path) -> None:
    text = told(capsys, "push", "mine", "jane/pets", "--to", "out")
    assert "wrote out" in text
    assert "hf upload jane/pets out" in text
    assert "states no licence" in text
    assert (tmp_path / "out" / "README.md").read_text().startswith("---\n")
    assert "never overwritten" in refused(capsys, "push", "mine", "jane/pets", "--to", "out")
    assert "--private" in refused(capsys, "push", "mine", "jane/pets", "--to", "other", "--private")
    pulled = printed(capsys, "pull", "out", "--name", "again")
    assert pulled["name"] == "again"
    assert printed(capsys, "show", "again")["hash"] == printed(capsys, "show", "mine")["hash"]
    assert "regrow models show more" in told(capsys, "pull", "out", "--name", "more")
    assert "never overwritten" in refused(capsys, "pull", "out", "--name", "more")


def test_push_says_where_it_went(
    capsys: pytest.CaptureFixture[str], mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Api:
        def create_repo(self, repo: str, *, private: bool | None, exist_ok: bool) -> str:
            return f"https://huggingface.co/{repo}"

        def upload_folder(self, **_: Any) -> None:
            pass

    monkeypatch.setattr("huggingface_hub.HfApi", Api)
    (mine / "README.md").write_text("---\nlicense: mit\n---\n")
    text = told(capsys, "push", "mine", "jane/pets")
    assert text.startswith("uploaded to https://huggingface.co/jane/pets\n")
    assert "licence" not in text
    facts = printed(capsys, "push", "mine", "jane/pets")
    assert facts == {"address": "https://huggingface.co/jane/pets", "licence": "mit"}


def test_push_and_pull_without_the_hub(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE is set" in refused(capsys, "push", "mine", "jane/pets")
    assert "HF_HUB_OFFLINE is set" in refused(capsys, "pull", "jane/pets")


def test_a_fresh_interpreter_needs_nothing_that_the_tests_have_imported() -> None:
    command = [sys.executable, "-m", "regrow", "models", "pull", "nowhere"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "regrow: nowhere is neither a folder nor the name of a hub repository (user/repo).\n"


def test_sizes_are_said_in_the_units_that_disks_are_sold_in() -> None:
    assert [size_text(n) for n in (999, 1000, 24_699_687, 5_200_000_000)] == ["999 B", "1.0 kB", "24.7 MB", "5.2 GB"]


def test_single_files_are_listed_and_removed_as_models_are(
    capsys: pytest.CaptureFixture[str], mine: Path, tmp_path: Path
) -> None:
    import torch
    from safetensors.torch import save_file

    network = {"model.diffusion_model.input_blocks.0.0.weight": torch.zeros(320, 4, 3, 3)}
    lora = {"lora_unet_mid.lora_down.weight": torch.zeros(4, 32)}
    (tmp_path / "webui").mkdir()
    for state, path in (
        (network, mine.parent / "painted.safetensors"),
        (lora, mine.parent / "loras" / "style.safetensors"),
        (network, tmp_path / "webui" / "theirs.safetensors"),
        (lora, tmp_path / "webui" / "night.safetensors"),
    ):
        path.parent.mkdir(exist_ok=True)
        save_file(state, path)
    added = told(capsys, "add", str(tmp_path / "webui"))
    assert f"(a LoRA file)  {tmp_path}/webui/night.safetensors" in added
    lines = {line.split()[0]: line for line in told(capsys).splitlines()}
    assert lines["painted"].endswith(str(mine.parent / "painted.safetensors"))
    assert "LoRA file" in lines["style"]
    assert [(one["name"], one["kind"]) for one in printed(capsys)["additions"]] == [
        ("style", "LoRA file"),
        ("night", "LoRA file"),
    ]
    assert "painted.safetensors (46." in refused(capsys, "remove", "painted")
    assert told(capsys, "remove", "painted", "--yes").startswith(f"removed {mine.parent}/painted.safetensors")
    told(capsys, "remove", "style", "--yes")
    assert not list(mine.parent.rglob("*d.safetensors"))
    assert not list(mine.parent.rglob("style*"))
    for name in ("theirs", "night"):
        said = refused(capsys, "remove", name)
        assert (
            f"{name} is the file {tmp_path}/webui/{name}.safetensors in a folder that you added: delete the file itself"
            in said
        )
        assert (tmp_path / "webui" / f"{name}.safetensors").is_file()
