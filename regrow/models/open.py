"""From a name or a folder to an opened model, or to one sentence that says why not."""

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
from regrow.models.adapters.lora_files import LoraFile, add_lora_files
from regrow.models.errors import ModelError
from regrow.models.folder import read_json, reason
from regrow.models.hub_folder import snapshot_in
from regrow.models.model import Model
from regrow.models.plain_pipelines import about_pipeline
from regrow.models.registry import all_families, joined_name, named, recognise, split_name, wanted_files
from regrow.models.sidecars.edit_file import read_edit_file
from regrow.models.sidecars.mel_file import MEL_FILE
from regrow.models.source import Source

EMBEDDED = Path(__file__).parents[1] / "weights"


@dataclass(frozen=True)
class Listed:
    """A model that is there to be opened by name.

    Attributes:
        name: of the model.
        folder: that it is in.
        family: of the model; None where `open_model` would say why not.
        medium: what it makes, as far as its folder says without opening a part.
    """

    name: str
    folder: Path
    family: str | None
    medium: Medium = PICTURE


def user_models() -> Path:
    """The user's model folder."""
    return home() / "models"


def plain_name(name: str) -> str:
    """A name that a model may have in the user's folder.

    Raises:
        ModelError: it is empty, hidden, or a path.
    """
    if not name.strip() or name.startswith(".") or set(name) & set('/\\:*?"<>|'):
        raise ModelError(f"{name!r} is no name of a model here: give a plain name, not a path.")
    return name


def list_models() -> list[Listed]:
    """The embedded models and the user's, by name; of two with the same name the one that `open_model` opens."""
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
    return sorted(found.values(), key=lambda listed: listed.name)


def family_of(folder: Path, as_family: str = "", name: str = "") -> str:
    """Return the family of a folder by `registry.recognise`: its weights may be missing.

    Raises:
        ModelError: it has neither a `model_index.json` nor a `config.json`, or `recognise` refuses.
    """
    if not is_model(folder):
        raise ModelError(f"{folder} is no model: it has neither a model_index.json nor a config.json.")
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
) -> Model:
    """Open a model.

    Args:
        name_or_folder: a folder in the diffusers layout, the name of an embedded model or of one in the user's
            folder, or a hub repository `user/name`; looked for in this order. `family:name` is the name with
            `as_family`.
        as_family: the family that it is opened as, whatever its files and its name say; "" to find it out.
        allow_pickle: whether pickled weights may be read where there are no safetensors; a pickle can run any
            program.
        device: of its modules.
        dtype: of its modules.
        download: whether a hub repository that is not on this machine is fetched.
        lora: LoRA files to add to the weights, each with its scale, as in "file.safetensors:0.8".

    Raises:
        ModelError: nothing of this name, or a model that regrow cannot open; one sentence says why.
    """
    said, plain = split_name(str(name_or_folder))
    name = joined_name(as_family or said, plain)
    folder = _find(plain, allow_pickle, download)
    family, index = recognise(folder, as_family or said)
    loras = [LoraFile.of(text) for text in lora]
    model = _on(device, family.kind.open(Source(folder, name, index, allow_pickle, dtype)))
    model.notes += about_pipeline(index)
    if edit_file := read_edit_file(folder):
        model.edit_steps, model.edit_strengths = edit_file.steps, edit_file.strengths
    add_lora_files(model, loras)
    return model


def _on(device: str | torch.device, model: Model) -> Model:
    """The model on a device.

    Raises:
        ModelError: there is none of this name.
    """
    try:
        return model.to(device)
    except (RuntimeError, AssertionError) as problem:  # torch has both for a device that is not there
        first = str(problem).splitlines()[0].rstrip(".")
        raise ModelError(f"--device {device} cannot be used here ({first}); leave it out for the CPU.") from problem


def has_model(name: str) -> bool:
    """Return whether there is a model of this name, or a folder, without a look at the hub."""
    return folder_of(name) is not None


def folder_of(name: str) -> Path | None:
    """Return the folder of a model that is here by its name or path, without a look at the hub; None for no model."""
    return next(filter(is_model, _places_of(name)), None)


def _places_of(name: str) -> tuple[Path, ...]:
    name = split_name(name)[1]
    given = Path(name)
    with suppress(RuntimeError):  # of a user who is not there
        given = given.expanduser()
    return snapshot_in(given), EMBEDDED / name, user_models() / name


def _find(name: str, allow_pickle: bool, download: bool) -> Path:
    given, *others = _places_of(name)
    for folder in (given, *others):
        if is_model(folder):
            return folder
    if os.path.isfile(given):
        family = named(given.stem)
        raise ModelError(
            f"{given} is a single file; regrow opens folders in the diffusers layout, so convert it first "
            "(diffusers: from_single_file, then save_pretrained)."
            + (f" Keep its name for the folder, or open that with --as {family.name}." if family else "")
        )
    if os.path.isdir(given):
        raise ModelError(f"{given} is no model: it has neither a model_index.json nor a config.json.")
    if re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*", name):
        return _from_hub(name, allow_pickle, download)
    names = ", ".join(listed.name for listed in list_models()) or "none"
    raise ModelError(f"There is no model {name!r}: it is no folder, and the models known by name are: {names}.")


def is_model(folder: Path) -> bool:
    """Return whether a folder holds a checkpoint, as far as its names say."""
    return any(os.path.isfile(folder / name) for name in ("model_index.json", "config.json"))


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


def _from_hub(name: str, allow_pickle: bool, download: bool) -> Path:
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
            "comes from, or add --download."
        )
    try:
        return Path(snapshot_download(name, allow_patterns=patterns))
    except Exception as error:  # a dozen classes, by what failed on the way
        raise ModelError(
            f"There is no model {name!r}: it is no folder, is not in the hub's cache on this machine, and could not "
            f"be downloaded ({reason(error)})."
        ) from error
