"""Checkpoints in the cache of the Hugging Face hub."""

import warnings
from pathlib import Path

from regrow.messages.message import say
from regrow.models.errors import ModelError
from regrow.models.folder import is_model, read_json, reason
from regrow.models.registry import all_families, wanted_files


def snapshot_in(folder: Path) -> Path:
    """Return the snapshot that a cache folder's `refs/main` names, or its only one; any other folder unchanged.

    Raises:
        ModelError: nothing says which of several snapshots is meant, or the snapshot is missing.
    """
    snapshots = folder / "snapshots"
    if not folder.name.startswith("models--") or not snapshots.is_dir():
        return folder
    main = folder / "refs" / "main"
    if main.is_file():
        commit = main.read_text(encoding="utf-8", errors="replace").strip()
        chosen = snapshots / commit
        if not chosen.is_dir() or chosen.name != commit or commit == "..":  # a path would lead to another folder
            name = "/".join(folder.name.split("--")[1:])
            raise ModelError(say("snapshot_missing", folder=folder, name=name))
        return chosen
    there = sorted(path for path in snapshots.iterdir() if path.is_dir())
    if len(there) != 1:
        raise ModelError(say("cache_has_no_main", folder=folder, count=len(there), snapshots=snapshots))
    return there[0]


def _is_complete(folder: Path) -> bool:
    """Return whether a cached snapshot holds weights of every part: the cache also keeps interrupted downloads."""
    index = read_json(folder / "model_index.json") if (folder / "model_index.json").is_file() else {"unet": []}
    folders = {place for family in all_families() for place in family.folders if not place.startswith("tokenizer")}
    parts = [folder / place for place in sorted(folders) if place in index and index[place] != [None, None]]
    return all(_has_weights(path) for path in parts) or _has_weights(folder)


def _has_weights(folder: Path) -> bool:
    if not (folder / "config.json").is_file():
        return False
    try:
        shards = [name for index in folder.glob("*.index.json") for name in read_json(index)["weight_map"].values()]
        here = {path.name for path in folder.glob("*") if path.suffix in (".safetensors", ".bin")}
        return bool(here) and here.issuperset(shards)
    except (ModelError, KeyError, AttributeError, TypeError):  # not a valid index
        return False


def from_hub(name: str, allow_pickle: bool, download: bool) -> Path:
    """Return the snapshot of a repository `user/name`, from the hub's cache or downloaded.

    Raises:
        ModelError: it is not in the cache, and may not or cannot be downloaded.
    """
    from huggingface_hub import snapshot_download

    patterns = wanted_files(allow_pickle)
    try:
        cached = Path(snapshot_download(name, allow_patterns=patterns, local_files_only=True))
        if is_model(cached) and _is_complete(cached):
            return cached
    except Exception:  # the download below repairs a broken cache, or explains the error
        pass
    if not download:
        raise ModelError(say("model_not_downloaded", name=name))
    try:
        fetched = Path(snapshot_download(name, allow_patterns=_announced(name, allow_pickle)))
    except Exception as error:  # a dozen exception classes, by what failed
        raise ModelError(say("model_nowhere", name=name, reason=reason(error))) from error
    if not is_model(fetched):
        raise ModelError(say("folder_not_diffusers", name=name))
    return fetched


def _announced(name: str, allow_pickle: bool) -> list[str]:
    """Return patterns of the files to download, and warn of their size and licence before the download."""
    import huggingface_hub
    from huggingface_hub.utils import filter_repo_objects

    info = huggingface_hub.HfApi().model_info(name, files_metadata=True)
    files = info.siblings or ()
    patterns = wanted_files(allow_pickle, [file.rfilename for file in files])
    wanted = list(filter_repo_objects(files, allow_patterns=patterns, key=lambda file: file.rfilename))
    licence = (info.card_data and info.card_data.license) or "not stated"
    size = sum(file.size or 0 for file in wanted) / 1e9
    warnings.warn(say("fetching_from_hub", name=name, count=len(wanted), size=size, licence=licence), stacklevel=2)
    return patterns
