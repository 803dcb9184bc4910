"""The implementations of the API's verbs. Each module here defines `WORK`."""

from collections.abc import Mapping
from importlib import import_module

from regrow.interfaces.server.jobs.job import Work
from regrow.interfaces.server.schemas.requests import REQUESTS


def all_works() -> Mapping[str, Work]:
    """Return the implementation of each verb, by name. This imports torch."""
    return {verb: import_module(f"{__name__}.{verb}").WORK for verb in REQUESTS}
