"""A checkpoint folder as its family opens it: its parts are found and checked here."""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from regrow.models.checked import Checked, recall, remember
from regrow.models.folder import check_fetched, read_json
from regrow.models.parts import Part, Parts, find_weights

CLIP_TOKENIZERS = ("CLIPTokenizer", "CLIPTokenizerFast")
CLIP_FILES = (("tokenizer.json",), ("vocab.json", "merges.txt"))
"""Files of a CLIP tokenizer: one of the two sets is there."""
T5_TOKENIZERS = ("T5TokenizerFast", "T5Tokenizer")
T5_FILES = (("tokenizer.json",), ("spiece.model",))


@dataclass(frozen=True)
class Source:
    """A checkpoint folder that a family opens.

    Attributes:
        folder: of the checkpoint.
        name: for messages.
        index: the contents of `model_index.json`; None without one.
        allow_pickle: whether pickled weights may be read.
        dtype: of the modules.
    """

    folder: Path
    name: str
    index: Mapping[str, Any] | None
    allow_pickle: bool
    dtype: torch.dtype

    def network(self, library: str, kind: str, place: str, channels_last: bool = False) -> Part:
        """Return a part with weights, opened with a class of diffusers or transformers, or of their kind.

        Args:
            library: `diffusers`, `transformers`, or the module of a class that inherits from diffusers' ModelMixin.
            kind: the class.
            place: its folder, "" for the checkpoint's own.
            channels_last: whether its kernels are put into the layout that convolutions are fastest in.

        Raises:
            ModelError: its config or weights are missing, or the config is no JSON object.
        """
        folder = self.folder / place
        read_json(folder / "config.json")
        stem = "model" if library == "transformers" else "diffusion_pytorch_model"
        pickle_stem = "pytorch_model" if library == "transformers" else stem
        weights = find_weights(folder, stem, pickle_stem, self.allow_pickle)

        def opened(dtype: torch.dtype) -> Any:
            from regrow.models import load_part

            module = load_part.load_part(getattr(importlib.import_module(library), kind), folder, weights, dtype)
            if channels_last:
                load_part.channels_last(module)
            return module

        return Part(opened, (folder / "config.json", *weights.files))

    def tokenizer(self, kind: str, place: str, needs: Sequence[tuple[str, ...]]) -> Part:
        """Return a tokenizer of transformers.

        Args:
            kind: its class.
            place: its folder.
            needs: sets of file names of which one must be there whole.

        Raises:
            ModelError: none is, or one of its JSON files is damaged.
        """
        folder = self.folder / place
        files = tuple(path for path in sorted(folder.glob("*")) if path.suffix in (".json", ".txt", ".model"))
        names = {path.name for path in files}
        if not any(names.issuperset(need) for need in needs):
            missing = next(name for name in needs[-1] if name not in names)
            check_fetched(folder / missing)
        for path in files:
            check_fetched(path)
            if path.suffix == ".json":
                read_json(path)

        def opened(_: torch.dtype) -> Any:
            from regrow.models import load_part

            return load_part.load_tokenizer(getattr(importlib.import_module("transformers"), kind), folder)

        return Part(opened, files)

    def parts(
        self, parts: Mapping[str, Part], others: Sequence[Path]
    ) -> tuple[Parts, tuple[Path, ...], Checked | None]:
        """Return the parts, all files that the checkpoint is read from, and what is known of it.

        Of a folder that was not opened whole before, every part is opened now, in the order given, so that what is
        damaged is said at once.

        Args:
            parts: by name.
            others: files that are no part's.

        Raises:
            ModelError: a part is damaged or does not fit its config.
        """
        files = (*others, *(path for part in parts.values() for path in part.files))
        checked = recall(self.folder, files)
        if checked:
            return Parts(parts, self.dtype, configs=checked.configs, facts=checked.facts), files, checked
        made = Parts(parts, self.dtype)
        for name in parts:
            _ = made[name]
        return made, files, None

    def remember(self, parts: Parts, files: Sequence[Path], **facts: Any) -> None:
        """Keep what a first opening found, once the family has checked that the parts belong together."""
        modules = {name: part for name, part in parts.opened.items() if isinstance(part, torch.nn.Module)}
        configs = {name: {**parts.config(name)} for name in modules}
        remember(self.folder, files, Checked(configs, facts))
