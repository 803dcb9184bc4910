"""POST /api/frame: the part of a picture that a model will see in an edit."""

from collections.abc import Callable
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from regrow.interfaces.server.errors import Refused
from regrow.interfaces.server.schemas.bodies import Body, body_of
from regrow.interfaces.server.sessions import Asker
from regrow.interfaces.server.threads import in_thread

if TYPE_CHECKING:
    from regrow.media.image.framing import Placement
    from regrow.media.medium import MediumModel

router = APIRouter(tags=["files"])
EditSettings = body_of("edit")
ANYTHING = "."
"""Placeholder for a target prompt that is not typed yet; frames do not depend on it."""


class Part(BaseModel):
    """A box in pixels."""

    top: float
    left: float
    height: float
    width: float


class Framed(BaseModel):
    """The part of a picture that the model will see."""

    source: Part = Field(description="the part of the picture")
    target: Part = Field(description="where that lies in the frame")
    frame: tuple[int, int] = Field(description="height and width of what the model works on")
    tiles: list[Part] = Field(description="of the picture, where the frame is larger than the model takes at once")


@router.post("/api/frame")
async def frame(body: EditSettings, caller: Asker, request: Request) -> Framed:  # pyright: ignore[reportInvalidTypeForm]
    """Return what a model would see of a picture; takes the fields of an edit, but starts none."""
    return await in_thread(_framed, body, lambda file_id, name: request.app.state.files.own(caller, file_id, name))


def _framed(body: Body, own: Callable[[str, str], Path]) -> Framed:
    from regrow.interfaces.server.jobs.models import known_model
    from regrow.interfaces.server.schemas.requests import FORMS
    from regrow.interfaces.server.uploads import described
    from regrow.interfaces.server.verbs.requests import request_of
    from regrow.media.image.placing import placed
    from regrow.models.open import open_model

    given = {name: value for name, value in body.model_dump(exclude_unset=True).items() if value is not None}
    edit = request_of("edit", FORMS["edit"], given | {"target": [ANYTHING]}, own)
    about, model = described(edit.image), open_model(known_model(edit.model))
    if "height" not in about:
        raise Refused(400, "no_picture", field="image")
    placement = placed(edit, (about["height"], about["width"]), model)
    tiles = tiles_of(placement, model) if edit.tiles else []
    return Framed.model_validate(
        {"source": asdict(placement.source), "target": asdict(placement.target), "frame": placement.frame}
        | {"tiles": tiles}
    )


def tiles_of(placement: "Placement", model: "MediumModel") -> list[dict[str, Any]]:
    """Return the tiles in which a model processes a frame, as boxes of the picture."""
    from regrow.core.windows import starts
    from regrow.models.denoising import TILE_OVERLAP

    spans = []
    for side, usual, cut, inside in zip(placement.frame, model.size, ("top", "left"), ("height", "width"), strict=True):
        cells, width = side // model.factor, usual // model.factor
        begins = [0] if cells <= width else starts(cells, width, int(TILE_OVERLAP * width), False)
        begin, length = getattr(placement.target, cut), getattr(placement.target, inside)
        scale, first = getattr(placement.source, inside) / length, getattr(placement.source, cut)
        ends = [
            [min(max(cell * model.factor - begin, 0), length) for cell in (one, one + min(width, cells))]
            for one in begins
        ]
        spans.append([(first + low * scale, (high - low) * scale) for low, high in ends])
    return [{"top": top, "left": left, "height": tall, "width": wide} for (top, tall), (left, wide) in product(*spans)]
