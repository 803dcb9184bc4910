"""Fields that hand over what was put into them as it came: files undecoded, models that are here by now.

Each is a class of its own, for gradio makes a component that is updated anew from its class.
"""

from abc import ABCMeta
from typing import Any

import gradio as gr
from gradio.component_meta import ComponentMeta

from regrow.interfaces.web.assets import asset
from regrow.interfaces.web.places import known_model

MODEL_OWN = "model_own"
"""Of a choice the one that leaves it to the model."""


class Quiet(ComponentMeta):
    """gradio's class of component classes, which writes a .pyi beside the code; ours have no events of their own."""

    def __new__(cls, name: str, bases: tuple[type, ...], attributes: dict[str, Any]) -> Any:
        """Make the class."""
        return ABCMeta.__new__(cls, name, bases, attributes)


class PictureField(gr.Image, metaclass=Quiet):
    """A field for a picture; gradio's would decode the file and lose its recipe."""

    is_template = True

    def preprocess(self, payload: Any) -> str | None:
        """The file that was uploaded."""
        return payload.path if payload else None


class SoundField(gr.Audio, metaclass=Quiet):
    """A field for a sound; gradio's would have ffmpeg look into the file, and convert it."""

    is_template = True

    def preprocess(self, payload: Any) -> str | None:
        """The file that was uploaded."""
        return payload.path if payload else None

    def postprocess(self, value: Any) -> gr.FileData | None:
        """The file to show."""
        return gr.FileData(path=str(value)) if value else None


def sound_field(**options: Any) -> SoundField:
    """A field that takes uploads alone. (gradio reads a component's settings off its `__init__`, so it has no own.)"""
    return SoundField(type="filepath", sources=["upload"], editable=False, buttons=[], **options)


class ModelField(gr.Dropdown, metaclass=Quiet):
    """A field for a model; gradio's takes only those that were here when the page was built."""

    is_template = True

    def preprocess(self, payload: Any) -> Any:
        """The model's name.

        Raises:
            MediaError: it is none of the models that are here.
        """
        return known_model(payload) if payload else payload


def accessible_names(image: gr.Image) -> None:
    """Let a picture's label name it and its button for screen readers, which gradio leaves empty."""
    script = asset("accessible_names.js").replace("PICTURE", f"#{image.elem_id}")
    image.change(None, None, None, js=script, api_visibility="private")
