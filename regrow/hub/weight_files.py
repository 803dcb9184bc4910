"""Repositories of single weight files, not in the layout of diffusers: one of the files is downloaded."""

import json
import struct
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from regrow.hub.download import Remote, Repository, head, size_text
from regrow.hub.hub import refusals
from regrow.messages.message import say
from regrow.models.errors import ModelError
from regrow.models.open import user_models
from regrow.models.single_files.header import PICKLED, Header
from regrow.models.single_files.kinds import Kind, kind_of
from regrow.models.single_files.other_kinds import EMBEDDING, LORA

UNNAMED = {"model", "pytorch_model", "diffusion_pytorch_model", "pytorch_lora_weights", "learned_embeds"}
"""Names of files that say nothing: there the repository's is better."""
_PLACES: dict[str, str] = {LORA: "loras", EMBEDDING: "embeddings"}
_MOST_LISTED = 12


def has_diffusers_layout(repository: Repository) -> bool:
    """Return whether a repository is a folder that a model is opened from."""
    names = {file.name for file in repository.files}
    return "model_index.json" in names or {"config.json", "diffusion_pytorch_model.safetensors"} <= names


def chosen_file(repository: Repository, wanted: str, allow_pickle: bool) -> Remote:
    """Return the weight file of a repository that is asked for, or its only one.

    Args:
        repository: as the hub lists it.
        wanted: its path there or its last name; "" for the only one.
        allow_pickle: whether it may be a pickle.

    Raises:
        ValueError: there is none, or there are several; or only pickles, and these are not allowed.
    """
    files = [file for file in repository.files if file.name.endswith((".safetensors", ".gguf"))]
    pickles = [file for file in repository.files if file.name.endswith(PICKLED)]
    if wanted:
        named = [f for f in (*files, *pickles) if wanted in (f.name, PurePosixPath(f.name).name)]
        if not named:
            raise ValueError(
                say("no_such_weight_file", name=repository.name, wanted=wanted, listed=_listed(files or pickles))
            )
        files, pickles = [file for file in named if file not in pickles], [file for file in named if file in pickles]
    else:
        # a part in diffusers' layout is nothing alone
        parts = {str(PurePosixPath(f.name).parent) for f in repository.files if f.name.endswith("/config.json")}
        files, pickles = (
            [f for f in some if str(PurePosixPath(f.name).parent) not in parts] for some in (files, pickles)
        )
    if not files and pickles and not allow_pickle:
        raise ModelError(say("file_is_pickled", name=repository.name, files=pickles[0].name))
    found = files or pickles
    if not found:
        raise ModelError(say("repo_is_no_model", name=repository.name))
    if len(found) > 1:
        raise ValueError(say("choose_weight_file", name=repository.name, count=len(found), listed=_listed(found)))
    return found[0]


def name_of(repository: Repository, file: Remote) -> str:
    """Return what a file is called here where no name is asked for."""
    stem = PurePosixPath(file.name).stem
    return repository.name.split("/")[1] if stem in UNNAMED else stem


def remote_kind(repository: Repository, file: Remote) -> Kind | None:
    """Return what a file is by its first bytes alone; None where these do not say it.

    Raises:
        ModelError: it is nothing that regrow uses, or damaged.
        ValueError: the hub refused.
    """
    if not file.name.endswith(".safetensors"):
        return None
    with refusals(repository.name, writing=False):
        first = head(repository.name, repository.commit, file, 8)
        size = struct.unpack("<Q", first)[0] if len(first) == 8 else file.size
        text = head(repository.name, repository.commit, file, 8 + size)[8:] if size < file.size else b""
    try:
        entries = json.loads(text)
        entries.pop("__metadata__", None)
        header = Header(Path(file.name), {name: tuple(entry["shape"]) for name, entry in entries.items()})
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise ModelError(say("repo_file_damaged", name=file.name, repo=repository.name)) from error
    return usable(kind_of(header), f"{file.name} of {repository.name}")


def usable(kind: Kind, what: str) -> Kind:
    """Return the kind of a file.

    Raises:
        ModelError: regrow has no use for it.
    """
    if kind.layout or kind.role or kind.title in _PLACES:
        return kind
    raise ModelError(say("no_checkpoint_but", what=what, title=kind.title, next_step=kind.next_step))


def place_of(kind: Kind, name: str, suffix: str) -> Path:
    """Return where a file of a kind lies among the user's models."""
    return user_models() / _PLACES.get(kind.title, "") / f"{name}{suffix}"


def _listed(files: Sequence[Remote]) -> str:
    if not files:
        return say("it_has_none")
    texts = [f"{file.name} ({size_text(file.size)})" for file in files[:_MOST_LISTED]]
    more = say("and_more", count=len(files) - _MOST_LISTED) if len(files) > _MOST_LISTED else ""
    return say("there_are", names=", ".join(texts), more=more)
