"""Which model sings: the one that is named, or one that is here."""

from regrow.hub.known import known_checkpoints
from regrow.models.errors import ModelError
from regrow.models.open import list_models
from regrow.models.registry import family_named


def singer(name: str) -> str:
    """Return the model that a song is asked of.

    Args:
        name: as it was given; empty takes the first model here that sings.

    Raises:
        ModelError: none is given and none is here; it says which to get, its size and its licence.
    """
    if name:
        return name
    for listed in list_models():
        if listed.family and family_named(listed.family).kind.sings:
            return listed.name
    table = [row for row in known_checkpoints() if row.sings]
    each = "; ".join(f"{row.name} ({_billions(row.parameters)}, {row.licence_text})" for row in table)
    raise ModelError(
        f"No model that sings is on this machine. These do: {each}. What one takes, and the command that gets it: "
        f"regrow models fit {table[0].name}."
    )


def _billions(parameters: int | None) -> str:
    return "of unknown size" if parameters is None else f"{parameters / 1e9:.1f} billion weights"
