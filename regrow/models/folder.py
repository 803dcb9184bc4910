"""Reading and checking the JSON files of a checkpoint folder, without diffusers."""

import codecs
import json
import math
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from regrow.media.files import lfs_pointer
from regrow.models.errors import ModelError


def reason(error: Exception) -> str:
    """An exception of somebody else's as part of a sentence: one line, not too long."""
    said = " ".join(str(error).split()).rstrip(".")
    return f"{type(error).__name__}: {said[:200]}" if said else type(error).__name__


def check_fetched(path: Path) -> None:
    """Refuse a file of a checkpoint that is not there, is no file, or that Git LFS has not fetched.

    Raises:
        ModelError: with what to do.
    """
    if os.path.exists(path) and not os.path.isfile(path):  # a pipe would be waited for
        raise ModelError(f"{path} is not an ordinary file: copy its content into one first.")
    try:
        pointer = lfs_pointer(path, "the file itself" if path.suffix in (".json", ".txt", ".model") else "the weights")
    except FileNotFoundError:
        raise ModelError(f"{path} is missing; without it this model cannot be opened: {mend(path)}.") from None
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}.") from error
    if pointer:
        raise ModelError(pointer)


def mend(path: Path) -> str:
    """Return what to do, as a command where there is one, about a file of a checkpoint that is missing or damaged."""
    if hub := next((part for part in path.parts if part.startswith("models--")), None):
        return f"hf download {'/'.join(hub.split('--')[1:])} --force-download"
    if any(os.path.exists(folder / ".git") for folder in path.absolute().parents):
        return f"git lfs pull and git checkout -- {path.name} in {path.parent.absolute()}, or copy it again"
    return "copy or download it again"


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file, in UTF-8 with or without a mark in front, or in UTF-16.

    Raises:
        ModelError: the file is missing, cannot be read, or holds anything else.
    """
    check_fetched(path)
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:  # of JSON and of UTF-8
        raise ModelError(f"{path} is not valid JSON ({reason(error)}): {mend(path)}.") from error
    if not isinstance(content, dict):
        raise ModelError(f"{path} holds no JSON object: {mend(path)}.")
    return content


def is_model(folder: Path) -> bool:
    """Return whether a folder holds a checkpoint, as far as its names say."""
    return any(os.path.isfile(folder / name) for name in ("model_index.json", "config.json"))


@contextmanager
def plain_json(folder: Path, names: Mapping[str, str] | None = None) -> Iterator[Path]:
    """Yield a part's folder as libraries read it: links where JSON has a mark of its encoding in front.

    Args:
        folder: of the part.
        names: what files are called there, by their names in the folder, where these are other ones.
    """
    names = names or {}
    files = [path for path in folder.glob("*") if path.is_file()]
    marked = [path for path in files if path.suffix == ".json" and _head(path).startswith(_MARKS)]
    if not marked and not names:
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="regrow-") as aside:
        for path in files:
            if path in marked:
                text = json.dumps(json.loads(path.read_bytes()))
                (Path(aside) / names.get(path.name, path.name)).write_text(text, encoding="utf-8")
            else:
                (Path(aside) / names.get(path.name, path.name)).symlink_to(path.resolve())
        yield Path(aside)


_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(3)


@contextmanager
def usable_values(folder: Path) -> Iterator[None]:
    """Turn what a value in a folder's JSON files breaks, where nothing else has looked at it, into one sentence.

    Raises:
        ModelError: a value is of no type or size that a model could be made with.
    """
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, MemoryError, RuntimeError, TypeError) as error:
        raise ModelError(
            f"The JSON files in {folder} make no model ({reason(error)}): a value in them is of a wrong type or size. "
            f"What to do: {mend(folder)}."
        ) from error


def check_number(config: Mapping[str, Any], key: str, where: Path, least: float = -math.inf) -> None:
    """Refuse a value of a config that is no finite number, or no larger than `least`; one that is missing passes.

    Raises:
        ModelError: it is one.
    """
    value = config.get(key, least + 1 if math.isfinite(least) else 0)
    if type(value) not in (int, float) or not math.isfinite(value) or not value > least:
        above = f" above {least:g}" if math.isfinite(least) else ""
        raise ModelError(f"{key} in {where} must be a number{above}; got {value!r}.")


def check_size(size: Sequence[int], folder: Path) -> None:
    """Refuse the size of what a model was made for if its sides are no whole numbers from 1.

    Raises:
        ModelError: they are not.
    """
    if len(size) != 2 or not all(type(side) is int and side > 0 for side in size):
        raise ModelError(
            f"The JSON files in {folder} say that it was made for frames of {list(size)}, which must be "
            f"two whole numbers from 1 (sample_size): {mend(folder)}."
        )


def part_class(index: Mapping[str, Any], part: str, known: tuple[str, ...], where: Path) -> str:
    """The class of a part according to `model_index.json`.

    Raises:
        ModelError: the index has no such part, or one of a class that is not in `known`.
    """
    entry = index.get(part)
    name = entry[1] if isinstance(entry, list) and len(entry) == 2 else None
    if name is None:
        raise ModelError(f"{where} names no {part}; regrow needs one of the class {' or '.join(known)}.")
    if name not in known:
        raise ModelError(f"The {part} in {where} is a {name}; regrow knows {' and '.join(known)} in its place.")
    return name


def network_size(where: Path, *fed: str) -> tuple[int, int]:
    """Height and width that the network of a config was made for: `sample_size` is a number or a pair.

    Args:
        where: its `config.json`.
        fed: inputs that its family feeds, and that others have no source for.

    Raises:
        ModelError: it is neither, or the network needs inputs that nothing feeds (classes, sizes, other pictures).
    """
    config = read_json(where)
    _refuse_inputs({**config, **dict.fromkeys(fed)}, where)
    size = config.get("sample_size")
    pair = [size, size] if isinstance(size, int) else size
    if isinstance(pair, list) and len(pair) == 2 and all(type(side) is int and side > 0 for side in pair):
        return pair[0], pair[1]
    raise ModelError(f"sample_size in {where} must be a whole number or a pair [height, width] of them; got {size!r}.")


def _refuse_inputs(config: Mapping[str, Any], where: Path) -> None:
    if config.get("encoder_hid_dim_type") == "ip_image_proj":
        raise ModelError(ip_adapter_in(where))
    for key in (
        "class_embed_type",
        "num_class_embeds",
        "addition_embed_type",
        "encoder_hid_dim_type",
        "time_cond_proj_dim",
    ):
        # "text" alone needs nothing more: that network pools the prompt's own tokens
        if config.get(key) is not None and (key, config[key]) != ("addition_embed_type", "text"):
            raise ModelError(f"{where} has {key} {config[key]!r}: a network with an input that regrow cannot feed.")


def ip_adapter_in(where: Path) -> str:
    """Return the sentence on a network that was saved with an IP-Adapter in it."""
    return (
        f"{where} holds an IP-Adapter, which shows a network a second picture and is not supported: open the "
        "checkpoint that it was added to, or save this one again after pipeline.unload_ip_adapter()."
    )
