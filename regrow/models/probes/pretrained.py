"""Open transformers networks for metrics, from a folder or the Hugging Face cache, without downloading."""

from pathlib import Path
from typing import Any

import torch
from huggingface_hub import try_to_load_from_cache

from regrow.messages.message import say
from regrow.models.errors import ModelError
from regrow.models.folder import reason
from regrow.models.load_part import quiet


def open_pretrained(
    kind: Any, where: str, usual: str, device: str | torch.device, allow_pickle: bool, **settings: Any
) -> Any:
    """Open a network in float32, for inference only.

    Args:
        kind: its class.
        where: its folder, or its id on the hub if it is in the cache of `hf download`.
        usual: id of the checkpoint that messages recommend.
        device: where it computes.
        allow_pickle: also read weights that are no safetensors.
        settings: further arguments of `from_pretrained`.

    Raises:
        ModelError: it is missing, cannot be opened, or its files lack weights.
    """
    if not Path(where).is_dir() and not is_cached(where):
        raise ModelError(say("probe_nowhere", where=where, usual=usual))
    try:
        with quiet():
            network, report = kind.from_pretrained(
                where, local_files_only=True, output_loading_info=True, dtype=torch.float32,
                use_safetensors=None if allow_pickle else True, **settings,
            )  # fmt: skip
    except (OSError, ValueError, KeyError, RuntimeError, ImportError, TypeError) as problem:
        pickles = "" if allow_pickle else say("in_safetensors")
        raise ModelError(
            say("probe_unusable", where=where, kind=kind.__name__, reason=reason(problem), usual=usual, pickles=pickles)
        ) from problem
    # transformers fills missing weights with random numbers, which would make metrics meaningless
    if lacking := sorted(report["missing_keys"]):
        raise ModelError(say("probe_incomplete", where=where, kind=kind.__name__, lacking=lacking[0], usual=usual))
    return network.eval().requires_grad_(False).to(device)


def is_cached(name: str) -> bool:
    """Return whether the config of a hub checkpoint is in this machine's cache."""
    try:
        return isinstance(try_to_load_from_cache(name, "config.json"), str)
    except ValueError:  # not a valid id
        return False
