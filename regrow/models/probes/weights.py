"""Files of probes: small networks that read something off what a model makes or sees."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from regrow.media.files import readable, write_whole
from regrow.models.errors import ModelError
from regrow.models.folder import reason

Network = TypeVar("Network", bound=nn.Module)


def read_probe(
    path: Path, kind: str, network_for: Callable[[dict[str, Any]], Network], advice: str
) -> tuple[Network, dict[str, Any]]:
    """Read a probe's weights and facts, for inference only.

    Args:
        path: the file.
        kind: what the file must be, which is also the name that its facts are kept under.
        network_for: makes the network that these facts describe.
        advice: what to do about a damaged file.

    Returns:
        The network, and the facts: how it was trained and how often it is right.

    Raises:
        MediaError: there is no such file, or it cannot be read.
        ModelError: it is no probe of this kind.
    """
    readable(path)
    try:
        with safe_open(path, "pt") as file:
            facts = json.loads((file.metadata() or {})[kind])
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118  # no mapping
        network = network_for(facts)
        network.load_state_dict(tensors)
    except ModelError:
        raise
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError, AttributeError) as problem:
        raise ModelError(f"{path} is no {kind} that fits here ({reason(problem)}): {advice}.") from problem
    network.eval().requires_grad_(False)
    return network, facts


def write_probe(path: Path, kind: str, network: nn.Module, facts: Mapping[str, Any]) -> None:
    """Write a probe in half precision; arguments as of `read_probe`.

    Raises:
        MediaError: the file could not be written.
    """
    tensors = {name: tensor.half().contiguous() for name, tensor in network.state_dict().items()}
    write_whole(path, save(tensors, {kind: json.dumps(facts)}))
