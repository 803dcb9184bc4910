"""Every knob of an edit, in a closed box on the Edit tab."""

from dataclasses import fields
from typing import Any, get_args

import gradio as gr

from regrow.core.methods.registry import names
from regrow.core.names import LabelConvention, SharingName, Spacing, Switch
from regrow.interfaces.web.fields import ModelField
from regrow.interfaces.web.shared import DRAWN, model_names
from regrow.interfaces.web.texts import options, text
from regrow.media.names import EditMode
from regrow.requests.edit import USUAL_GUIDANCE, Edit

DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(Edit)}


def edit_settings() -> tuple[dict[str, Any], list[Any], list[Any]]:
    """The components, by the names of `Edit`'s fields, and what is for pictures alone and for sounds alone."""
    settings: dict[str, Any] = {
        "model": ModelField(model_names(), value=DEFAULTS["model"], label=text("model")),
        "method": gr.Dropdown(list(names()), value=DEFAULTS["method"], label=text("method")),
        "steps": gr.Slider(0, 200, 0, step=1, label=text("edit_steps"), elem_id="edit-steps"),
        "guidance": gr.Slider(0, 15, USUAL_GUIDANCE, step=0.1, label=text("guidance")),
        "guidance_share": gr.Slider(0, 1, DEFAULTS["guidance_share"], step=0.05, label=text("guidance_share")),
        "prompt_expansion": gr.Radio(
            options(_names(Switch)),
            value=DEFAULTS["prompt_expansion"],
            label=text("prompt_expansion"),
            elem_id="prompt-expansion",
        ),
        "invert_guidance": gr.Slider(0, 15, DEFAULTS["invert_guidance"], step=0.1, label=text("invert_guidance")),
        "negative": gr.Textbox(label=text("negative_edit")),
    }
    with gr.Column(visible=False) as score:
        settings["notes"] = gr.Radio(
            options(["keep", "free"]), value=DEFAULTS["notes"], label=text("notes"), elem_id="notes"
        )
    settings |= {
        "attention": gr.Dropdown(
            options(["none", *_names(SharingName)]), value=DEFAULTS["attention"], label=text("attention")
        ),
        "attention_share": gr.Slider(0, 1, DEFAULTS["attention_share"], step=0.05, label=text("attention_share")),
        "emphasis": gr.Textbox(label=text("emphasis"), placeholder="hat=2 snow=0.5"),
        "seed": gr.Number(DRAWN, label=text("seed"), precision=0, elem_id="edit-seed"),
        "eta": gr.Slider(0, 1, DEFAULTS["eta"], step=0.05, label=text("eta")),
        "spacing": gr.Dropdown(options(_names(Spacing)), value=DEFAULTS["spacing"], label=text("spacing")),
        "label": gr.Dropdown(options(_names(LabelConvention)), value=DEFAULTS["label"], label=text("label_level")),
        "tolerance": gr.Number(DEFAULTS["tolerance"], label=text("tolerance")),
        "frame": gr.Dropdown(options(_names(EditMode)), value=DEFAULTS["frame"], label=text("frame")),
        "tiles": gr.Checkbox(DEFAULTS["tiles"], label=text("tiles")),
    }
    return settings, [settings["frame"], settings["tiles"]], [score]


def _names(kind: Any) -> list[str]:
    """The names of a Literal, those of Literals within it too."""
    found: list[str] = []
    for one in get_args(kind):
        found += [one] if isinstance(one, str) else _names(one)
    return found
