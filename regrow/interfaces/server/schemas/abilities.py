"""The abilities of a model, by which the page decides which settings to show."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from regrow.models.model import Model


def abilities_of(model: "Model") -> dict[str, bool]:
    """Return the abilities of a checkpoint, without opening its parts.

    `takes_words` (prompts), `describes` (says what a file shows), `has_path` (a deterministic path, for inversion),
    `is_guided`, `shares_attention`, `takes_tiles`, `edits_by_instruction`, `only_by_instruction`, `inpaints`,
    `finds_words` (makes a mask from words), `extends`, `takes_melody`, `takes_notes` (keeps the notes of a sound),
    `takes_reference_sound`, `sings`, `sings_notes`, `sings_styles`.
    """
    from regrow.editing.melody import can_listen
    from regrow.models.model import Model
    from regrow.models.probes.attributes import DESCRIBER

    kind, sounds = type(model), model.waves is not None
    return {
        "takes_words": model.takes_words,
        "describes": (model.folder / DESCRIBER).is_file(),
        "has_path": model.deterministic_path,
        "is_guided": model.own.is_guided,
        "shares_attention": model.shares_attention,
        "takes_tiles": model.takes_tiles and not sounds,
        "edits_by_instruction": model.edits_by_instruction,
        "only_by_instruction": model.only_by_instruction,
        "inpaints": model.inpaints,
        "finds_words": model.takes_words and not model.only_by_instruction and not sounds,
        "extends": sounds,
        "takes_melody": model.piano_roll is not None or kind.covering is not Model.covering,
        "takes_notes": can_listen(model),
        "takes_reference_sound": kind.sounding_like is not Model.sounding_like,
        "sings": model.sings,
        "sings_notes": model.reads_scores,
        "sings_styles": model.sings and not model.reads_scores,
    }
