"""Picture or sound: which a model makes, and the switch between them."""

from typing import Any

import gradio as gr

from regrow.interfaces.web.texts import text
from regrow.media.image.medium import MEDIUM as PICTURE
from regrow.media.medium import Medium, media
from regrow.models.open import list_models

EMBEDDED = {medium.name: medium.embedded for medium in media()}
"""The model that is taken for each medium until another is chosen."""
FIELDS = {"picture": "image", "sound": "sound"}
"""The field of the Edit tab that takes a file of each medium."""
RECONSTRUCTED = {"picture"}
"""The media of whose edits the page also shows the reconstruction."""
PLAYED = {"sound"}
"""The media whose results are played instead of shown."""
TEXT_ENDING = {"picture": "", "sound": "_sound"}
"""How the keys of texts end that are worded for each medium."""


def shows_reconstruction(medium: Medium) -> bool:
    """Whether the page shows what comes back under the source's own prompt beside an edit."""
    return medium.name in RECONSTRUCTED


def medium_of(model: str) -> str:
    """Return the name of what a model makes, by its folder alone; "picture" where it is not here."""
    return next((listed.medium.name for listed in list_models() if listed.name == model), PICTURE.name)


def switch(elem_id: str) -> gr.Radio:
    """Picture or sound."""
    choices = [(text("a_picture"), "picture"), (text("a_sound"), "sound")]
    return gr.Radio(choices, value="picture", label=text("medium"), show_label=False, container=False, elem_id=elem_id)


def fitting(medium: str | None, model: str) -> Any:
    """The model that stands in a field, or the embedded one where it makes the other medium; none stays none."""
    return gr.skip() if not model or not medium or medium_of(model) == medium else EMBEDDED[medium]


def follow(
    medium: gr.Radio, model: gr.Dropdown, parts: dict[str, list[Any]], words: list[tuple[Any, str, str]]
) -> None:
    """Let the switch and the model's field agree, and show the parts of the page that are for the medium.

    Args:
        medium: the switch.
        model: the field.
        parts: what is seen for each medium alone.
        words: components, which of their words, and the text of these for pictures; that for sounds is `TEXT_sound`.
    """
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}
    shown = [(kind, part) for kind, some in parts.items() for part in some]

    worded = list(dict.fromkeys(component for component, _, _ in words))

    def change(kind: str | None, name: str) -> list[Any]:
        now = {component: {} for component in worded}
        for component, which, key in words:
            now[component][which] = text(key + TEXT_ENDING.get(kind or "", ""))
        return [
            fitting(kind, name),
            *(gr.update(visible=kind == own) for own, _ in shown),
            *(gr.update(**now[component]) for component in worded),
        ]

    medium.change(change, [medium, model], [model, *(part for _, part in shown), *worded], **quiet)
    model.input(lambda name: medium_of(name) if name else gr.skip(), model, medium, **quiet)
