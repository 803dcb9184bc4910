"""Errors of the hub, as one sentence."""

import contextlib
from collections.abc import Iterator

from huggingface_hub import errors

from regrow.hub.download import page_of
from regrow.media.files import reason
from regrow.messages.message import say


@contextlib.contextmanager
def refusals(repo: str, writing: bool) -> Iterator[None]:
    """Turn whatever the hub's client raises into one sentence with what to do.

    Args:
        repo: `user/repo` that was asked for.
        writing: whether something was to be put there.

    Raises:
        ValueError: with that sentence.
    """
    try:
        yield
    except Exception as error:  # a dozen classes, by what failed on the way
        status = error.response.status_code if isinstance(error, errors.HfHubHTTPError) else None
        address = page_of(repo)
        unknown = status == 401 or isinstance(error, errors.LocalTokenNotFoundError | errors.RepositoryNotFoundError)
        if isinstance(error, errors.GatedRepoError):
            said = say("repo_is_gated", repo=repo, address=address)
        elif unknown and writing:
            said = say("hub_needs_write_login")
        elif unknown:
            said = say("repo_missing", repo=repo)
        elif status == 403:
            said = (
                say("repo_not_writable", repo=repo, owner=repo.split("/")[0])
                if writing
                else say("repo_not_readable", repo=repo)
            )
        elif isinstance(error, errors.OfflineModeIsEnabled):
            said = say("hub_is_offline")
        else:
            verb, rest = ("uploaded", "") if writing else ("downloaded", say("goes_on_where_stopped"))
            said = say("hub_failed", repo=repo, verb=verb, reason=reason(error))
            said += rest
        raise ValueError(f"{said}.") from error
