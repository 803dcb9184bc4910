"""Condition a model on the notes of a sound, so that it plays them under the prompt."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from regrow.media.audio.piano_roll import Sounding, piano_roll
from regrow.messages.message import say
from regrow.models.codecs.mel import settings_of
from regrow.models.model import Model
from regrow.models.probes.transcriber import FILE, read_transcriber
from regrow.requests.edit import Edit


def can_listen(model: Model) -> bool:
    """Return whether a model takes note conditioning, and its transcriber is there."""
    return model.piano_roll is not None and (model.folder / FILE).is_file()


def as_requested(
    request: Edit, model: Model, content: Float[Tensor, " channels *places"]
) -> tuple[Model, tuple[Sounding, ...] | None]:
    """Return the model as an edit uses it, and the notes that it keeps; None for a model without note conditioning."""
    if model.piano_roll is None:
        return model, None
    return condition_on_sound(model, content) if request.notes == "keep" and can_listen(model) else (model, ())


def condition_on_sound(model: Model, mel: Float[Tensor, "1 bands frames"]) -> tuple[Model, tuple[Sounding, ...]]:
    """Return the model conditioned on the notes of a mel, and the notes.

    Args:
        model: that takes note conditioning.
        mel: of whole latents.

    Raises:
        ModelError: nothing can read notes off a sound for it.
        ValueError: it takes no note conditioning.
    """
    if model.piano_roll is None:
        raise ValueError(say("notes_cannot_be_given", name=model.name))
    notes = read_transcriber(model.folder, settings_of(model), model.piano_roll).notes(mel)
    return condition_on_notes(model, notes, mel.shape[-1] // model.factor), notes


def condition_on_notes(model: Model, notes: Sequence[Sounding], cells: int) -> Model:
    """Return the model conditioned on notes, for so many latent cells.

    Raises:
        ValueError: it takes no note conditioning.
    """
    if model.piano_roll is None:
        raise ValueError(say("notes_cannot_be_given", name=model.name))
    return model.condition_on_notes(piano_roll(notes, cells, model.factor, model.piano_roll, settings_of(model))[None])
