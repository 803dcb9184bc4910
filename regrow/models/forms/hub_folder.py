"""Folders of the Hugging Face hub's cache, `models--org--name`, given as a model."""

from pathlib import Path

from regrow.models.errors import ModelError


def snapshot_in(folder: Path) -> Path:
    """Return the snapshot that a cache folder's `refs/main` names, or its only one; any other folder as it is.

    Raises:
        ModelError: nothing says which of several snapshots is meant, or the one that is meant is not there.
    """
    snapshots = folder / "snapshots"
    if not folder.name.startswith("models--") or not snapshots.is_dir():
        return folder
    main = folder / "refs" / "main"
    if main.is_file():
        chosen = snapshots / main.read_text(encoding="utf-8").strip()
        if not chosen.is_dir():
            name = "/".join(folder.name.split("--")[1:])
            raise ModelError(f"{folder} lacks the snapshot that its refs/main names: hf download {name}.")
        return chosen
    there = sorted(path for path in snapshots.iterdir() if path.is_dir())
    if len(there) != 1:
        raise ModelError(
            f"{folder} holds {len(there)} snapshots and no refs/main that chooses one: name a folder in {snapshots}."
        )
    return there[0]
