"""Watch models, downloads and trainings, and send events about their changes."""

from typing import Any

from fastapi import FastAPI

from regrow.interfaces.server import processes
from regrow.interfaces.server.jobs.events import Events
from regrow.interfaces.server.models.catalogue import Catalogue
from regrow.interfaces.server.models.pull import Pull, pull_now
from regrow.interfaces.server.sessions import Caller
from regrow.interfaces.server.trainings.run import Run, is_at_work, run, runs
from regrow.interfaces.server.watch import Watch
from regrow.interfaces.server.wording import worded


def keep_watch(app: FastAPI, events: Events, private: bool) -> None:
    """Set up an application's list of models, and the watches of downloads and trainings."""
    catalogue = Catalogue(lambda: events.publish("models", {}, key="models"))

    def tell_pull(_: str, pull: Pull) -> None:
        if pull.state != "running":
            catalogue.refresh()
        events.publish("models", lambda caller: {"pull": pull_json(pull, caller)}, key="pull")

    def tell_run(name: str, one: Run) -> None:
        if one.state == "finished":
            catalogue.refresh()
        started = processes.started(name)
        owner = (started.owner if started else "") if private else None
        events.publish("training", lambda caller: run_json(one, caller), owner, key=("training", name))

    app.state.catalogue = catalogue
    app.state.pulls = Watch(_pulls, tell_pull)
    app.state.trainings = Watch(_Trainings(), tell_run)


def pull_json(pull: Pull, caller: Caller) -> dict[str, Any]:
    """Return a download as JSON for a caller."""
    return pull.model_dump() | {"said": _lines(pull.said, caller)}


def run_json(one: Run, caller: Caller) -> dict[str, Any]:
    """Return a training as JSON for a caller."""
    return one.model_dump() | {"said": _lines(one.said, caller)}


def _pulls() -> tuple[dict[str, Any], bool]:
    pull = pull_now()
    return {"pull": pull}, pull.state == "running"


class _Trainings:
    """Returns the state of trainings that are running, or were at the last call."""

    def __init__(self) -> None:
        self._before: set[str] = set()

    def __call__(self) -> tuple[dict[str, Any], bool]:
        now = {name for name in runs(None) if is_at_work(name)}
        looked_at, self._before = now | self._before, now
        return {name: run(name) for name in sorted(looked_at)}, bool(now)


def _lines(said: str, caller: Caller) -> str:
    return "\n".join(worded(line, caller.language) for line in said.splitlines())
