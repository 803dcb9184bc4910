"""Words: how a model understands a prompt while it is typed, and the words that it knows."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from regrow.interfaces.server.sessions import Asker, Caller
from regrow.interfaces.server.threads import in_thread
from regrow.requests.ranges import MOST_WORDS

if TYPE_CHECKING:
    from regrow.models.model import Model

router = APIRouter(tags=["words"])
EXAMPLES = 4
"""Number of example sentences of a model's world."""


class TypedWords(BaseModel):
    """A prompt while it is typed.

    Attributes:
        text: the prompt; for an edit, one target prompt per line.
        model: the model; the built-in one of the medium if empty.
        medium: "picture" or "sound".
        source: the source prompt of an edit.
        verb: of the request.
    """

    text: str = Field(max_length=MOST_WORDS)
    model: str = ""
    medium: Literal["picture", "sound"] = "picture"
    source: str = Field("", max_length=MOST_WORDS)
    verb: Literal["edit", "generate", "extend", "explore", "compare", "sing", "interpolate"] = "edit"


@router.post("/api/words")
async def words(body: TypedWords, caller: Asker) -> dict[str, Any]:
    """Return for each word whether the model knows it, and the prompt as it understands it; no network is evaluated."""
    return await in_thread(_typed, body, caller)


@router.get("/api/words")
async def known_words(
    caller: Asker, model: str = "", medium: Literal["picture", "sound"] = "picture"
) -> dict[str, Any]:
    """List the words that a model knows, by attribute, and example sentences; the page shows them as buttons."""
    return await in_thread(_known, model, medium, caller)


def _typed(body: TypedWords, caller: Caller) -> dict[str, Any]:
    from regrow.interfaces.server.wording import worded
    from regrow.prompts.typed import typed

    edits = body.verb in ("edit", "explore", "compare")
    found = asdict(typed(_opened(body.model, body.medium), body.text, body.source, edits))
    return found | {"notes": [worded(note, caller.language) for note in found["notes"]]}


def _known(model: str, medium: str, caller: Caller) -> dict[str, Any]:
    from regrow.interfaces.server.schemas.forms import text_or
    from regrow.prompts.typed import value_in_words, world_of

    world, language = world_of(_opened(model, medium)), "zh" if caller.language == "zh" else "en"
    if world is None:
        return {"attributes": [], "examples": []}
    listed = world.lexicon.listed
    attributes = [
        {
            "name": name,
            "label": text_or(f"attribute.{name}", language, name),
            "values": [
                {"value": value, "label": value_in_words(world, name, value, language)}
                for value in values
                if value in listed.get(name, {})
            ],
        }
        for name, values in world.attributes.items()
    ]
    examples = [world.captions(world.random(seed), language)[0] for seed in range(EXAMPLES)]
    return {"attributes": attributes, "examples": examples}


def _opened(name: str, medium: str) -> "Model":
    """Return a model by its name, without opening its parts; the built-in one of a medium if the name is empty.

    Raises:
        MediaError: there is no model of this name.
    """
    from regrow.interfaces.server.jobs.models import known_model
    from regrow.media.medium import media
    from regrow.models.open import open_model

    embedded = {one.name: one.embedded for one in media()}
    return open_model(known_model(name or embedded[medium]))
