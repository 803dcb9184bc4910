"""The parts of a checkpoint folder: found with their files at once, opened when they are first computed with."""

import gc
import json
import re
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

import torch

from regrow.models.errors import ModelError
from regrow.models.folder import check_fetched, mend, read_json, reason
from regrow.models.memory.free import WORKING
from regrow.models.memory.placement import Placement
from regrow.models.memory.room import make_room, part_size

PICKLES = {".bin", ".ckpt", ".pt", ".pth"}


@dataclass(frozen=True)
class Weights:
    """The weight files of a part, and how `from_pretrained` is asked for them."""

    files: tuple[Path, ...]
    variant: str | None
    safe: bool
    index: str = ""
    """What the index of shards is called by the libraries, where it has another name."""


def find_weights(folder: Path, stem: str, pickle_stem: str, allow_pickle: bool) -> Weights:
    """Choose whole weights before sharded before a variant (`stem.fp16.safetensors`); safetensors before pickles.

    Raises:
        ModelError: no weight file, a missing shard, or only pickles and these not allowed.
    """
    whole = folder / f"{stem}.safetensors"
    if found := _weights(folder, stem, "safetensors"):
        return found
    if allow_pickle and (found := _weights(folder, pickle_stem, "bin")):
        return found
    pickles = sorted(path.name for path in folder.glob("*") if path.suffix in PICKLES)
    if pickles and not allow_pickle:
        raise ModelError(
            f"{folder / pickles[0]} is a pickle, which can run any program when it is read; "
            "convert it to safetensors, or use --allow-pickle if you trust where it comes from."
        )
    raise ModelError(f"{whole} is missing; without its weights this model cannot be opened: {mend(whole)}.")


def _weights(folder: Path, stem: str, end: str) -> Weights | None:
    """The weights of a part that end so, if there are any.

    diffusers and transformers have called the index of a variant's shards by two names; both are read.
    """
    whole, index = folder / f"{stem}.{end}", f"{stem}.{end}.index.json"
    if whole.is_file():
        return Weights((whole,), None, end == "safetensors")
    if (folder / index).is_file():
        return Weights(_with_shards(folder / index), None, end == "safetensors")
    name = re.escape(stem)
    for path in sorted(folder.glob(f"{stem}.*")):
        if match := re.fullmatch(rf"{name}\.(\w+)\.{end}", path.name):
            return Weights((path,), match[1], end == "safetensors")
        if re.fullmatch(rf"{name}\.(\w+\.{end}\.index|{end}\.index\.\w+)\.json", path.name):
            return Weights(_with_shards(path), None, end == "safetensors", index)
    return None


def _with_shards(index: Path) -> tuple[Path, ...]:
    """An index, and the files that it names, which are all there."""
    names = read_json(index).get("weight_map")
    if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
        raise ModelError(f"{index} names no weight files: {mend(index)}.")
    if away := next((name for name in names.values() if name in ("", ".", "..") or set(name) & set("/\\")), None):
        raise ModelError(f"{index} names {away!r}, which is no file beside it: {mend(index)}.")
    shards = sorted({index.parent / name for name in names.values()})
    for shard in shards:
        if not shard.is_file():
            raise ModelError(
                f"{shard} is missing, one of the {len(shards)} weight files that {index} names: {mend(shard)}."
            )
    return index, *shards


def count_weights(files: Sequence[Path]) -> int:
    """Return how many numbers lie in safetensors files, from their headers alone; other files count nothing.

    Raises:
        ModelError: a file is missing or damaged.
    """
    total = 0
    for path in files:
        if path.suffix == ".safetensors":
            check_fetched(path)
            try:
                with path.open("rb") as file:
                    header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
                total += sum(prod(entry["shape"]) for name, entry in header.items() if name != "__metadata__")
            except Exception as error:  # bytes that are no header break whatever they meet first
                why = f"{path} is damaged or missing ({reason(error)}): {mend(path)}."
                raise ModelError(why) from error
    return total


