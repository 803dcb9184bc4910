"""Replay: make a result again from its recipe."""

import os
from collections.abc import Generator
from pathlib import Path

from regrow.editing.replay import recipe_in, request_from
from regrow.editing.replay import replay as operation
from regrow.interfaces.server.history.items import words_of
from regrow.interfaces.server.jobs.job import At, Job
from regrow.interfaces.server.jobs.previews import steps_of
from regrow.interfaces.server.places import find, kept_path
from regrow.interfaces.server.verbs.making import Open, keep_items, summary_of
from regrow.interfaces.server.verbs.requests import WORDS_OR_FILES
from regrow.media.files import MediaError
from regrow.messages.message import say


def replay(job: Job, opened: Open) -> Generator[At, None, None]:
    """Make a result again, and say whether it is identical; its source files were found when the job was submitted."""
    file = kept_path(job.settings["file"])
    recipe = recipe_in(file)
    paths = [path for name in job.facts.get("inputs", ()) if (path := find(name))]
    if any(name in recipe for name in ("input", "inputs", "mask", "trajectory", "reference_sound")) and not paths:
        raise MediaError(say("input_gone"))
    request = request_from(recipe, *dict.fromkeys(path.parent for path in paths))
    read = {value for value in vars(request).values() if isinstance(value, Path)}
    read |= {
        Path(value) for name, value in vars(request).items() if name in WORDS_OR_FILES and os.path.isabs(str(value))
    }
    if not read <= set(paths):  # recipes are untrusted, and may name any file
        raise MediaError(say("input_gone"))
    model = opened(request.model)
    replayed = yield from steps_of(operation(recipe, request, model), model)
    words = [words_of(recipe.get("settings", {}), file.name, _place(recipe))]
    (name,) = keep_items(job, [replayed.item], replayed.rate, [replayed.recipe], words, model.medium, model)
    figures, settings = replayed.recipe["figures"], replayed.recipe["settings"]
    job.facts |= {"identical": replayed.identical, "figures": figures, "guess": replayed.recipe["guess"]}
    job.facts["differences"] = _differences(recipe, replayed.recipe)
    about = {"model": replayed.recipe["model"]["name"], "method": settings.get("method", ""), "words": words[0]}
    job.facts["items"] = {name: about | {"seed": settings.get("seed")}}
    same = say("replay_identical") if replayed.identical else say("replay_not_identical")
    job.summary = say("replay_took", verdict=same, took=summary_of(figures))


def _place(recipe: dict) -> int:
    """Return the index of a recipe's result within its run."""
    index = recipe.get("result", {}).get("index", 0)
    return index if isinstance(index, int) else 0


def _differences(before: dict, now: dict) -> list[list[str]]:
    """Return differences in what computed the two results, as rows of name, value then, value now."""
    pairs = [(name, before.get(name), now.get(name)) for name in ("regrow", "engine", "threads")]
    old, new = before.get("versions"), now["versions"]
    pairs += [(name, old.get(name) if isinstance(old, dict) else None, new[name]) for name in new]
    return [[name, f"{then!s:.40}", f"{there!s:.40}"] for name, then, there in pairs if then != there]


WORK = replay
