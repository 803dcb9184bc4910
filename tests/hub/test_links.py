"""Files of a model's folder that are links to files elsewhere are not shown, copied or given away with it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hubs import refused

from regrow.hub import model_card, publish, pulling
from regrow.models.folder import leads_outside
from regrow.models.open import open_model, user_models
from regrow.models.saving import save_model

SECRET = '{"license": "the secret of its user"}'


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    (tmp_path / "secret.json").write_text(SECRET)
    return tmp_path / "secret.json"


@pytest.mark.parametrize("name", ["README.md", "training.json", "samples/final.png", "LICENSE", "unet/notes.txt"])
def test_a_link_to_a_file_elsewhere_is_not_published(mine: Path, secret: Path, name: str, tmp_path: Path) -> None:
    place = mine / name
    place.parent.mkdir(exist_ok=True)
    place.unlink(missing_ok=True)
    place.symlink_to(secret)
    said = refused(publish.write_publishable, open_model("mine"), "jane/it", tmp_path / "out")
    assert f"{place} is a link to a file outside" in said
    assert not (tmp_path / "out").exists()


def test_a_weight_file_elsewhere_is_not_published(mine: Path, tmp_path: Path) -> None:
    (weights,) = (mine / "unet").glob("*.safetensors")
    weights.rename(tmp_path / "theirs.safetensors")
    weights.symlink_to(tmp_path / "theirs.safetensors")
    assert "is a link to a file outside" in refused(
        publish.write_publishable, open_model("mine"), "jane/it", tmp_path / "out"
    )


@pytest.mark.parametrize("name", ["README.md", "training.json"])
def test_a_link_to_a_file_elsewhere_is_neither_read_nor_copied(
    name: str, mine: Path, secret: Path, tmp_path: Path
) -> None:
    (mine / name).unlink(missing_ok=True)
    (mine / name).symlink_to(secret)
    read = model_card.read_front_matter if name == "README.md" else model_card.read_training
    assert "is a link to a file outside" in refused(read, mine)
    assert "is a link to a file outside" in refused(pulling.pull, str(mine), "copied")
    assert not (user_models() / "copied").exists()
    (mine / "words-of-mine.txt").symlink_to(secret)
    save_model(open_model("mine"), tmp_path / "trained")
    written = [path for path in (tmp_path / "trained").rglob("*") if path.is_file()]
    assert not [path for path in written if SECRET.encode() in path.read_bytes()]


def test_links_inside_and_to_the_caches_own_blobs_are_files_as_any(
    checkpoint: Callable[[str], Path], mine: Path, tmp_path: Path
) -> None:
    (mine / "other.md").write_text("Words.")
    (mine / "README.md").unlink(missing_ok=True)
    (mine / "README.md").symlink_to("other.md")
    published = publish.write_publishable(open_model("mine"), "jane/it", tmp_path / "out")
    assert (published / "README.md").read_text().endswith("Words.")
    snapshot, blobs = tmp_path / "models--a--b" / "snapshots" / "0", tmp_path / "models--a--b" / "blobs"
    snapshot.mkdir(parents=True)
    blobs.mkdir()
    shutil.copy(mine / "other.md", blobs / "0123")
    (snapshot / "README.md").symlink_to(blobs / "0123")
    assert not leads_outside(snapshot / "README.md", snapshot)
    (snapshot / "words.json").symlink_to(mine / "other.md")
    assert leads_outside(snapshot / "words.json", snapshot)
