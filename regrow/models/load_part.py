"""One part of a checkpoint folder: its config, its weight files, and the module they make.

diffusers and transformers fill a weight that is missing with random numbers and a warning; here it is an error.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from diffusers.utils import logging as diffusers_logging
from safetensors import SafetensorError, safe_open
from transformers.utils import logging as transformers_logging

from regrow.models.errors import ModelError
from regrow.models.folder import check_fetched, ip_adapter_in, mend, plain_json, reason
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
        folder: of this part.
        weights: its files.
        dtype: of the module.
        may_lack: its own weights that are None where the files do not hold them.
        changes: values of the config that stand above those in the file.

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
                # transformers' own error leaves out which weight it is; diffusers' does not
                ignore_mismatched_sizes=kind.__module__.startswith("transformers"),
                **(changes or {}),
            )
    except Exception as error:  # both libraries raise whatever the config's values break
        raise ModelError(
            f"{weights.files[0]} and {config} make no model ({reason(error)}): {mend(config)}, both files."
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
    except OSError as error:  # another process took it away since the folder was opened
        raise ModelError(f"{path} cannot be read ({reason(error)}): {mend(path)}.") from error
    except SafetensorError as error:
        raise ModelError(f"{path} is damaged or was cut short ({reason(error)}): {mend(path)}.") from error


def _check_fit(report: dict[str, Any], weights: Path, config: Path) -> None:
    for key, said in (
        ("mismatched_keys", "has another shape for"),
        ("missing_keys", "lacks"),
        ("unexpected_keys", "holds what the config has no place for:"),
    ):
        names = sorted(entry if isinstance(entry, str) else entry[0] for entry in report[key])
        if any(".to_k_ip." in name or name.startswith("encoder_hid_proj.") for name in names):
            raise ModelError(ip_adapter_in(weights))
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            raise ModelError(
                f"{weights} does not fit {config}: it {said} {names[0]}{more}; the two are not of the same model."
            )


@contextmanager
def quiet() -> Iterator[None]:
    """Keep progress bars and load reports of both libraries off the terminal: errors come as exceptions."""
    libraries = (diffusers_logging, transformers_logging)
    before = [(library.get_verbosity(), library.is_progress_bar_enabled()) for library in libraries]
    for library in libraries:
        library.set_verbosity(library.CRITICAL)
        library.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            # of torch, about how diffusers builds its wave codecs: nothing that a user could change
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
        ModelError: its files make none, or one that has no room for words.
    """
    try:
        with quiet(), plain_json(folder) as readable:
            made = kind.from_pretrained(str(readable), local_files_only=True)
    except Exception as error:  # transformers raises whatever the files' contents break
        raise ModelError(f"{folder} makes no tokenizer ({reason(error)}): {mend(folder)}.") from error
    if type(most := made.model_max_length) not in (int, float) or not most > 2:  # a mark at each end, and words
        raise ModelError(f"model_max_length in {folder / 'tokenizer_config.json'} must be above 2; got {most!r}.")
    return made


def channels_last(module: torch.nn.Module) -> None:
    """Put kernels in the layout that convolutions are fastest in; the numbers stay."""
    for parameter in module.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
