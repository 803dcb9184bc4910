"""Opening networks of transformers that measure: from a folder or the Hugging Face cache, never from the network."""

from pathlib import Path
from typing import Any

import torch
from huggingface_hub import try_to_load_from_cache

from regrow.models.errors import ModelError
from regrow.models.folder import reason
from regrow.models.load_part import quiet


def open_pretrained(
    kind: Any, where: str, usual: str, device: str | torch.device, allow_pickle: bool, **settings: Any
) -> Any:
    """Open a network in float32, for inference only.

    Args:
        kind: its class.
        where: its folder, or its id on the hub, if it lies in the cache of `hf download`.
        usual: id of the checkpoint that is named in sentences.
        device: where it computes.
        allow_pickle: also read weights that are no safetensors.
        settings: more that `from_pretrained` takes.

    Raises:
        ModelError: it is not there, cannot be opened, or its files lack weights.
    """
    if not Path(where).is_dir() and not is_cached(where):
        raise ModelError(
            f"{where} is neither a folder nor in the Hugging Face cache: run `hf download {usual}`, or name the folder "
            "of a copy."
        )
    try:
        with quiet():
            network, report = kind.from_pretrained(
                where, local_files_only=True, output_loading_info=True, dtype=torch.float32,
                use_safetensors=None if allow_pickle else True, **settings,
            )  # fmt: skip
    except (OSError, ValueError, KeyError, RuntimeError, ImportError, TypeError) as problem:
        pickles = "" if allow_pickle else ", in safetensors (--allow-pickle also reads .bin files)"
        raise ModelError(
            f"{where} cannot be opened as a {kind.__name__} of transformers ({reason(problem)}): name a copy of "
            f"{usual}{pickles}."
        ) from problem
    # transformers fills what is missing with random numbers, which would measure nothing
    if lacking := sorted(report["missing_keys"]):
        raise ModelError(f"{where} is no whole {kind.__name__}: it lacks {lacking[0]}; name a copy of {usual}.")
    return network.eval().requires_grad_(False).to(device)


def is_cached(name: str) -> bool:
    """Return whether the config of a checkpoint of the hub lies in the cache of this machine."""
    try:
        return isinstance(try_to_load_from_cache(name, "config.json"), str)
    except ValueError:  # no id at all
        return False
