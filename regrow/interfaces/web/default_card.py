"""What is said of a model that brings no card, as every one that was trained here."""

from typing import Any

import gradio as gr

from regrow.hub import model_card, publish
from regrow.interfaces.models_verbs import size_text
from regrow.interfaces.web.medium import medium_of
from regrow.interfaces.web.shared import plain
from regrow.interfaces.web.texts import said
from regrow.models.open import Listed


def without_card(listed: Listed, request: gr.Request | None) -> str:
    """What is known of such a model, and what to do with it next, as Markdown in the language of a request."""
    makes = said(f"makes_{medium_of(listed.name)}", request)
    sentences = [said("card_is", request, makes=makes, size=size_text(publish.size_on_disk(listed.folder)))]
    try:
        training = model_card.read_training(listed.folder)
        sentences.append(_trained(training, request))
        licence = training.get("license")
    except (ValueError, TypeError, AttributeError, KeyError):  # whoever made the model wrote it
        licence = None
        sentences.append(said("card_unknown", request))
    heading = f"### {plain(listed.name)}"
    next_ = [said("card_next", request), *([] if licence else [said("card_licence", request, folder=listed.folder)])]
    return "\n\n".join([heading, plain("".join(sentences)), plain("".join(next_))])


def _trained(training: dict[str, Any], request: gr.Request | None) -> str:
    """On what it was trained, from which model on, in how many steps and how long.

    Raises:
        KeyError, TypeError, AttributeError: it is not what `regrow train` writes.
    """
    stages = training["stages"].values()
    steps, seconds = (sum(stage[what] or 0 for stage in stages) for what in ("steps", "seconds"))
    base = training.get("base_model")
    began = said("card_from", request, base=base) if base else said("card_new", request)
    given = {"data": training["data"], "began": began, "steps": steps, "minutes": f"{seconds / 60:.1f}"}
    return said("card_trained", request, **given)
