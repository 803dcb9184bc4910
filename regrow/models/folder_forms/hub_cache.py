"""Checkpoints in the cache of the Hugging Face hub."""

import warnings
from pathlib import Path

from regrow.models.errors import ModelError
from regrow.models.folder import is_model, read_json, reason
from regrow.models.registry import all_families, wanted_files


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
        commit = main.read_text(encoding="utf-8", errors="replace").strip()
        chosen = snapshots / commit
        if not chosen.is_dir() or chosen.name != commit or commit == "..":  # or it would be another folder's
            name = "/".join(folder.name.split("--")[1:])
            raise ModelError(f"{folder} lacks the snapshot that its refs/main names: hf download {name}.")
        return chosen
    there = sorted(path for path in snapshots.iterdir() if path.is_dir())
    if len(there) != 1:
        raise ModelError(
            f"{folder} holds {len(there)} snapshots and no refs/main that chooses one: name a folder in {snapshots}."
        )
    return there[0]


def _is_complete(folder: Path) -> bool:
    """Whether a cached snapshot holds weights of every part: the cache also keeps downloads that broke off."""
    index = read_json(folder / "model_index.json") if (folder / "model_index.json").is_file() else {"unet": []}
    folders = {place for family in all_families() for place in family.folders if not place.startswith("tokenizer")}
    parts = [folder / place for place in sorted(folders) if place in index and index[place] != [None, None]]
    return all(_has_weights(path) for path in parts) or _has_weights(folder)


def _has_weights(folder: Path) -> bool:
    if not (folder / "config.json").is_file():
        return False
    try:
        shards = [name for index in folder.glob("*.index.json") for name in read_json(index)["weight_map"].values()]
    except (ModelError, KeyError, AttributeError):
        return False
    here = {path.name for path in folder.glob("*") if path.suffix in (".safetensors", ".bin")}
    return bool(here) and here.issuperset(shards)


def from_hub(name: str, allow_pickle: bool, download: bool) -> Path:
    """Return the snapshot of a repository `user/name`, out of the hub's cache or fetched.

    Raises:
        ModelError: it is not here and may not be fetched, or cannot.
    """
    from huggingface_hub import snapshot_download

    patterns = wanted_files(allow_pickle)
    try:
        cached = Path(snapshot_download(name, allow_patterns=patterns, local_files_only=True))
        if is_model(cached) and _is_complete(cached):
            return cached
    except Exception:  # whatever is wrong with the cache, the download below repairs or explains
        pass
    if not download:
        raise ModelError(
            f"The model {name} is not on this machine: get it with `regrow models pull {name}` if you trust where it "
            "comes from, or add --download (and leave --offline out)."
        )
    try:
        fetched = Path(snapshot_download(name, allow_patterns=_announced(name, allow_pickle)))
    except Exception as error:  # a dozen classes, by what failed on the way
        raise ModelError(
            f"There is no model {name!r}: it is no folder, is not in the hub's cache on this machine, and could not "
            f"be downloaded ({reason(error)})."
        ) from error
    if not is_model(fetched):
        raise ModelError(
            f"{name} is no folder in diffusers' layout; if it holds weight files, get one of them with `regrow models "
            f"pull {name}`."
        )
    return fetched


def _announced(name: str, allow_pickle: bool) -> list[str]:
    """Patterns of what is fetched of a repository; its size and licence are said before it comes, as a warning."""
    import huggingface_hub
    from huggingface_hub.utils import filter_repo_objects

    info = huggingface_hub.HfApi().model_info(name, files_metadata=True)
    files = info.siblings or ()
    patterns = wanted_files(allow_pickle, [file.rfilename for file in files])
    wanted = list(filter_repo_objects(files, allow_patterns=patterns, key=lambda file: file.rfilename))
    licence = (info.card_data and info.card_data.license) or "not stated"
    size = sum(file.size or 0 for file in wanted) / 1e9
    warnings.warn(
        f"{name} is fetched from the hub: {len(wanted)} files, {size:.2f} GB; licence: {licence}.", stacklevel=2
    )
    return patterns
