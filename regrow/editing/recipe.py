"""Recipes: the record in a result file from which it can be made again.

A recipe is a JSON object with the keys

    regrow      this program's version
    operation   its name: "generate", "edit", "extend" or "interpolate"
    settings    every field of the operation's dataclass
    model       name and content hash; the name begins with the family, as in `riffusion:name`, where the classes of
                the model's parts do not say that
    input       the input file's name and the hash of its bytes; absent where there was none
    inputs      the same of several input files, in a list
    trajectory  the same of a saved path; absent where there was none
    reference_sound  the same of a sound whose timbre was taken; absent where there was none
    mask        hash of the mask's 8-bit pixels, the share of the picture that may change, and name and hash of its
                file; absent where all may change
    lora        name, hash and scale of each LoRA file that was added to the model; absent where there was none
    embedding   name and hash of each embedding file, likewise
    threads     of the CPU: another number may round differently
    engine      what computed the network, and in which precision; absent from before there was a choice: torch
    codec       how it took a picture that memory did not hold whole at work: `one_by_one`, whether the results of a
                batch were decoded one after the other, and `tile`, pixels of the side of tiles, 0 for none; absent
                where all was computed at once
    versions    of Python and of the libraries that compute
    result      hash of the picture's 8-bit pixels or the wave's 24-bit samples (32-bit ones beyond full scale),
                and which one of a batch it is
    guess words of the prompts that were replaced or left out; absent in files from before synonyms and instructions
    were understood figures     what was measured: evaluations, seconds, distances paths       where the files and the
    model's folder were, by the settings that name them; only where that was asked
                for: results are given away, and folders say who made them

Older versions wrote whole paths in the place of names.
"""

import math
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from regrow import __version__
from regrow.media.files import MediaError, file_hash
from regrow.messages.message import say
from regrow.models.model import Model
from regrow.models.registry import is_certain, joined_name, split_name
from regrow.requests.aliases import ADDED, current
from regrow.requests.ranges import fits

Recipe = dict[str, Any]


def make_recipe(
    request: Any,
    model: Model,
    result: Tensor,
    index: int,
    figures: Mapping[str, Any],
    inputs: Sequence[Path] = (),
    guess: Sequence[str] = (),
) -> Recipe:
    """Return the recipe of picture or wave `index` of an operation's result.

    Args:
        request: of the operation.
        model: that made it.
        result: the picture or wave.
        index: of it in a batch.
        figures: what was measured.
        inputs: the files of an operation that has several.
        guess: words of its prompts that were replaced or left out.
    """
    assert is_dataclass(request)
    assert not isinstance(request, type)
    files = _files_of(request, inputs)
    settings = asdict(request) | {name: path.name for name, path in files.items()}
    settings["model"] = name = _name_of(settings["model"], model)
    recipe: Recipe = {
        "regrow": __version__,
        "operation": type(request).__name__.lower(),
        "settings": settings,
        "model": {"name": name, "hash": model.content_hash},
        "threads": torch.get_num_threads(),
        "engine": model.computed_by,
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in _libraries(model)},
        "result": {"hash": model.medium.result_hash(result), "index": index} | _level_of(result),
        "guess": list(guess),
        "figures": dict(figures),
    }
    if read := input_of(settings):
        recipe["input"] = _known(getattr(request, read))
    for name in ("trajectory", "reference_sound"):
        if settings.get(name):
            recipe[name] = _known(files[name])
    if model.coding and model.coding.facts:
        recipe["codec"] = model.coding.facts
    if model.loras:
        recipe["lora"] = [lora.facts for lora in model.loras]
    if model.embeddings:
        recipe["embedding"] = [embedding.facts for embedding in model.embeddings]
    if inputs:
        recipe["inputs"] = [_known(path) for path in inputs]
    return recipe


def _level_of(result: Tensor) -> dict[str, float]:
    """Return the RMS of a wave, from which a copy's gain follows; nothing for a picture."""
    return {"rms": float(f"{float(result.square().mean().sqrt()):.6g}")} if result.ndim == 2 else {}


def input_of(settings: Mapping[str, Any]) -> str | None:
    """The setting whose file a recipe calls its `input`; None of an operation that reads no file or two of a kind."""
    return next((name for name in ("image", "sound", "melody") if settings.get(name)), None)


@cache
def _version(library: str) -> str:
    return version(library)  # reads and parses the library's own description: 8 ms


def with_paths(recipe: Recipe, request: Any) -> Recipe:
    """Return a recipe that also says where the files and the model's folder of its request are."""
    ends = [Path(request.first), Path(request.second)] if "inputs" in recipe else ()
    files = _files_of(request, ends)
    if (place := Path(split_name(request.model)[1])).exists():
        files["model"] = place
    return recipe | {"paths": {name: str(path.expanduser().resolve()) for name, path in files.items()}}


def _files_of(request: Any, inputs: Sequence[Path]) -> dict[str, Path]:
    """The files and folders of a request, by the settings that name them."""
    files: dict[str, Path] = {name: value for name, value in vars(request).items() if isinstance(value, Path)}
    files.update(zip(("first", "second"), inputs, strict=False))
    return files


def _name_of(given: str, model: Model) -> str:
    """What a model is called, without the folder that it lies in; with its family where its classes do not say that."""
    family = "" if is_certain(model.folder, model.family) else model.family
    folder, names = model.folder.resolve(), [split_name(name)[1] for name in (given, model.name)]
    for name in names:  # an opened one may have been named by its id
        if Path(name).expanduser().is_file():
            return joined_name(family, Path(name).name)
        if Path(name).expanduser().resolve() != folder:
            return joined_name(family, name)
    name = Path(names[0]).name
    return joined_name(family, folder.name if name in ("", "..") else name)


def _known(path: Path) -> dict[str, str]:
    return {"file": path.name, "hash": file_hash(path)}


def _libraries(model: Model) -> tuple[str, ...]:
    """Those that compute."""
    engine = (model.engine.name.split()[0],) if model.engine else ()
    return ("torch", "diffusers", "transformers", "pillow", "numpy", *engine)


def checked(recipe: Mapping[str, Any], place: str, kind: Any, least: float = 0, most: float = math.inf) -> Any:
    """Return a field of a recipe, after checking its type and range: anybody can write a recipe.

    Args:
        recipe: as it was read.
        place: keys with dots between them.
        kind: the field's type.
        least: of a number.
        most: of a number.

    Raises:
        MediaError: it is missing, of another type, or out of range.
    """
    value: Any = recipe
    for key in place.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    if not fits(value, kind) or (kind is int and not least <= value <= most):
        raise MediaError(say("recipe_damaged_at", place=place))
    return value


def settings_from(recipe: Mapping[str, Any], kind: type) -> dict[str, Any]:
    """Return the keyword arguments that make the operation's dataclass again.

    Raises:
        MediaError: a setting is missing, or is none of this version's, or names a tune.
    """
    stored, known = recipe.get("settings"), {field.name for field in fields(kind)}
    if isinstance(stored, dict):
        stored = {name: value for name, value in ADDED.items() if name in known} | current(stored)
    else:
        stored = None
    if stored is None or set(stored) != known:
        odd = sorted(set(stored) ^ known) if stored is not None else ["settings"]
        raise MediaError(
            say(
                "recipe_of_other_version",
                theirs=str(recipe.get("regrow"))[:20],
                ours=__version__,
                names=", ".join(name[:40] for name in odd[:5]),
            )
        )
    if stored.get("tune"):  # which a stranger's recipe could name any file as
        raise MediaError(say("recipe_names_tune"))
    return {key: tuple(value) if isinstance(value, list) else value for key, value in stored.items()}
