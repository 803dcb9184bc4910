"""regrow: rewind a picture or a sound to noise along a diffusion model's own path, and let it grow back.

    import regrow

    edited = regrow.edit("cat.png", "an orange puppy on a beach", source="an orange cat on a beach")
    edited.save("puppy.png")

Names are loaded when they are first used: importing regrow costs nothing.
"""

__version__ = "1.0.0"

TYPE_CHECKING = False  # typing's own takes longer to import than all of this
if TYPE_CHECKING:
    from regrow.api import edit, extend, generate, interpolate, replay
    from regrow.editing.result import Result
    from regrow.models.model import Model
    from regrow.models.open import list_models, open_model
    from regrow.requests.edit import Edit
    from regrow.requests.extend import Extend
    from regrow.requests.generate import Generate
    from regrow.requests.interpolate import Interpolate
    from regrow.requests.invert import Invert
    from regrow.requests.train import Train

__all__ = [
    "Edit",
    "Extend",
    "Generate",
    "Interpolate",
    "Invert",
    "Model",
    "Result",
    "Train",
    "edit",
    "extend",
    "generate",
    "interpolate",
    "list_models",
    "open_model",
    "replay",
]
_HOMES = {
    **dict.fromkeys(("edit", "extend", "generate", "interpolate", "replay"), "regrow.api"),
    **dict.fromkeys(("list_models", "open_model"), "regrow.models.open"),
    "Edit": "regrow.requests.edit",
    "Extend": "regrow.requests.extend",
    "Generate": "regrow.requests.generate",
    "Interpolate": "regrow.requests.interpolate",
    "Invert": "regrow.requests.invert",
    "Model": "regrow.models.model",
    "Result": "regrow.editing.result",
    "Train": "regrow.requests.train",
}


def __getattr__(name: str):  # the imports above say of which type
    if name not in _HOMES:
        raise AttributeError(f"regrow has no {name!r}; its public names are {', '.join(__all__)}.")
    return getattr(__import__(_HOMES[name], fromlist=[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
