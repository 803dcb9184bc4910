"""Read and check the JSON files of a checkpoint folder, without diffusers."""

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
from regrow.messages.message import say
from regrow.models.errors import ModelError


def reason(error: Exception) -> str:
    """Return another library's exception as part of a sentence: one line, at most 200 characters of its text."""
    said = " ".join(str(error).split()).rstrip(".")
    return f"{type(error).__name__}: {said[:200]}" if said else type(error).__name__


def check_fetched(path: Path) -> None:
    """Check that a checkpoint's file exists, is a regular file, and is not an unfetched Git LFS pointer.

    Raises:
        ModelError: one of these does not hold; the message says what to do.
    """
    if os.path.exists(path) and not os.path.isfile(path):  # reading a pipe would wait forever
        raise ModelError(say("no_ordinary_file", path=path))
    try:
        pointer = lfs_pointer(
            path, say("pointer_to_file") if path.suffix in (".json", ".txt", ".model") else say("pointer_to_weights")
        )
    except FileNotFoundError:
        raise ModelError(say("config_missing", path=path, mend=mend(path))) from None
    except OSError as error:
        raise ModelError(say("config_unreadable", path=path, reason=error.strerror)) from error
    if pointer:
        raise ModelError(pointer)


def mend(path: Path) -> str:
    """Return advice for a missing or damaged file of a checkpoint, as a command if possible."""
    if hub := next((part for part in path.parts if part.startswith("models--")), None):
        return f"hf download {'/'.join(hub.split('--')[1:])} --force-download"
    if any(os.path.exists(folder / ".git") for folder in path.absolute().parents):
        return say("mend_lfs", name=path.name, folder=path.parent.absolute())
    return say("mend_copy")


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file, in UTF-8 with or without a byte order mark, or in UTF-16.

    Raises:
        ModelError: the file is missing, cannot be read, or holds anything else.
    """
    check_fetched(path)
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:  # from the JSON parser or the UTF-8 decoder
        raise ModelError(say("config_no_json", path=path, reason=reason(error), mend=mend(path))) from error
    if not isinstance(content, dict):
        raise ModelError(say("config_no_object", path=path, mend=mend(path)))
    return content


def is_model(folder: Path) -> bool:
    """Return whether a folder holds a checkpoint, judged by its file names."""
    return any(os.path.isfile(folder / name) for name in ("model_index.json", "config.json"))


def leads_outside(path: Path, folder: Path) -> bool:
    """Return whether a file of a model's folder links to a file elsewhere; the hub cache's blobs count as inside.

    Otherwise the folder's author could get any file of the user displayed, or published with the model.
    """
    inside, found = folder.resolve(), path.resolve()
    hub = next((place for place in (inside, *inside.parents) if place.name.startswith("models--")), inside)
    return not (found.is_relative_to(inside) or found.is_relative_to(hub / "blobs"))


def check_inside(path: Path, folder: Path) -> None:
    """Check that a file of a model's folder does not link to a file elsewhere.

    Raises:
        ModelError: it does.
    """
    if leads_outside(path, folder):
        raise ModelError(say("file_leads_outside", path=path, folder=folder))


@contextmanager
def plain_json(folder: Path, names: Mapping[str, str] | None = None) -> Iterator[Path]:
    """Yield a part's folder in a form that libraries can read: without byte order marks in JSON files.

    Args:
        folder: the part's folder.
        names: new names for the files to rename, by their names in the folder.

    Raises:
        ModelError: something in it is neither a file nor a folder: libraries would wait forever for a pipe.
    """
    names = names or {}
    files = [path for path in folder.glob("*") if not path.is_dir() and path.exists()]
    if strange := next((path for path in files if not path.is_file()), None):
        raise ModelError(say("no_ordinary_file", path=strange))
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
    """Turn errors from unchecked values in a folder's JSON files into a ModelError.

    Raises:
        ModelError: a value has a type or size that no model can have.
    """
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, MemoryError, RuntimeError, TypeError) as error:
        raise ModelError(
            say("configs_make_no_model", folder=folder, reason=reason(error), mend=mend(folder))
        ) from error


def check_number(config: Mapping[str, Any], key: str, where: Path, least: float = -math.inf) -> None:
    """Check that a config's value is a finite number above `least`; a missing one passes.

    Raises:
        ModelError: it is not.
    """
    value = config.get(key, least + 1 if math.isfinite(least) else 0)
    if type(value) not in (int, float) or not math.isfinite(value) or not value > least:
        above = f" above {least:g}" if math.isfinite(least) else ""
        raise ModelError(say("config_number_wrong", key=key, where=where, above=above, value=value))


def check_size(size: Sequence[int], folder: Path) -> None:
    """Check that the sides of a model's frame size are positive whole numbers.

    Raises:
        ModelError: they are not.
    """
    if len(size) != 2 or not all(type(side) is int and side > 0 for side in size):
        raise ModelError(say("frame_size_no_whole_numbers", folder=folder, size=list(size), mend=mend(folder)))


def part_class(index: Mapping[str, Any], part: str, known: tuple[str, ...], where: Path) -> str:
    """Return the class of a part according to `model_index.json`.

    Raises:
        ModelError: the index has no such part, or one of a class that is not in `known`.
    """
    entry = index.get(part)
    name = entry[1] if isinstance(entry, list) and len(entry) == 2 else None
    if name is None:
        raise ModelError(say("index_names_no_part", where=where, part=part, known=" or ".join(known)))
    if name not in known:
        raise ModelError(say("part_of_unknown_class", part=part, where=where, name=name, known=" and ".join(known)))
    return name


def network_size(where: Path, *fed: str) -> tuple[int, int]:
    """Return the height and width that a network was made for: `sample_size`, a number or a pair.

    Args:
        where: its `config.json`.
        fed: config keys of extra inputs that the family provides.

    Raises:
        ModelError: `sample_size` is neither, or nothing provides an input of the network (classes, sizes, pictures).
    """
    config = read_json(where)
    _refuse_inputs({**config, **dict.fromkeys(fed)}, where)
    size = config.get("sample_size")
    pair = [size, size] if isinstance(size, int) else size
    if isinstance(pair, list) and len(pair) == 2 and all(type(side) is int and side > 0 for side in pair):
        return pair[0], pair[1]
    raise ModelError(say("sample_size_no_size", where=where, size=size))


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
            raise ModelError(say("network_input_unknown", where=where, key=key, value=config[key]))


def ip_adapter_in(where: Path) -> str:
    """Return the message about a network that was saved with an IP-Adapter in it."""
    return say("network_has_ip_adapter", where=where)
