"""Parts that were saved quantised: diffusers and transformers open them if the quantising library is installed."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from regrow.messages.message import say
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
"""Python module that reads each kind."""
PACKAGES = {"quanto": "optimum-quanto", "awq": "autoawq", "modelopt": "nvidia-modelopt"}
"""Packages of these modules, if they have other names."""


def is_quantised(module: Any) -> bool:
    """Return whether a torch module has quantised weights, by their class."""
    from torch.nn import Parameter

    return any(type(parameter) is not Parameter for parameter in module.parameters())


def check_quantised(config: Mapping[str, Any], where: Path) -> None:
    """Check that the library that quantised a part's weights is installed.

    Args:
        config: the part's config.
        where: the config's file.

    Raises:
        ModelError: it is not; the message names the library and what to do.
    """
    if not isinstance(settings := config.get("quantization_config"), Mapping):
        return
    kind = str(settings.get("quant_method") or ("bitsandbytes" if "load_in_4bit" in settings else "unknown"))
    bits = " in 4 bits" if settings.get("load_in_4bit") else " in 8 bits" if settings.get("load_in_8bit") else ""
    module = LIBRARIES.get(kind)
    if module is None:
        raise ModelError(say("quantisation_unknown", where=where, kind=kind))
    if not find_spec(module):
        raise ModelError(say("quantiser_missing", where=where, kind=kind, bits=bits, packages=PACKAGES.get(kind, kind)))
