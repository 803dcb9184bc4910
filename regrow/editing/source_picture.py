"""Models that take a picture as an input: which method edits with them, and which picture they get."""

from dataclasses import replace
from typing import TypeVar

from jaxtyping import Float
from torch import Tensor

from regrow.core.methods.registry import method
from regrow.media.frame import Region
from regrow.messages.message import say
from regrow.models.model import Model
from regrow.requests.edit import USUAL_GUIDANCE, Edit

AnyModel = TypeVar("AnyModel", bound=Model)

ABILITIES = {"edits_by_instruction": say("to_edit_by_instruction"), "inpaints": say("to_fill_masks")}
"""Of models that methods need, by their names in `Model`, as a sentence says them."""
INVERTED = say("path_with_source_or_strength")
"""What is said of the other way to edit with a model that knows both."""


def with_needed_method(request: Edit, model: Model) -> tuple[Edit, tuple[str, ...]]:
    """Return a request by the method that a model was trained for, where it is open, and sentences that say so.

    Its guidance is a number then: by a method that needs an ability of the model the model's own, where none is given.
    Such a method walks the whole way from pure noise, and instructions are taken as they are typed.

    Raises:
        ValueError: the model cannot edit by this method, or a setting does not fit it.
    """
    chosen, notes = method(request.method), ()
    for ability, other in chosen.gives_way.items():
        if getattr(model, ability) and (model.only_by_instruction or _leaves_method_open(request, ability)):
            request, chosen = replace(request, method=other), method(other)
            beside = INVERTED if model.edits_by_instruction and not model.only_by_instruction else ""
            notes = (
                say(
                    "edited_by_other_method", name=model.name, abilities=ABILITIES[ability], other=other, beside=beside
                ),
            )
            break
    if chosen.needs and not getattr(model, chosen.needs):
        raise ValueError(say("not_trained_to", name=model.name, abilities=ABILITIES[chosen.needs], method=chosen.name))
    if model.only_by_instruction and not chosen.needs:
        raise ValueError(say("edits_by_instruction_only", name=model.name, method=chosen.name))
    own, guidance = model.own, request.guidance
    if request.image_guidance is not None and own.image_guidance is None:
        raise ValueError(say("no_image_guidance", name=model.name))
    if not chosen.needs:
        # of those that were distilled to do without, and may do with
        usual = 1.0 if own.guidance == 1 and own.is_guided and model.takes_words else USUAL_GUIDANCE
        return replace(request, guidance=usual if guidance is None else guidance), notes
    if request.strength not in (None, 1) or request.start_step:
        raise ValueError(say("method_has_no_strength", method=chosen.name, no_path=chosen.no_path))
    guidance = own.guidance if guidance is None else guidance
    request = replace(request, strength=1.0, start_step=None, guidance=guidance)
    if not model.edits_by_instruction:
        return request, notes
    if request.source:
        notes += (say("source_left_aside", name=model.name),)
    of_picture = own.image_guidance if request.image_guidance is None else request.image_guidance
    return replace(request, source="", prompt_expansion="off", image_guidance=of_picture), notes


def _leaves_method_open(request: Edit, ability: str) -> bool:
    """Whether there is what a model's ability is for, and nothing that only a method with a path has.

    It fills in regions. Instructions stand alone: who describes the picture as it is, describes the result, too; and
    who says how far it is rewound has it inverted.
    """
    masked = request.mask is not None or request.region is not None
    alone = not request.source and all(target.strip() for target in request.target) and not request.tiles
    is_for_it = {
        "edits_by_instruction": alone and request.strength is None and request.start_step is None,
        "inpaints": masked and request.strength in (None, 1) and not request.start_step,
    }
    plain = request.trajectory is None and request.attention == "none" and request.invert_guidance == 1
    return is_for_it[ability] and plain


def shown_source(
    request: Edit, model: AnyModel, frame: Float[Tensor, "1 channels *places"], latents: Float[Tensor, "1 c *cells"]
) -> AnyModel:
    """Return the model with the source picture as its input; the model itself for other methods.

    This comes before prompts are encoded, as some models encode them together with the picture.

    Args:
        request: of the edit, with the method that it is made by.
        model: the checkpoint.
        frame: the file in the model's frame.
        latents: of it.
    """
    if model.edits_by_instruction and method(request.method).needs:
        return model.with_source(frame, latents, request.image_guidance)
    return model


def shown_known(
    request: Edit,
    model: AnyModel,
    frame: Float[Tensor, "1 channels *places"],
    latents: Float[Tensor, "1 c *cells"],
    region: Region | None,
) -> AnyModel:
    """Return an inpainting model with what stays as its input; any other model itself.

    An inverted path was made without a look at what stays, so the way back along it is without one, too: an inpainting
    network sees a mask of ones both ways.

    Args:
        request: of the edit.
        model: the checkpoint.
        frame: the file in the model's frame.
        latents: of it.
        region: where it may change; None everywhere.
    """
    if region is None or method(request.method).path:
        return model
    return model.with_known(frame, latents, region)
