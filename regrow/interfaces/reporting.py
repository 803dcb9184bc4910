"""What every verb does: open the model, run the operation under a bar, find a free name, say what was done."""

import itertools
import json
import re
import shlex
import sys
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from tqdm import tqdm

from regrow.core.progress import Progress, finish
from regrow.editing.recipe import with_paths
from regrow.editing.result import Result
from regrow.hub.known import known_checkpoints
from regrow.media.medium import Medium, medium_at
from regrow.media.output import beside
from regrow.models.engines.choose import with_engine
from regrow.models.errors import ModelError
from regrow.models.memory.placement import dtype_named
from regrow.models.model import Model
from regrow.models.open import has_model, open_model
from regrow.requests.edit import Edit
from regrow.requests.generate import Generate
from regrow.requests.interpolate import Interpolate
from regrow.requests.invert import Invert

if TYPE_CHECKING:
    from regrow.interfaces.run import Opening, Report, Run

T = TypeVar("T")
Request = TypeVar("Request", Generate, Edit, Invert, Interpolate)


def refuse_known(name: str) -> None:
    """Say of a known checkpoint that is not here how it is had, rather than that there is no model of its name.

    Raises:
        ModelError: it is one.
    """
    if has_model(name) or not any(name == checkpoint.name for checkpoint in known_checkpoints()):
        return
    raise ModelError(
        f"{name} is a checkpoint that regrow opens, but it is not on this machine: `regrow models fit {name}` says "
        "what it takes, and the command that gets it."
    )


def opened(name: str, run: "Opening", download: bool = True) -> Model:
    """A model on the device and with the threads that a command asks for, computed by torch."""
    set_threads(run)
    refuse_known(name)
    return open_model(
        name,
        as_family=run.as_family,
        allow_pickle=run.allow_pickle,
        device=run.device,
        dtype=dtype_named(run.dtype),
        download=download and not run.offline,
        lora=run.lora,
        embedding=run.embedding,
        offload=run.offload,
    )


def engaged(name: str, run: "Run", check: Callable[[Model], object] | None = None, download: bool = True) -> Model:
    """The same, computed by the engine that a command asks for; checked before that takes its seconds to be made."""
    model = opened(name, run, download)
    if check:
        check(model)
    return with_engine(model, run.engine, None if run.dtype == "auto" else "float32")


def set_threads(run: "Report") -> None:
    """The number of threads that a command asks for."""
    if run.threads:
        torch.set_num_threads(run.threads)


def replay_of(path: Path) -> str:
    """The command that makes a file again, to be copied whatever its name."""
    return f"regrow replay {shlex.quote(as_argument(path))}"


def as_argument(path: Path) -> str:
    """A file as the command line takes it, which would take a name that begins with "-" for an option."""
    return f"./{path}" if str(path).startswith("-") else str(path)


def watched(operation: Generator[Progress, None, T], run: "Report") -> T:
    """Run an operation under a bar that shows the time left, one bar a part."""
    bars: dict[str, tqdm] = {}

    def watch(progress: Progress) -> None:
        if progress.part not in bars or bars[progress.part].n > progress.index:
            for bar in bars.values():
                bar.close()
            bars[progress.part] = tqdm(
                total=progress.steps, desc=progress.part, unit="step", leave=False, disable=run.json or None
            )
        bars[progress.part].update(progress.index - bars[progress.part].n)

    try:
        return finish(operation, watch)
    finally:
        for bar in bars.values():
            bar.close()


def free_paths(first: Path, count: int) -> list[Path]:
    """`count` file names that are free: the wanted one, or with numbers."""
    numbered = (beside(first, f"-{number}") for number in itertools.count(2))
    return list(itertools.islice((path for path in itertools.chain([first], numbered) if not path.exists()), count))


def for_medium(request: Request, *files: Path | str | None) -> Request:
    """Return the request with the embedded model of the medium that files name, where it names no other model."""
    media = [medium for medium in map(medium_at, files) if medium]
    return replace(request, model=media[0].embedded) if media and request.model == type(request).model else request


def write_results(made: Result, first: Path, medium: Medium, keep_paths: Any = None) -> tuple[list[Path], list[str]]:
    """Save results under free names, and return these and all notes; `keep_paths` is as `request` of `Result.save`."""
    paths, notes = free_paths(first, len(made.items)), list(made.notes)
    recipes = (with_paths(recipe, keep_paths) if keep_paths else recipe for recipe in made.recipes)
    for path, item, recipe in zip(paths, made.items, recipes, strict=True):
        notes += medium.save(path, item, recipe, made.rate)
    return paths, notes


def slug(words: str) -> str:
    """Words as a part of a file's name."""
    return re.sub(r"[\W_]+", "-", words).strip("-").lower()[:60] or "result"


def lines(facts: dict[str, Any], indent: str = "") -> list[str]:
    """Facts for people as indented lines, without those that there are none of; JSON has them all."""
    found = []
    for key, value in facts.items():
        name = key.replace("_", " ")
        if isinstance(value, dict):
            found += [f"{indent}{name}:", *lines(value, indent + "  ")]
        elif isinstance(value, list | tuple):
            found += [f"{indent}{name}: {', '.join(map(str, value))}"] if value else []
        elif value is not None and value != "":
            found.append(f"{indent}{name}: {value}")
    # a stranger's recipe may hold what a terminal takes for a command
    return ["".join(letter if letter.isprintable() else "?" for letter in line) for line in found]


def say(run: "Report", facts: dict[str, Any], *sentences: str) -> None:
    """Print sentences, or the facts where JSON is asked for."""
    if run.json:
        print_json(facts)
    else:
        for sentence in sentences:
            print(sentence)


def print_json(facts: Any) -> None:
    """Print one JSON document on a line, in ASCII where the console has not all letters."""
    plain = str(getattr(sys.stdout, "encoding", "")).lower().replace("-", "") != "utf8"
    print(json.dumps(facts, default=str, ensure_ascii=plain), flush=True)


def print_facts(as_json: bool, facts: dict[str, Any], *sentences: str) -> None:
    """Print facts as one JSON document, or the sentences that are not empty."""
    if as_json:
        print_json(facts)
    else:
        print("\n".join(filter(None, sentences)))
