"""Steps that commands share: open the model, show progress, find a free name, print the result."""

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
from regrow.editing.songs.score import singer_of
from regrow.hub.known import known_checkpoints
from regrow.interfaces.as_command import as_argument
from regrow.media.audio.medium import MEDIUM as SOUND
from regrow.media.medium import Medium, medium_at
from regrow.media.output import beside
from regrow.messages.message import say, worded_here
from regrow.models.engines.choose import with_engine
from regrow.models.errors import ModelError
from regrow.models.memory.placement import dtype_named
from regrow.models.model import Model
from regrow.models.open import has_model, open_model
from regrow.requests.edit import Edit
from regrow.requests.extend import Extend
from regrow.requests.generate import Generate
from regrow.requests.interpolate import Interpolate
from regrow.requests.invert import Invert
from regrow.requests.model_option import is_unstated

if TYPE_CHECKING:
    from regrow.interfaces.run import Opening, Report, Run

T = TypeVar("T")
Request = TypeVar("Request", Generate, Edit, Invert, Interpolate)
Song = TypeVar("Song", Edit, Extend, Invert)


def refuse_known(name: str) -> None:
    """Raise for a known checkpoint that is not on this machine.

    Raises:
        ModelError: the name is that of such a checkpoint; the sentence names the command that tells how to download it.
    """
    if has_model(name) or not any(name == checkpoint.name for checkpoint in known_checkpoints()):
        return
    raise ModelError(say("checkpoint_not_here", name=name))


def opened(name: str, run: "Opening", download: bool = True) -> Model:
    """Return a model opened with a command's options, computed by torch; set the number of threads."""
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
    """Return a model opened with a command's options and its engine; `check` may raise before the engine starts."""
    model = opened(name, run, download)
    if check:
        check(model)
    return with_engine(model, run.engine, None if run.dtype == "auto" else "float32")


def set_threads(run: "Report") -> None:
    """Set the number of threads from a command's options."""
    if run.threads:
        torch.set_num_threads(run.threads)


def replay_of(path: Path) -> str:
    """Return the command that makes a file again, quoted for a shell."""
    return f"regrow replay {shlex.quote(as_argument(path))}"


def watched(operation: Generator[Progress, None, T], run: "Report") -> T:
    """Run an operation with a progress bar for each of its parts."""
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
    """Return `count` paths that do not exist yet: the first one, or with numbers added."""
    numbered = (beside(first, f"-{number}") for number in itertools.count(2))
    return list(itertools.islice((path for path in itertools.chain([first], numbered) if not path.exists()), count))


def for_medium(request: Request, *files: Path | str | None) -> Request:
    """Return the request with the embedded model of its files' medium, unless it names another model."""
    media = [medium for medium in map(medium_at, files) if medium]
    return replace(request, model=media[0].embedded) if media and is_unstated(request.model) else request


def for_song(request: Song, path: Path) -> Song:
    """Return the request with the model that sang its file, if one did and the request names no other model."""
    sung = singer_of(path) if is_unstated(request.model) and medium_at(path) is SOUND else None
    return replace(request, model=sung) if sung else request


def write_results(made: Result, first: Path, medium: Medium, keep_paths: Any = None) -> tuple[list[Path], list[str]]:
    """Save results under free names; return paths and notes. `keep_paths` is `request` of `Result.save`."""
    paths, notes = free_paths(first, len(made.items)), list(made.notes)
    recipes = (with_paths(recipe, keep_paths) if keep_paths else recipe for recipe in made.recipes)
    for path, item, recipe in zip(paths, made.items, recipes, strict=True):
        notes += medium.save(path, item, recipe, made.rate)
    return paths, notes


def slug(words: str) -> str:
    """Return words in a form that fits into a file name."""
    return re.sub(r"[\W_]+", "-", words).strip("-").lower()[:60] or "result"


def lines(facts: dict[str, Any], indent: str = "") -> list[str]:
    """Return facts as indented lines, without empty values."""
    found = []
    for key, value in facts.items():
        name = key.replace("_", " ")
        if isinstance(value, dict):
            found += [f"{indent}{name}:", *lines(value, indent + "  ")]
        elif isinstance(value, list | tuple):
            found += [f"{indent}{name}: {', '.join(map(str, value))}"] if value else []
        elif value is not None and value != "":
            found.append(f"{indent}{name}: {value}")
    # a recipe from others may hold control sequences of terminals
    return ["".join(letter if letter.isprintable() else "?" for letter in line) for line in found]


def report(run: "Report", facts: dict[str, Any], *sentences: str) -> None:
    """Print the facts if JSON is requested, else the sentences."""
    if run.json:
        print_json(facts)
    else:
        for sentence in sentences:
            print(worded_here(sentence))


def print_json(facts: Any) -> None:
    """Print one JSON document on a line, in ASCII unless the console uses UTF-8."""
    plain = str(getattr(sys.stdout, "encoding", "")).lower().replace("-", "") != "utf8"
    print(json.dumps(facts, default=str, ensure_ascii=plain), flush=True)


def print_facts(as_json: bool, facts: dict[str, Any], *sentences: str) -> None:
    """Print the facts as one JSON document, or the non-empty sentences."""
    if as_json:
        print_json(facts)
    else:
        print("\n".join(worded_here(sentence) for sentence in sentences if sentence))
