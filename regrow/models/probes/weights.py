"""Read and write the files of probes: small networks that read attributes or notes."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from safetensors import safe_open
from safetensors.torch import save
from torch import nn

from regrow.media.files import readable, write_whole
from regrow.messages.message import say
from regrow.models.errors import ModelError
from regrow.models.folder import reason
from regrow.models.memory.one_at_a_time import MAKING

Network = TypeVar("Network", bound=nn.Module)


def read_probe(
    path: Path, kind: str, network_for: Callable[[dict[str, Any]], Network], advice: str
) -> tuple[Network, dict[str, Any]]:
    """Read a probe's weights and facts, for inference only.

    Args:
        path: the file.
        kind: the kind of probe, which is also the key of the facts in the file's metadata.
        network_for: builds the network from the facts.
        advice: what to do about a damaged file.

    Returns:
        The network, and the facts: how it was trained, and its accuracy.

    Raises:
        MediaError: there is no such file, or it cannot be read.
        ModelError: it is not a probe of this kind.
    """
    readable(path)
    try:
        with safe_open(path, "pt") as file:
            facts = json.loads((file.metadata() or {})[kind])
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118  # no mapping
        with MAKING:  # a server reads probes while another thread opens a model
            network = network_for(facts)
            network.load_state_dict(tensors)
    except ModelError:
        raise
    except Exception as problem:  # malformed facts or tensors raise many exception types
        raise ModelError(
            say("probe_does_not_fit", path=path, kind=kind, reason=reason(problem), advice=advice)
        ) from problem
    network.eval().requires_grad_(False)
    return network, facts


def write_probe(path: Path, kind: str, network: nn.Module, facts: Mapping[str, Any]) -> None:
    """Write a probe in half precision; arguments as for `read_probe`.

    Raises:
        MediaError: the file could not be written.
    """
    tensors = {name: tensor.half().contiguous() for name, tensor in network.state_dict().items()}
    write_whole(path, save(tensors, {kind: json.dumps(facts)}))
