"""Load one part of a checkpoint folder: a module from its config and weight files.

diffusers and transformers fill a weight that is missing with random numbers and a warning; here it is an error.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import inf
from pathlib import Path
from typing import Any

import torch
from diffusers.utils import logging as diffusers_logging
from safetensors import SafetensorError, safe_open
from transformers.utils import logging as transformers_logging

from regrow.messages.message import say
from regrow.models.errors import ModelError
from regrow.models.folder import check_fetched, ip_adapter_in, mend, plain_json, reason
from regrow.models.memory.one_at_a_time import MAKING
from regrow.models.parts import Weights


def load_part(
    kind: Any,
    folder: Path,
    weights: Weights,
    dtype: torch.dtype,
    may_lack: Sequence[str] = (),
    changes: Mapping[str, Any] | None = None,
) -> Any:
    """Build a module of class `kind` from a folder with `config.json` and weights.

    Args:
        kind: a model class of diffusers or transformers.
        folder: the part's folder.
        weights: its weight files.
        dtype: dtype of the modules.
        may_lack: names of weights that may be missing; they are then None.
        changes: values that override those of the config file.

    Raises:
        ModelError: a file is missing or damaged, or the weights do not fit the config exactly.
    """
    config = folder / "config.json"
    for path in weights.files:
        check_fetched(path)
        if path.suffix == ".safetensors":
            _check_whole(path)
    names = {weights.files[0].name: weights.index} if weights.index else {}
    try:
        with quiet(), plain_json(folder, names) as readable:
            module, report = kind.from_pretrained(
                str(readable),
                output_loading_info=True,
                local_files_only=True,
                variant=weights.variant,
                use_safetensors=weights.safe,
                dtype=dtype,
                # transformers' own error does not name the weight; diffusers' does
                ignore_mismatched_sizes=kind.__module__.startswith("transformers"),
                **(changes or {}),
            )
    except Exception as error:  # bad config values raise many exception types in both libraries
        raise ModelError(
            say("files_make_no_model", weights=weights.files[0], config=config, reason=reason(error), mend=mend(config))
        ) from error
    lacking = [name for name in may_lack if name in report["missing_keys"]]
    for name in lacking:
        setattr(module, name, None)
    _check_fit(report | {"missing_keys": set(report["missing_keys"]) - {*lacking}}, weights.files[0], config)
    return module


def _check_whole(path: Path) -> None:
    try:
        with safe_open(path, "pt"):
            pass
    except OSError as error:  # another process has removed it since the folder was opened
        raise ModelError(say("weights_unreadable", path=path, reason=reason(error), mend=mend(path))) from error
    except SafetensorError as error:
        raise ModelError(say("weights_damaged", path=path, reason=reason(error), mend=mend(path))) from error


def _check_fit(report: dict[str, Any], weights: Path, config: Path) -> None:
    for key, said in (
        ("mismatched_keys", say("shape_differs")),
        ("missing_keys", "lacks"),
        ("unexpected_keys", say("config_has_no_place")),
    ):
        names = sorted(entry if isinstance(entry, str) else entry[0] for entry in report[key])
        if any(".to_k_ip." in name or name.startswith("encoder_hid_proj.") for name in names):
            raise ModelError(ip_adapter_in(weights))
        if names:
            more = say("and_more", count=len(names) - 1) if len(names) > 1 else ""
            raise ModelError(
                say("weights_do_not_fit", weights=weights, config=config, how=said, names=names[0], more=more)
            )


@contextmanager
def quiet() -> Iterator[None]:
    """Hide progress bars and load reports of both libraries; errors are still raised.

    Only one thread at a time can be inside (`one_at_a_time`).
    """
    with MAKING:
        yield from _quiet()


def _quiet() -> Iterator[None]:
    libraries = (diffusers_logging, transformers_logging)
    before = [(library.get_verbosity(), library.is_progress_bar_enabled()) for library in libraries]
    for library in libraries:
        library.set_verbosity(library.CRITICAL)
        library.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            # torch warns of how diffusers builds its wave codecs, which users cannot change
            warnings.filterwarnings("ignore", "`torch.nn.utils.weight_norm` is deprecated", FutureWarning)
            yield
    finally:
        for library, (verbosity, bars) in zip(libraries, before, strict=True):
            library.set_verbosity(verbosity)
            if bars:
                library.enable_progress_bar()


def load_tokenizer(kind: Any, folder: Path) -> Any:
    """Build a tokenizer of transformers from a folder.

    Raises:
        ModelError: its files make no tokenizer, or its `model_max_length` is too small.
    """
    try:
        with quiet(), plain_json(folder) as readable:
            made = kind.from_pretrained(str(readable), local_files_only=True)
    except Exception as error:  # bad files raise many exception types in transformers
        raise ModelError(say("tokenizer_not_made", folder=folder, reason=reason(error), mend=mend(folder))) from error
    most = made.model_max_length
    if type(most) not in (int, float) or not 2 < most < inf:  # start, end and at least one token
        raise ModelError(say("model_max_length_wrong", folder=folder / "tokenizer_config.json", given=most))
    made.model_max_length = int(most)
    return made


def channels_last(module: torch.nn.Module) -> None:
    """Put kernels into the memory layout in which convolutions are fastest; values stay the same."""
    for parameter in module.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
