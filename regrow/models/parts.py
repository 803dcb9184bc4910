"""The parts of a checkpoint folder: their files are found at once, but opened when first used."""

import gc
import json
import re
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any

import torch

from regrow.media.files import version_of
from regrow.messages.message import say
from regrow.models.errors import ModelError
from regrow.models.folder import check_fetched, mend, read_json, reason
from regrow.models.memory.free import WORKING
from regrow.models.memory.placement import Placement
from regrow.models.memory.room import make_room, part_size

PICKLES = {".bin", ".ckpt", ".pt", ".pth"}


@dataclass(frozen=True)
class Weights:
    """The weight files of a part, and the arguments of `from_pretrained` for them."""

    files: tuple[Path, ...]
    variant: str | None
    safe: bool
    index: str = ""
    """Name that the libraries expect for the index of shards, if the file has another name."""


def find_weights(folder: Path, stem: str, pickle_stem: str, allow_pickle: bool) -> Weights:
    """Find weights: whole, else sharded, else a variant (`stem.fp16.safetensors`); safetensors before pickles.

    Raises:
        ModelError: no weight file, a missing shard, or only pickles without `allow_pickle`.
    """
    whole = folder / f"{stem}.safetensors"
    if found := _weights(folder, stem, "safetensors"):
        return found
    if allow_pickle and (found := _weights(folder, pickle_stem, "bin")):
        return found
    pickles = sorted(path.name for path in folder.glob("*") if path.suffix in PICKLES)
    if pickles and not allow_pickle:
        raise ModelError(say("weights_are_pickle", path=folder / pickles[0]))
    raise ModelError(say("weights_missing", path=whole, mend=mend(whole)))


def _weights(folder: Path, stem: str, end: str) -> Weights | None:
    """Return the weights of a part with this suffix, if there are any.

    diffusers and transformers have used two names for the index of a variant's shards; both are read.
    """
    whole, index = folder / f"{stem}.{end}", f"{stem}.{end}.index.json"
    if whole.is_file():
        return Weights((whole,), None, end == "safetensors")
    if (folder / index).is_file():
        return Weights(_with_shards(folder / index, end), None, end == "safetensors")
    name = re.escape(stem)
    for path in sorted(folder.glob(f"{stem}.*")):
        if match := re.fullmatch(rf"{name}\.(\w+)\.{end}", path.name):
            return Weights((path,), match[1], end == "safetensors")
        if re.fullmatch(rf"{name}\.(\w+\.{end}\.index|{end}\.index\.\w+)\.json", path.name):
            return Weights(_with_shards(path, end), None, end == "safetensors", index)
    return None


def _with_shards(index: Path, end: str) -> tuple[Path, ...]:
    """Return an index and its shards; check that all exist and have this suffix, so that none is a pickle."""
    names = read_json(index).get("weight_map")
    if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
        raise ModelError(say("shard_index_empty", index=index, mend=mend(index)))
    if away := next((name for name in names.values() if name in ("", ".", "..") or set(name) & set("/\\")), None):
        raise ModelError(say("shard_outside_folder", index=index, file=away, mend=mend(index)))
    if other := next((name for name in names.values() if not name.endswith(f".{end}")), None):
        raise ModelError(say("shard_of_other_kind", index=index, file=other, end=end, mend=mend(index)))
    shards = sorted({index.parent / name for name in names.values()})
    for shard in shards:
        if not shard.is_file():
            raise ModelError(say("shard_missing", shard=shard, count=len(shards), index=index, mend=mend(shard)))
    return index, *shards


def count_weights(files: Sequence[Path]) -> int:
    """Count the numbers in safetensors files by their headers alone; other files count as 0.

    Raises:
        ModelError: a file is missing or damaged.
    """
    total = 0
    for path in files:
        if path.suffix == ".safetensors":
            check_fetched(path)
            try:
                total += _counted(path, version_of(path))
            except Exception as error:  # bytes that are no header raise many exception types
                why = say("part_damaged", path=path, reason=reason(error), mend=mend(path))
                raise ModelError(why) from error
    return total


