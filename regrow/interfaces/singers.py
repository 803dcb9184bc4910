"""Choose the model that sings: the given one, or one on this machine."""

from regrow.hub.known import known_checkpoints
from regrow.messages.message import say
from regrow.models.errors import ModelError
from regrow.models.open import EMBEDDED, list_models
from regrow.models.registry import family_named


def named_singer(name: str, notes: bool = False, style: bool = False) -> str:
    """Return the name of the model for a song.

    Args:
        name: as given by the user; empty chooses a model on this machine.
        notes: whether it must sing given notes.
        style: whether it must follow a style prompt, as large models do.

    Raises:
        ModelError: none is given and none is on this machine; the sentence lists models with size and licence.
    """
    if name:
        return name
    able = [listed for listed in list_models() if listed.family and _can(listed.family, notes, style)]
    if able:
        return min(able, key=lambda listed: listed.folder.parent != EMBEDDED).name
    table = [row for row in known_checkpoints() if row.sings]
    each = "; ".join(f"{row.name} ({_billions(row.parameters)}, {row.licence_text})" for row in table)
    raise ModelError(say("no_singer_of_style", singers=each, name=table[0].name))


def _can(family: str, notes: bool, style: bool) -> bool:
    kind = family_named(family).kind
    return kind.sings and not (style if kind.reads_scores else notes)


def _billions(parameters: int | None) -> str:
    return "of unknown size" if parameters is None else f"{parameters / 1e9:.1f} billion weights"
