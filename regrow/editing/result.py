"""Results of operations: pictures or sounds, their recipes and what was measured."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.core.progress import Progress
from regrow.editing.recipe import Recipe, with_paths
from regrow.media.frame import Frame, Region
from regrow.media.medium import medium_named, medium_of
from regrow.media.output import beside
from regrow.models.model import Model


@dataclass(frozen=True, eq=False)
class Result:
    """Results of one request.

    Attributes:
        items: pictures `3 h w` or waves `channels n`, in [-1, 1]; of an edit in the file's own size, rate and channels.
            Pictures are `4 h w`, with alpha, where transparent parts of the file stay.
        frames: the same in the model's frame; none of a longer sound, which grows in parts.
        recipes: one per item.
        notes: sentences for the user.
        rate: samples a second of the items; None for pictures.
        frame: the file that was changed, as the model takes it; None where there was none.
        codec: what the model's codec alone makes of that: the limit of every method; empty where there was none.
        reused: whether the inverted path came from the cache or a file.
        region: where the file was allowed to change; None where everywhere.
        prompts: the full sentences by the request's own prompts; empty if those were used as they are.
        shares: of an interpolation, how much of the second end is in each item, from 0 to 1.
        known: of a longer sound, where in it the file is: its first sample, and the one behind its last.
    """

    items: tuple[Tensor, ...]
    frames: Float[Tensor, "b channels *places"]
    recipes: tuple[Recipe, ...]
    notes: tuple[str, ...] = ()
    rate: int | None = None
    frame: Frame | None = None
    codec: Float[Tensor, " c *codec_places"] = field(default_factory=lambda: torch.empty(0))
    reused: bool = False
    region: Region | None = None
    prompts: Mapping[str, str] = field(default_factory=dict)
    shares: tuple[float, ...] = ()
    known: tuple[int, int] = (0, 0)

    @property
    def original(self) -> Float[Tensor, " channels *places"]:
        """The file that was changed, in the model's frame."""
        assert self.frame, "nothing was changed"
        return self.frame.content

    def save(self, path: str | Path, request: Any = None) -> tuple[Path, ...]:
        """Write the items with their recipes, each whole or not at all; a second one gets a number behind the name.

        Args:
            path: of the first; its suffix says the format.
            request: whose folders are written into the recipes, too; else these hold the names of files alone.

        Returns:
            The files. What is there under these names is written over.

        Raises:
            MediaError: the format is not of this medium, or the system refuses.
        """
        first = Path(path)
        medium = medium_named(first) or medium_of(first)
        medium.check_savable(first)
        paths = [first, *(beside(first, f"-{i}") for i in range(2, len(self.items) + 1))]
        for place, item, recipe in zip(paths, self.items, self.recipes, strict=True):
            medium.save(place, item, with_paths(recipe, request) if request else recipe, self.rate)
        return tuple(paths)


@dataclass(frozen=True)
class Operation:
    """An operation that can be made again. Its module, named as recipes name it, offers it as `OPERATION`.

    Attributes:
        request: the dataclass of its settings.
        run: makes the result; a generator that tells how far it is.
    """

    request: type
    run: Callable[[Any, Model], Generator[Progress, None, Result]]
