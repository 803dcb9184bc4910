"""Open a model by its name or folder, or raise a one-sentence error that says why not."""

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch

from regrow.media.audio.medium import MEDIUM as SOUND
from regrow.media.home import home
from regrow.media.image.medium import MEDIUM as PICTURE
from regrow.media.medium import Medium
from regrow.messages.message import say
from regrow.models.adapters.embedding_files import add_embedding_files, embedding_path
from regrow.models.adapters.lora_files import LoraFile, add_lora_files
from regrow.models.errors import ModelError
from regrow.models.folder import check_size, is_model, usable_values
from regrow.models.folder_forms.hub_cache import from_hub, snapshot_in
from regrow.models.folder_forms.plain_pipelines import about_pipeline
from regrow.models.memory.names import Offload
from regrow.models.memory.placement import FLOAT8, Placement, placed
from regrow.models.model import Model
from regrow.models.registry import (
    Family,
    family_of_pipeline,
    joined_name,
    named,
    recognise,
    split_name,
)
from regrow.models.sidecars.edit_file import read_edit_file
from regrow.models.sidecars.mel_file import MEL_FILE
from regrow.models.single_files.folders import SingleFile, added_folders, files_named, single_file_named, single_files
from regrow.models.single_files.layouts import layout
from regrow.models.single_files.view import cached_view, check_place, read_notes, write_view
from regrow.models.source import Source

EMBEDDED = Path(__file__).parents[1] / "weights"
LONGEST_NAME = 200
"""Maximum number of bytes in a name: file systems allow 255, and suffixes are added."""


@dataclass(frozen=True)
class Listed:
    """A model that can be opened by name.

    Attributes:
        name: the model's name.
        folder: its folder, or its single file.
        family: its family; None if it cannot be opened: `open_model` says why.
        medium: what it generates, judged by its folder without opening a part.
    """

    name: str
    folder: Path
    family: str | None
    medium: Medium = PICTURE


def user_models() -> Path:
    """Return the user's model folder."""
    return home() / "models"


def plain_name(name: str) -> str:
    """Check a name for a model in the user's folder, and return it.

    Raises:
        ModelError: it is empty, hidden, or a path.
    """
    if not name.strip() or name.startswith(".") or set(name) & set('/\\:*?"<>|'):
        raise ModelError(say("model_name_is_path", name=name))
    if not name.isprintable() or len(os.fsencode(name)) > LONGEST_NAME:
        raise ModelError(say("model_name_too_long", name=name[:40], most=LONGEST_NAME))
    return name


def list_models() -> list[Listed]:
    """Return the embedded and the user's models by name; of equal names, the one that `open_model` opens."""
    found: dict[str, Listed] = {}
    for root in (EMBEDDED, user_models()):
        for folder in sorted(root.iterdir() if os.access(root, os.R_OK | os.X_OK) and root.is_dir() else ()):
            if folder.name.startswith(".") or not is_model(folder) or folder.name in found:
                continue
            try:
                family = recognise(folder)[0]
            except ModelError:
                found[folder.name] = Listed(folder.name, folder, None)
                continue
            medium = SOUND if (folder / MEL_FILE).is_file() else family.medium
            found[folder.name] = Listed(folder.name, folder, family.name, medium)
    for file in single_files(_file_folders()):
        if file.kind.layout and file.path.stem not in found:
            # families recognised by name alone are also recognised by a file's name
            family = named(file.path.stem) or family_of_pipeline(layout(file.kind.layout).pipeline)
            found[file.path.stem] = Listed(file.path.stem, file.path, family.name if family else None, *_medium(family))
    return sorted(found.values(), key=lambda listed: listed.name)


def list_additions() -> list[SingleFile]:
    """Return the LoRA files and embeddings that can be named without a path."""
    return [file for file in single_files(_file_folders()) if file.is_addition]


def _medium(family: Family | None) -> tuple[Medium, ...]:
    return (family.medium,) if family else ()


def _file_folders() -> list[Path]:
    """Return the folders that are searched for single-file checkpoints by name."""
    return [user_models(), *added_folders()]


def family_of(folder: Path, as_family: str = "", name: str = "") -> str:
    """Return the family of a folder, whose weights may be missing, by `registry.recognise`.

    Raises:
        ModelError: it has neither a `model_index.json` nor a `config.json`, or `recognise` refuses.
    """
    if not is_model(folder):
        raise ModelError(say("folder_is_no_model", folder=folder))
    return recognise(folder, as_family, name)[0].name


