"""Open models for jobs."""

from typing import TYPE_CHECKING

from regrow.media.files import MediaError
from regrow.messages.message import say

if TYPE_CHECKING:
    from regrow.models.model import Model


class OpenModel:
    """Opens models by name; only the last one stays open, as two large models may not fit into memory.

    Args:
        device: torch's name of the device for models.
    """

    def __init__(self, device: str = "cpu") -> None:
        self._device = device
        self._open: tuple[str, Model] | None = None

    def __call__(self, name: str) -> "Model":
        """Return the model of this name.

        Raises:
            MediaError: it is not in the list of models.
            ValueError: it cannot be opened.
        """
        from regrow.models.engines.choose import with_engine
        from regrow.models.open import open_model

        if self._open is None or self._open[0] != name:
            self._open = None
            self._open = (name, with_engine(open_model(known_model(name), device=self._device), "auto"))
        return self._open[1]


def known_model(name: str) -> str:
    """Return the name of a model, if it is in the list: a name could also be a path or a download.

    Raises:
        MediaError: it is not in the list.
    """
    from regrow.models.open import list_models
    from regrow.models.registry import split_name

    names = [listed.name for listed in list_models()]
    if split_name(name)[1] not in names:
        raise MediaError(say("model_not_listed", name=name, names=", ".join(names)))
    return name
