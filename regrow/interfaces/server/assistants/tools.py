"""The tools: one per verb, with the settings of the API, and others for files, models, results and trainings."""

from functools import cache
from typing import Any

from mcp_types import Tool, ToolAnnotations
from pydantic import BaseModel, ConfigDict, Field

from regrow.interfaces.server.schemas.bodies import body_of
from regrow.interfaces.server.schemas.requests import REQUESTS
from regrow.interfaces.server.schemas.settings import summary_of
from regrow.requests.train import Train


class Given(BaseModel):
    """Arguments of a tool."""

    model_config = ConfigDict(extra="forbid")


class AddFile(Given):
    """A file: by its path on this computer, or by its bytes."""

    path: str = Field("", max_length=4000, description="Of a picture, a sound or a tune on this computer.")
    data: str = Field("", description="The file's bytes in base64, up to 700 kB; for larger files give a path.")
    name: str = Field("", max_length=200, description="What the file is called, where it is given by its bytes.")


class ListResults(Given):
    """What is looked for among the results."""

    search: str = Field("", max_length=500, description="Words that must occur in a result's prompts.")
    limit: int = Field(20, ge=1, le=100, description="How many at most, the newest first.")


class ShowResult(Given):
    """A result."""

    id: str = Field(max_length=300, description="JOB/NAME, as the tools name results.")


class OfTraining(Given):
    """A training."""

    name: str = Field(max_length=60, description="Of the training.")


class Nothing(Given):
    """No arguments."""


OTHERS: dict[str, tuple[type[Given], str, bool]] = {
    "add_file": (
        AddFile,
        "Give regrow a picture, a sound or a tune, and get the id that other tools take.",
        False,
    ),
    "list_models": (Nothing, "List the models with what each knows and can do.", True),
    "list_results": (ListResults, "List what was made, the newest first.", True),
    "show_result": (ShowResult, "Show a result, with the settings that made it.", True),
    "show_training": (OfTraining, "Say where a training stands.", True),
    "stop_training": (OfTraining, "Ask a training to save and stop.", False),
}
"""Tools besides the verbs: arguments, description, and whether they only read."""
TRAIN = "train"


@cache
def tools(local: bool) -> list[Tool]:
    """Return all tools.

    Args:
        local: whether callers may name files of this computer, as only its user can reach the server.
    """
    verbs = [_tool(verb, body_of(verb), summary_of(kind), False) for verb, kind in REQUESTS.items()]
    train = _tool(
        TRAIN, body_of(TRAIN), f"{summary_of(Train)} It goes on by itself: follow it with show_training.", False
    )
    return [*verbs, train, *(_tool(name, *one) for name, one in OTHERS.items())]


def _tool(name: str, arguments: type[BaseModel], does: str, looks: bool) -> Tool:
    schema: dict[str, Any] = arguments.model_json_schema()
    hints = ToolAnnotations(read_only_hint=looks, destructive_hint=False, open_world_hint=False)
    return Tool(name=name, description=does, input_schema=schema, annotations=hints)
