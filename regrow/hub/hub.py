"""What the hub refuses, as one sentence."""

import contextlib
from collections.abc import Iterator

from huggingface_hub import errors

from regrow.hub.download import page_of
from regrow.media.files import reason


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
            said = (
                f"{repo} is for those only whom its author lets in; accept its licence or ask at {address}, then log "
                "in with `hf auth login`, or set HF_TOKEN to a token of that account"
            )
        elif unknown and writing:
            said = "The hub does not know you; log in with `hf auth login` and a token that may write, then try again"
        elif unknown:
            said = (
                f"The hub has no model {repo}, or hides it; check the name, or log in with `hf auth login` or HF_TOKEN"
            )
        elif status == 403:
            said = (
                f"You may not write to {repo}; check that {repo.split('/')[0]} is you or an organisation of yours, and "
                "log in with `hf auth login` and a token that may write"
                if writing
                else f"You may not read {repo}; log in with `hf auth login` or HF_TOKEN and a token that may"
            )
        elif isinstance(error, errors.OfflineModeIsEnabled):
            said = "HF_HUB_OFFLINE is set, which keeps the hub out of reach; unset it and try again"
        else:
            verb, rest = ("uploaded", "") if writing else ("downloaded", ", which goes on where this stopped")
            said = (
                f"{repo} could not be {verb} ({reason(error)}); check network and disk and run the same command again"
            )
            said += rest
        raise ValueError(f"{said}.") from error
