"""Parts that were saved quantised: diffusers and transformers open them where the library that did it is installed."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from regrow.models.errors import ModelError

LIBRARIES = {
    "bitsandbytes": "bitsandbytes",
    "torchao": "torchao",
    "gguf": "gguf",
    "quanto": "optimum",
    "awq": "awq",
    "gptq": "gptqmodel",
    "modelopt": "modelopt",
}
"""Modules that read each kind."""
PACKAGES = {"quanto": "optimum-quanto", "awq": "autoawq", "modelopt": "nvidia-modelopt"}
"""Packages that hold them, where these have other names."""


def is_quantised(module: Any) -> bool:
    """Return whether weights of a torch module are of a class of a library that keeps them smaller."""
    from torch.nn import Parameter

    return any(type(parameter) is not Parameter for parameter in module.parameters())


def check_quantised(config: Mapping[str, Any], where: Path) -> None:
    """Refuse a part whose weights were quantised by a library that is not installed.

    Args:
        config: of the part.
        where: it was read from.

    Raises:
        ModelError: naming the library and what to do.
    """
    if not isinstance(settings := config.get("quantization_config"), Mapping):
        return
    kind = str(settings.get("quant_method") or ("bitsandbytes" if "load_in_4bit" in settings else "unknown"))
    bits = " in 4 bits" if settings.get("load_in_4bit") else " in 8 bits" if settings.get("load_in_8bit") else ""
    module = LIBRARIES.get(kind)
    if module is None:
        raise ModelError(
            f"{where} says that its weights are quantised by {kind}, which regrow does not know: take the checkpoint "
            "that they were made from."
        )
    if not find_spec(module):
        raise ModelError(
            f"{where} says that its weights are quantised by {kind}{bits}, which is not installed here: pip install "
            f"{PACKAGES.get(kind, kind)}, or take the checkpoint that they were made from."
        )
