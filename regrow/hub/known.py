"""The table of known checkpoints, with sizes and licences that are known without downloading.

The table is `known.json`: parts with their configs, counted by `runs/count_checkpoints.py`, and the checkpoints that
are made of them. Unknown numbers are null and unknown licences are empty: see the checkpoint's own card.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Literal

from regrow.messages.message import say

TABLE = Path(__file__).with_name("known.json")

Role = Literal["network", "words", "codec"]
"""What a part does: it denoises, encodes prompts and other conditions, or encodes and decodes."""
ROLES: tuple[Role, ...] = ("network", "words", "codec")


@dataclass(frozen=True)
class KnownPart:
    """A part of a checkpoint.

    Attributes:
        name: of its folder.
        role: what it does.
        kind: its class with its module; None where its config is unknown.
        config: that it is built from, without the class's defaults; likewise.
        origin: where config or parameters are from.
        parameters: how many weights it has; None where that is unknown.
        inputs: shapes of the arguments of a call, for the network; see `models.engines.counting.Shapes`.
        flops: of that call.
    """

    name: str
    role: Role
    kind: str | None
    config: Mapping[str, Any] | None
    origin: str
    parameters: int | None
    inputs: Mapping[str, Any] | None
    flops: float | None


@dataclass(frozen=True)
class Known:
    """A checkpoint.

    Attributes:
        name: that it is asked for by.
        hub: repository `user/repo`.
        family: of the layout, by regrow's name.
        medium: "picture" or "sound".
        licence: of the weights; empty where nobody here could read it.
        licence_seen: where it was read; empty where it is from memory.
        gated: whether the hub asks for a log-in and a consent first.
        pickled: whether its weights are pickles only.
        sings: whether it sings lyrics.
        layout: "diffusers", or "its own", which has to be converted first.
        stored: bytes that a weight has in its files; None where that is unknown.
        clip: what `flops` are for, such as the seconds of a sound.
        steps: that its makers sample with.
        guided: whether each step is two calls.
        note: a sentence more; may be empty.
        parts: of which it is made.
    """

    name: str
    hub: str
    family: str
    medium: str
    licence: str
    licence_seen: str
    gated: bool
    pickled: bool
    sings: bool
    layout: str
    stored: int | None
    clip: str
    steps: int
    guided: bool
    note: str
    parts: tuple[KnownPart, ...]

    @property
    def licence_text(self) -> str:
        """The licence with how sure it is."""
        if not self.licence:
            return "check the card"
        return self.licence if self.licence_seen else f"{self.licence} (check the card)"

    @property
    def command(self) -> str:
        """What gets it."""
        source = self.hub if self.layout == "diffusers" else "FOLDER"
        return f"regrow models pull {source}{' --allow-pickle' if self.pickled and source == self.hub else ''}"

    @property
    def parameters(self) -> int | None:
        """Of all parts; None where one is unknown."""
        counts = [part.parameters for part in self.parts]
        return None if None in counts else sum(count or 0 for count in counts)

    @property
    def download(self) -> int | None:
        """Bytes of weights that are downloaded; None where parts or their precision are unknown."""
        return None if self.parameters is None or self.stored is None else self.parameters * self.stored

    @property
    def network(self) -> KnownPart:
        """The part that denoises."""
        return next(part for part in self.parts if part.role == "network")


@cache
def known_checkpoints() -> tuple[Known, ...]:
    """Return the table, in its order: pictures first."""
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    return tuple(Known(**{**row, "parts": _parts(row["parts"], table["parts"])}) for row in table["checkpoints"])


def known(name: str) -> Known:
    """Return a checkpoint by its name or its hub repository.

    Raises:
        ValueError: it is not in the table; the sentence names those that are spelt alike.
    """
    for checkpoint in known_checkpoints():
        if name.lower() in (checkpoint.name.lower(), checkpoint.hub.lower()):
            return checkpoint
    raise ValueError(say("no_known_checkpoint", name=name, near=near(name)))


def near(name: str, others: Sequence[str] = ()) -> str:
    """Return "; did you mean A or B?" with the names that are spelt alike, or the list of all names.

    Args:
        name: that was asked for.
        others: names besides those of the table.
    """
    names = [*(checkpoint.name for checkpoint in known_checkpoints()), *others]
    folded = {each.lower(): each for each in names}
    begin = [each for key, each in folded.items() if key.startswith(name.lower())] if name else []
    found = begin[:3] or [folded[key] for key in get_close_matches(name.lower(), folded, 3, 0.5)]
    return say("did_you_mean", names=" or ".join(found)) if found else say("it_knows", names=", ".join(names))


def _parts(named: Mapping[str, Sequence[str]], table: Mapping[str, Any]) -> tuple[KnownPart, ...]:
    made = []
    for name, (role, key) in named.items():
        part = table[key]
        facts = {field: part[field] for field in ("config", "parameters", "inputs", "flops")}
        made.append(KnownPart(name=name, role=role, kind=part["class"], origin=part["from"], **facts))  # pyright: ignore[reportArgumentType]
    return tuple(made)