@dataclass(frozen=True)
class Part:
    """A part that can be opened.

    Attributes:
        open: from the wanted dtype to the opened part, an `nn.Module` in most cases.
        files: its config and weights.
        kind: its class.
        size: how many weights it has, where its files hold those of other parts as well.
    """

    open: Callable[[torch.dtype], Any]
    files: tuple[Path, ...]
    kind: str
    size: int | None = None


@dataclass(eq=False)
class Parts:
    """The parts of one checkpoint by name, shared by all views of it.

    Attributes:
        openers: by name.
        dtype: of modules.
        device: of modules.
        configs: those of parts that were opened before, at another time; they stand in while a part is not open.
        facts: what the family found out then.
        in_turn: whether parts are released where memory does not hold the one that is opened beside them.
        placement: where opened modules are while they do not compute.
    """

    openers: Mapping[str, Part]
    dtype: torch.dtype = torch.float32
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    configs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    in_turn: bool = False
    placement: Placement = field(default_factory=Placement)

    def __post_init__(self) -> None:
        self.opened: dict[str, Any] = {}  # the one used last is the last
        self.kept: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self.openers

    def __iter__(self) -> Iterator[str]:
        return iter(self.openers)

    def __getitem__(self, name: str) -> Any:
        """Return a part, opened if it is not: in eval mode, without gradients, where `placement` has it.

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
        """Return what a part was built from, with its class's defaults; opens the part if nothing is recorded."""
        if name in self.opened or name not in self.configs:
            config = self[name].config
            return config if isinstance(config, Mapping) else config.to_dict()
        return self.configs[name]

    def release(self, name: str) -> None:
        """Forget an opened part and its memory; it is opened again when it is computed with again."""
        if isinstance(self.opened.get(name), torch.nn.Module):
            self.configs = {**self.configs, name: {**self.config(name)}}
            self.placement.forget(name)
        self.opened.pop(name, None)
        gc.collect()  # modules and the hooks on them hold each other
        if self.device.type != "cpu":
            torch.accelerator.empty_cache()

    def keep(self, *names: str) -> None:
        """Never release these parts where memory is short: their weights are not those of their files any more."""
        self.kept.update(names)

    @property
    def storage(self) -> torch.device:
        """Where the weights of opened parts are while they do not compute."""
        return self.device if self.placement.offload == "none" else torch.device("cpu")

    def modules(self) -> Iterator[torch.nn.Module]:
        """Yield the opened networks."""
        yield from (part for part in tuple(self.opened.values()) if isinstance(part, torch.nn.Module))

    def to(self, device: str | torch.device | None = None, dtype: torch.dtype | None = None) -> None:
        """Move the opened modules, and open all others likewise; None leaves as is.

        Raises:
            ModelError: their weights are offloaded, or stored in float8.
        """
        if self.placement.offload != "none" or self.placement.float8:
            raise ModelError("A model that was opened with --offload or --dtype float8 cannot be moved: open it again.")
        self.device = self.device if device is None else torch.device(device)
        self.dtype = dtype or self.dtype
        for module in self.modules():
            torch.nn.Module.to(module, device=device, dtype=dtype)

    def place(self, device: str | torch.device, placement: Placement) -> None:
        """Place the opened modules, and open all others likewise.

        Raises:
            ModelError: weights are quantised, and cannot be stored in float8.
        """
        self.device, self.placement = torch.device(device), placement
        for name, part in self.opened.items():
            if isinstance(part, torch.nn.Module):
                placement.place(name, part, self.device)

    def weights(self, name: str) -> int:
        """Return how many weights a part has, without opening it."""
        opener, part = self.openers[name], self.opened.get(name)
        if opener.size is not None:  # quantised, an opened one holds fewer numbers than weights
            return opener.size
        if isinstance(part, torch.nn.Module):
            return sum(parameter.numel() for parameter in part.parameters())
        return count_weights(opener.files)
