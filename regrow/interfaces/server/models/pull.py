"""The download of a model, one at a time, in its own process."""

from typing import Literal

from pydantic import BaseModel

from regrow.interfaces.server import processes
from regrow.interfaces.server.errors import Refused
from regrow.media.home import home

NAME = ".pull"
"""The name of the process; with a dot, so that no training has the same name."""


class Pull(BaseModel):
    """The last download, or an interrupted one.

    Attributes:
        repo: the repository; "" if there is no download.
        state: "running", "stopped" (the same request resumes it), "done" or "none".
        came: bytes that have arrived; None if unknown.
        size: bytes in total; None if unknown.
        said: the last lines that the process printed.
    """

    repo: str = ""
    state: Literal["running", "stopped", "done", "none"] = "none"
    came: int | None = None
    size: int | None = None
    said: str = ""


def pull_now() -> Pull:
    """Return the state of the download."""
    started = processes.started(NAME)
    if started is None and not (home() / "models" / ".pulling").is_dir():  # avoids an import that takes seconds
        return Pull()
    from regrow.hub.pulling import unfinished_pulls

    unfinished = unfinished_pulls()
    repo = started.command[2] if started and len(started.command) > 2 else ""
    at_work = processes.running(NAME) is not None
    one = next((one for one in unfinished if one.repo == repo), None)
    if one is None and not at_work and unfinished:  # begun by the command line or an older server
        one, repo = unfinished[0], unfinished[0].repo
    if not repo:
        return Pull()
    came, size = (one.came, one.size) if one else (None, None)
    said = "\n".join(processes.sentences(processes.output(NAME))) if started and started.command[2:3] == [repo] else ""
    done = "wrote " in said and not one
    return Pull(
        repo=repo, state="running" if at_work else "done" if done else "stopped", came=came, size=size, said=said
    )


def start_pull(repo: str, name: str, file: str, owner: str) -> Pull:
    """Start a download, or resume an interrupted one.

    Raises:
        Refused: it is not the name of a repository, or another download is running.
        ModelError: the model's name is not allowed.
    """
    from regrow.hub.model_card import is_repository
    from regrow.models.open import plain_name

    if not is_repository(repo):
        raise Refused(400, "no_repository", "repo", name=f"{repo:.80}")
    if processes.running(NAME) is not None:
        raise Refused(409, "pull_at_work", repo=pull_now().repo)
    options = [f"--name={plain_name(name)}"] if name else []
    options += [f"--file={file}"] if file else []
    processes.start(NAME, ["models", "pull", repo, *options], owner)
    return pull_now()