def open_model(
    name_or_folder: str | Path,
    *,
    as_family: str = "",
    allow_pickle: bool = False,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
    download: bool = True,
    lora: Sequence[str] = (),
    embedding: Sequence[str] = (),
    offload: Offload = "none",
    in_turn: bool = True,
) -> Model:
    """Open a model.

    Args:
        name_or_folder: a folder in the diffusers layout; the name of an embedded or a user's model; a single-file
            checkpoint, by path or by its name in the user's or an added folder; or a hub repository `user/name`; tried
            in this order. `family:name` is the name with `as_family`.
        as_family: the family to open it as, whatever its files and name say; "" to detect it.
        allow_pickle: whether pickled weights may be read where there are no safetensors; a pickle can run any
            program.
        device: device of its modules.
        dtype: dtype of its modules; `torch.float8_e4m3fn` stores the network's weights in that and computes in
            bfloat16.
        download: whether a hub repository that is not on this machine is downloaded.
        lora: LoRA files to add to the weights, each with its scale, as in "file.safetensors:0.8".
        embedding: embedding files; the name of each becomes a word for prompts. Embedding and LoRA files in the user's
            folder of models or in an added folder can be named without a path.
        offload: what is kept in the CPU's memory until the device computes with it; see `Placement`.
        in_turn: whether parts are released if the next one does not fit into memory; False if weights will be changed.

    Raises:
        ModelError: there is no such model, or regrow cannot open it; the message says why.
    """
    said, plain = split_name(str(name_or_folder))
    name = joined_name(as_family or said, plain)
    folder = folder_to_open(plain, allow_pickle, download)
    family, index = recognise(folder, as_family or said)
    loras = [LoraFile.of(text, _file_folders()) for text in lora]
    embeddings = [embedding_path(text, _file_folders()) for text in embedding]
    small = dtype == FLOAT8
    source = Source(folder, name, index, allow_pickle, torch.bfloat16 if small else dtype, in_turn)
    with usable_values(folder):
        model = family.kind.open(source)
        check_size(model.size, folder)
    model.notes += (*about_pipeline(index), *read_notes(folder))
    if edit_file := read_edit_file(folder):
        model.edit_steps, model.edit_strengths = edit_file.steps, edit_file.strengths
        model.edit_frame = edit_file.frame
    add_lora_files(model, loras)
    add_embedding_files(model, embeddings, allow_pickle)
    return placed(model, device, Placement(offload, model.NETWORK if small else ""))


def has_model(name: str) -> bool:
    """Return whether there is a model, folder or file of this name, without asking the hub."""
    return next(filter(is_model, _places_of(name)), None) is not None or _single_file(name) is not None


def folder_of(name: str) -> Path | None:
    """Return the folder of a local model by its name or path, without asking the hub; None if there is none."""
    if folder := next(filter(is_model, _places_of(name)), None):
        return folder
    file = _single_file(name)
    return cached_view(file, _file_folders()) if file else None


def _places_of(name: str) -> tuple[Path, ...]:
    name = split_name(name)[1]
    given = Path(name)
    with suppress(RuntimeError):  # ~user of an unknown user
        given = given.expanduser()
    return snapshot_in(given), EMBEDDED / name, user_models() / name


def _single_file(name: str) -> Path | None:
    given = _places_of(name)[0]
    return given if os.path.isfile(given) else single_file_named(split_name(name)[1], _file_folders())


def folder_to_open(name: str, allow_pickle: bool = False, download: bool = False) -> Path:
    """Return the folder of a model by its name or path; for a single file, a folder that is written for it.

    Raises:
        ModelError: there is none.
    """
    given, *others = _places_of(name)
    for folder in (given, *others):
        if is_model(folder):
            return folder
    if file := _single_file(name) or next(files_named(name, _file_folders()), None):  # opening it reports what is wrong
        return cached_view(file, _file_folders(), allow_pickle)
    if not name.strip():
        raise ModelError(say("model_name_empty"))
    check_place(given)
    if re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*", name):
        return from_hub(name, allow_pickle, download)
    raise ModelError(say("no_such_model", name=name, names=", ".join(one.name for one in list_models()) or "none"))


def add_single_file(path: Path, name: str, base: str = "", allow_pickle: bool = False) -> Path:
    """Add a single-file checkpoint to the user's models under a name; its weights stay where they are.

    Args:
        path: the file.
        name: a name that no model has yet.
        base: a model to take configs, tokenizers and missing parts from; "" if the file's layout is known.
        allow_pickle: whether it may be a pickle.

    Returns:
        the new folder.

    Raises:
        ModelError: the name is taken, or the file cannot be opened.
    """
    folder = user_models() / plain_name(name)
    if (EMBEDDED / name).exists():
        raise ModelError(say("added_name_carried", name=name))
    if folder.exists():
        raise ModelError(say("added_name_exists", name=name, folder=folder))
    base_folder = folder_to_open(base) if base else None
    return write_view(folder, path.resolve(), base_folder, _file_folders(), allow_pickle)
