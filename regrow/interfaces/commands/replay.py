"""`regrow replay`."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import Positional

from regrow.interfaces.commands import Command
from regrow.interfaces.run import Run, RunOptions
from regrow.messages.message import say

if TYPE_CHECKING:
    from regrow.editing.recipe import Recipe


def replay(
    file: Positional[Path],
    run: RunOptions,
    out: Path | None = None,
    files: tuple[Path, ...] = (),
    download: bool = False,
) -> None:
    """Make a result again from its recipe, and compare the two bit for bit.

    Args:
        file: a picture or a sound that regrow saved.
        out: the file to write; if not given, named after that file.
        files: folders with the source files and the model. The current folder and the file's own are searched in any
            case.
        download: download the model if it is missing. Anybody can write a recipe, and name any model.
    """
    from regrow.editing.replay import embeddings_of, loras_of, recipe_in, request_from
    from regrow.editing.replay import replay as operation
    from regrow.interfaces.reporting import engaged, free_paths, report, watched
    from regrow.media.medium import medium_of
    from regrow.media.output import default_output

    recipe = recipe_in(file)
    request, medium = request_from(recipe, *files, file.parent), medium_of(file)
    first = out or default_output(f"{file.stem}-replayed", medium.replayed_ending(file))
    medium.check_savable(first)
    places = (*files, file.parent)
    run = replace(run, lora=loras_of(recipe, *places), embedding=embeddings_of(recipe, *places))
    model = engaged(request.model, _as_recorded(run, recipe) if run.engine == "auto" else run, download=download)
    replayed = watched(operation(recipe, request, model, run.engine), run)
    (path,) = free_paths(first, 1)
    medium.save(path, replayed.item, replayed.recipe, replayed.rate)
    other = say("replay_differs")
    same = say("replay_is_same") if replayed.identical else other
    report(run, {"file": path, "identical": replayed.identical}, say("wrote_replay", path=path, verdict=same))


def _as_recorded(run: Run, recipe: "Recipe") -> Run:
    """Return the options with torch and its recorded precision; `replay` itself restores any other engine."""
    library, _, precision = str(recipe.get("engine", "")).partition(" ")
    known = library == "torch" and precision in ("bfloat16", "float16", "float8") and run.dtype == "auto"
    return replace(run, engine="torch", dtype=precision if known else run.dtype)


COMMAND = Command("replay", 60, replay)
