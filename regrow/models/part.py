"""One part of a checkpoint folder: its config, its weight files, and the module they make.

diffusers and transformers fill a weight that is missing with random numbers and a warning; here it is an error.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers.utils import logging as diffusers_logging
from safetensors import SafetensorError, safe_open
from transformers.utils import logging as transformers_logging

from regrow.models.folder import read_json, reason
from regrow.models.model import ModelError

PICKLES = {".bin", ".ckpt", ".pt", ".pth"}


@dataclass(frozen=True)
class Weights:
    """The weight files of a part, and how `from_pretrained` is told of them."""

    files: tuple[Path, ...]
    variant: str | None
    safe: bool


def find_weights(folder: Path, stem: str, pickle_stem: str, allow_pickle: bool) -> Weights:
    """Whole safetensors before sharded before a variant (`stem.fp16.safetensors`) before pickles.

    Raises:
        ModelError: no weight file, a missing shard, or only pickles and these not allowed.
    """
    whole, index = folder / f"{stem}.safetensors", folder / f"{stem}.safetensors.index.json"
    if whole.is_file():
        return Weights((whole,), None, True)
    if index.is_file():
        names = read_json(index).get("weight_map")
        if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
            raise ModelError(f"{index} names no weight files; copy or download it again.")
        shards = sorted({folder / name for name in names.values()})
        for shard in shards:
            if not shard.is_file():
                raise ModelError(f"{shard} is missing, one of the {len(shards)} weight files that {index} names.")
        return Weights((index, *shards), None, True)
    for path in sorted(folder.glob(f"{stem}.*.safetensors")):
        if match := re.fullmatch(rf"{re.escape(stem)}\.(\w+)\.safetensors", path.name):
            return Weights((path,), match[1], True)
    pickle = folder / f"{pickle_stem}.bin"
    if allow_pickle and pickle.is_file():
        return Weights((pickle,), None, False)
    found = sorted(path.name for path in folder.glob("*") if path.suffix in PICKLES)
    if found and not allow_pickle:
        raise ModelError(
            f"{folder / found[0]} is a pickle, which can run any program when it is read; "
            "convert it to safetensors, or use --allow-pickle if you trust where it comes from."
        )
    raise ModelError(f"{whole} is missing; without its weights this model cannot be opened.")


def load_part(
    kind: Any, folder: Path, dtype: torch.dtype, allow_pickle: bool, stems: tuple[str, str]
) -> tuple[Any, tuple[Path, ...]]:
    """Build a module of class `kind` from a folder with `config.json` and weights.

    Args:
        kind: a model class of diffusers or transformers.
        folder: of this part.
        dtype: of the module.
        allow_pickle: whether a `.bin` will do where there is no safetensors file.
        stems: names without suffix of the safetensors file and of the pickle.

    Returns:
        The module, and the files it was read from.

    Raises:
        ModelError: a file is missing or damaged, or the weights do not fit the config exactly.
    """
    config = folder / "config.json"
    read_json(config)
    weights = find_weights(folder, *stems, allow_pickle)
    for path in weights.files:
        if path.suffix == ".safetensors":
            _check_whole(path)
    try:
        with quiet():
            module, report = kind.from_pretrained(
                str(folder),
                output_loading_info=True,
                local_files_only=True,
                variant=weights.variant,
                use_safetensors=weights.safe,
                dtype=dtype,
                # transformers' own error leaves out which weight it is; diffusers' does not
                ignore_mismatched_sizes=kind.__module__.startswith("transformers"),
            )
    except Exception as error:  # both libraries raise whatever the config's values break
        raise ModelError(
            f"{weights.files[0]} and {config} make no model ({reason(error)}); copy or download both again."
        ) from error
    _check_fit(report, weights.files[0], config)
    return module, (config, *weights.files)


def _check_whole(path: Path) -> None:
    try:
        with safe_open(path, "pt"):
            pass
    except SafetensorError as error:
        raise ModelError(f"{path} is damaged or was cut short ({reason(error)}); copy or download it again.") from error


def _check_fit(report: dict[str, Any], weights: Path, config: Path) -> None:
    for key, said in (
        ("mismatched_keys", "has another shape for"),
        ("missing_keys", "lacks"),
        ("unexpected_keys", "holds what the config has no place for:"),
    ):
        names = sorted(entry if isinstance(entry, str) else entry[0] for entry in report[key])
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
        yield
    finally:
        for library, (verbosity, bars) in zip(libraries, before, strict=True):
            library.set_verbosity(verbosity)
            if bars:
                library.enable_progress_bar()


def channels_last(module: torch.nn.Module) -> None:
    """Put kernels in the layout that convolutions are fastest in; the numbers stay."""
    for parameter in module.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
