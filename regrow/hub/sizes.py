"""Size of a checkpoint folder part by part, from the headers of its weight files: no weight is read."""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from regrow.messages.message import say
from regrow.models.errors import ModelError
from regrow.models.folder import check_fetched, mend, read_json, reason
from regrow.models.registry import Family, recognise
from regrow.models.single_files.header import read_header
from regrow.models.single_files.weights_file import Place, read_weights_file

CODECS = ("vae", "vqvae", "vocoder")
"""Folders of the parts that encode and decode, in every family."""


@dataclass(frozen=True)
class PartSize:
    """Of one part of a checkpoint.

    Attributes:
        name: of its folder.
        role: network, words or codec.
        kind: its class; empty where its config does not say.
        parameters: weights that it has.
        stored: bytes of them in its files.
        packed: bytes that they take when they are opened, where they stay quantised; None for plain numbers.
    """

    name: str
    role: str
    kind: str
    parameters: int
    stored: int
    packed: int | None = None


def sizes_of(folder: Path) -> tuple[Family, tuple[PartSize, ...]]:
    """Return the family of a checkpoint folder, and the sizes of its parts.

    Of a part that is there whole and as a variant, such as fp16, the whole counts.

    Raises:
        ModelError: it is no checkpoint that regrow opens, has pickled weights only, or a file is damaged.
    """
    family = recognise(folder)[0]
    network, elsewhere = family.kind.NETWORK, read_weights_file(folder)
    sizes = []
    for name in dict.fromkeys((network, *family.folders)):
        role = "network" if name == network else "codec" if name in CODECS else "words"
        if (there := elsewhere.get(name)) and not there.is_folder:
            sizes.append(_in_file(name, role, read_json(folder / name / "config.json"), there))
            continue
        own = folder / name if (folder / name).is_dir() else folder if name == network else None
        place = there.path if there else own
        files = _weights(place) if place else []
        if not place or not files:
            continue
        counted = [_count(path) for path in files]
        config = read_json(place / "config.json") if (place / "config.json").is_file() else {}
        kind = _class_of(config)
        sizes.append(PartSize(name, role, kind, sum(c[0] for c in counted), sum(c[1] for c in counted)))
    if not sizes:
        raise ModelError(say("no_safetensors_headers", folder=folder, mend=mend(folder)))
    return family, tuple(sizes)


def _class_of(config: Mapping[str, Any]) -> str:
    return str(config.get("_class_name") or next(iter(config.get("architectures") or ()), ""))


def _in_file(name: str, role: str, config: Mapping[str, Any], place: Place) -> PartSize:
    """The size of a part whose weights lie in a file of several parts; their bytes are its share of the file."""
    header = read_header(place.path)
    count = header.count(*place.begins)
    stored = round(place.path.stat().st_size * count / max(1, header.count("")))
    packed = stored if place.path.suffix == ".gguf" else None
    return PartSize(name, role, _class_of(config), count, stored, packed)


def _weights(place: Path) -> list[Path]:
    files = sorted(place.glob("*model*.safetensors"))
    whole = [path for path in files if "." not in path.name.removesuffix(".safetensors")]
    return whole or files


def _count(path: Path) -> tuple[int, int]:
    """Return the numbers in a safetensors file, and their bytes."""
    check_fetched(path)
    try:
        with path.open("rb") as file:
            header: dict[str, Any] = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        tensors = [entry for name, entry in header.items() if name != "__metadata__"]
        spans = (entry["data_offsets"] for entry in tensors)
        return sum(prod(entry["shape"]) for entry in tensors), sum(end - start for start, end in spans)
    except Exception as error:  # bytes that are no header break whatever they meet first
        raise ModelError(say("damaged", path=path, reason=reason(error), mend=mend(path))) from error