@lru_cache(256)
def _counted(path: Path, version: tuple[int, int, int]) -> int:
    """Count the numbers in a version of a file."""
    with path.open("rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    return sum(prod(entry["shape"]) for name, entry in header.items() if name != "__metadata__")


@dataclass(frozen=True)
class Part:
    """A part that can be opened.

    Attributes:
        open: opens the part in a dtype; returns an `nn.Module` in most cases.
        files: its config and weights.
        kind: its class.
        size: number of its weights, if its files also hold those of other parts.
    """

    open: Callable[[torch.dtype], Any]
    files: tuple[Path, ...]
    kind: str
    size: int | None = None


@dataclass(eq=False)
class Parts:
    """The parts of one checkpoint by name, shared by all copies of the model.

    Attributes:
        openers: the parts by name.
        dtype: dtype of modules.
        device: device of modules.
        configs: configs from earlier openings, used while a part is not open.
        facts: the family's results from earlier openings.
        in_turn: whether parts are released if the next one does not fit into memory.
        placement: where opened modules are kept while unused.
    """

    openers: Mapping[str, Part]
    dtype: torch.dtype = torch.float32
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    configs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    in_turn: bool = False
    placement: Placement = field(default_factory=Placement)

    def __post_init__(self) -> None:
        self.opened: dict[str, Any] = {}  # in order of use, the most recent last
        self.kept: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self.openers

    def __iter__(self) -> Iterator[str]:
        return iter(self.openers)

    def __getitem__(self, name: str) -> Any:
        """Return a part; open it if needed: in eval mode, without gradients, placed by `placement`.

        Raises:
            ModelError: its files are missing or damaged, or do not fit together.
        """
        if name in self.opened:
            part = self.opened.pop(name)
        else:
            if self.in_turn:
                make_room(self, round(WORKING * part_size(self, name)), self.storage)
            part = self.openers[name].open(self.dtype)
            if isinstance(part, torch.nn.Module):
                part.eval().requires_grad_(False)
                self.placement.place(name, part, self.device)
        self.opened[name] = part
        return part

    def config(self, name: str) -> Mapping[str, Any]:
        """Return a part's config, with its class's defaults; opens the part if no config is cached."""
        if name in self.opened or name not in self.configs:
            config = self[name].config
            return config if isinstance(config, Mapping) else config.to_dict()
        return self.configs[name]

    def release(self, name: str) -> None:
        """Release an opened part and its memory; it is opened again when it is used again."""
        if isinstance(self.opened.get(name), torch.nn.Module):
            self.configs = {**self.configs, name: {**self.config(name)}}
            self.placement.forget(name)
        self.opened.pop(name, None)
        gc.collect()  # modules and their hooks reference each other
        if self.device.type != "cpu":
            torch.accelerator.empty_cache()

    def keep(self, *names: str) -> None:
        """Never release these parts: their weights are no longer those of their files."""
        self.kept.update(names)

    @property
    def storage(self) -> torch.device:
        """Device of the weights of opened parts while unused."""
        return self.device if self.placement.offload == "none" else torch.device("cpu")

    def modules(self) -> Iterator[torch.nn.Module]:
        """Yield the opened networks."""
        yield from (part for part in tuple(self.opened.values()) if isinstance(part, torch.nn.Module))

    def to(self, device: str | torch.device | None = None, dtype: torch.dtype | None = None) -> None:
        """Move the opened modules, and open all others there; None leaves as is.

        Raises:
            ModelError: their weights are offloaded, or stored in float8.
        """
        if self.placement.offload != "none" or self.placement.float8:
            raise ModelError(say("offloaded_stays"))
        self.device = self.device if device is None else torch.device(device)
        self.dtype = dtype or self.dtype
        for module in self.modules():
            torch.nn.Module.to(module, device=device, dtype=dtype)

    def place(self, device: str | torch.device, placement: Placement) -> None:
        """Place the opened modules, and later all others, on a device.

        Raises:
            ModelError: quantised weights cannot be stored in float8.
        """
        self.device, self.placement = torch.device(device), placement
        for name, part in self.opened.items():
            if isinstance(part, torch.nn.Module):
                placement.place(name, part, self.device)

    def weights(self, name: str) -> int:
        """Return how many weights a part has, without opening it."""
        opener, part = self.openers[name], self.opened.get(name)
        if opener.size is not None:  # an opened quantised part holds fewer numbers than weights
            return opener.size
        if isinstance(part, torch.nn.Module):
            return sum(parameter.numel() for parameter in part.parameters())
        return count_weights(opener.files)
