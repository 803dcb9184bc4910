"""Find and check the parts of a checkpoint folder, for its family to open."""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch

from regrow.core.denoiser import PredictionType
from regrow.core.levels import Schedule
from regrow.messages.message import say
from regrow.models.checked import Checked, recall, remember
from regrow.models.errors import ModelError
from regrow.models.folder import check_fetched, mend, part_class, read_json
from regrow.models.folder_forms.config_values import read_config
from regrow.models.folder_forms.quantised import check_quantised
from regrow.models.parts import Part, Parts, find_weights
from regrow.models.schedules import schedule_from_config
from regrow.models.single_files.header import read_header
from regrow.models.single_files.weights_file import Place, read_weights_file


class TokenizerKind(NamedTuple):
    """How to read a tokenizer's folder.

    Attributes:
        classes: classes of transformers that the index may name; the first opens the folder, unless `opens` is given.
        files: alternative sets of files, one of which must exist.
        opens: another class to open the folder with, if those of `classes` need more than a tokenizer's files.
        chats: whether prompts are put into its chat template, which is then one of its files.
    """

    classes: tuple[str, ...]
    files: tuple[tuple[str, ...], ...]
    opens: str = ""
    chats: bool = False


_MERGES = (("tokenizer.json",), ("vocab.json", "merges.txt"))
CLIP = TokenizerKind(("CLIPTokenizer", "CLIPTokenizerFast"), _MERGES)
GEMMA = TokenizerKind(("GemmaTokenizerFast", "GemmaTokenizer"), (("tokenizer.json",), ("tokenizer.model",)))
PIXTRAL = TokenizerKind(("PixtralProcessor",), (("tokenizer.json",),), "PreTrainedTokenizerFast", chats=True)
QWEN2 = TokenizerKind(("Qwen2Tokenizer", "Qwen2TokenizerFast"), _MERGES)
ROBERTA = TokenizerKind(("RobertaTokenizer", "RobertaTokenizerFast"), _MERGES)
T5 = TokenizerKind(("T5TokenizerFast", "T5Tokenizer"), (("tokenizer.json",), ("spiece.model",)))


@dataclass(frozen=True)
class Source:
    """A checkpoint folder that a family opens.

    Attributes:
        folder: the checkpoint's folder.
        name: for messages.
        index: contents of `model_index.json`; None if there is none.
        allow_pickle: whether pickled weights may be read.
        dtype: dtype of the modules.
        in_turn: see `Parts`.
    """

    folder: Path
    name: str
    index: Mapping[str, Any] | None
    allow_pickle: bool
    dtype: torch.dtype
    in_turn: bool = False

    @property
    def index_file(self) -> Path:
        """`model_index.json`."""
        return self.folder / "model_index.json"

    def class_of(self, part: str, *known: str) -> str:
        """Return the class of a part; see `part_class`."""
        return part_class(self.index or {}, part, known, self.index_file)

    def has(self, part: str) -> bool:
        """Return whether the index names a class for a part that may be missing."""
        return list((self.index or {}).get(part) or (None, None)) != [None, None]

    def schedule(self, by_size: bool = False) -> tuple[Schedule, PredictionType, Path]:
        """Return the schedule, the prediction type, and the file that they are read from.

        Args:
            by_size: whether the family shifts the levels by the latent's size itself; see `schedule_from_config`.

        Raises:
            ModelError: the file is missing, or describes no schedule that regrow knows.
        """
        file = self.folder / "scheduler" / "scheduler_config.json"
        return *schedule_from_config(read_json(file), file, by_size), file

    def part(
        self,
        name: str,
        library: str,
        *kinds: str,
        channels_last: bool = False,
        may_lack: Sequence[str] = (),
        changes: Mapping[str, Any] | None = None,
    ) -> Part:
        """Return the part with weights in the folder of this name, of one of these classes; see `network`.

        Raises:
            ModelError: the index names another class for it; or as for `network`.
        """
        return self.network(library, self.class_of(name, *kinds), name, channels_last, may_lack, changes)

    def network(
        self,
        library: str,
        kind: str,
        place: str,
        channels_last: bool = False,
        may_lack: Sequence[str] = (),
        changes: Mapping[str, Any] | None = None,
    ) -> Part:
        """Return a part with weights, opened with a class of diffusers or transformers, or one derived from these.

        Args:
            library: `diffusers`, `transformers`, or the module of a class that inherits from diffusers' ModelMixin.
            kind: the class.
            place: its folder, "" for the checkpoint's own.
            channels_last: whether kernels are put into the memory layout in which convolutions are fastest.
            may_lack: names of weights that may be missing; they are then None.
            changes: values that override those of the config file. Weights in a single file ignore this and `may_lack`.

        Raises:
            ModelError: its config or weights are missing, or the config is no JSON object.
        """
        elsewhere = read_weights_file(self.folder).get(place)
        if elsewhere and not elsewhere.is_folder:
            return self._in_file(library, kind, place, elsewhere, channels_last)
        folder = elsewhere.path if elsewhere else self.folder / place
        check_quantised(read_config(folder / "config.json"), folder / "config.json")
        stem = "model" if library == "transformers" else "diffusion_pytorch_model"
        pickle_stem = "pytorch_model" if library == "transformers" else stem
        weights = find_weights(folder, stem, pickle_stem, self.allow_pickle)

        def opened(dtype: torch.dtype) -> Any:
            from regrow.models import load_part

            module = load_part.load_part(
                getattr(importlib.import_module(library), kind), folder, weights, dtype, may_lack, changes
            )
            if channels_last:
                load_part.channels_last(module)
            return module

        return Part(opened, (folder / "config.json", *weights.files), kind)

    def _in_file(self, library: str, kind: str, part: str, place: Place, channels_last: bool) -> Part:
        """Return a part whose weights lie in a file with several parts, or with the authors' own names."""
        config = self.folder / part / "config.json"
        read_config(config)
        header = read_header(place.path, self.allow_pickle)

        def opened(dtype: torch.dtype) -> Any:
            from regrow.models import load_part
            from regrow.models.single_files.load_file import load_file

            module = load_file(getattr(importlib.import_module(library), kind), self.folder, part, place, dtype)
            if channels_last:
                load_part.channels_last(module)
            return module

        return Part(opened, (config, place.path), kind, header.count(*place.begins))

    def tokenizer(self, name: str, kind: TokenizerKind) -> Part:
        """Return the transformers tokenizer in the folder of this name.

        Raises:
            ModelError: the index names another class, files are missing, or a JSON file is damaged; when it is opened:
                it has no chat template, but needs one.
        """
        self.class_of(name, *kind.classes)
        folder = self.folder / name
        suffixes = (".json", ".txt", ".model", *((".jinja",) if kind.chats else ()))
        files = tuple(path for path in sorted(folder.glob("*")) if path.suffix in suffixes)
        names = {path.name for path in files}
        if not any(names.issuperset(need) for need in kind.files):
            missing = next(name for name in kind.files[-1] if name not in names)
            check_fetched(folder / missing)
        for path in files:
            check_fetched(path)
            if path.suffix == ".json":
                read_json(path)

        opens = kind.opens or kind.classes[0]

        def opened(_: torch.dtype) -> Any:
            from regrow.models import load_part

            tokenizer = load_part.load_tokenizer(getattr(importlib.import_module("transformers"), opens), folder)
            if kind.chats and not tokenizer.chat_template:
                where = folder / "chat_template.jinja"
                raise ModelError(say("prompt_template_missing", where=where, mend=mend(where)))
            return tokenizer

        return Part(opened, files, opens)

    def parts(
        self, parts: Mapping[str, Part], others: Sequence[Path]
    ) -> tuple[Parts, tuple[Path, ...], Checked | None]:
        """Return the parts, all files that the checkpoint is read from, and cached results of earlier checks.

        If the folder was never checked, every part is opened now, in order, so that damage is reported at once.

        Args:
            parts: parts by name.
            others: files that belong to no part.

        Raises:
            ModelError: a part is damaged or does not fit its config.
        """
        # a file with several parts is listed by each of them
        files = tuple(dict.fromkeys((*others, *(path for part in parts.values() for path in part.files))))
        checked, made = recall(self.folder, files), Parts(parts, self.dtype, in_turn=self.in_turn)
        if checked:
            made.configs, made.facts = checked.configs, checked.facts
        for name in () if checked else parts:
            _ = made[name]
        return made, files, checked

    def check_channels(self, part: str, network: Mapping[str, Any], made: int, beside: int = 0, why: str = "") -> None:
        """Check that a network fits the latents of its codec.

        Args:
            part: the network's part.
            network: its config.
            made: channels of the codec's latents.
            beside: extra channels that the network takes.
            why: where these come from, for the message.

        Raises:
            ModelError: it does not.
        """
        taken, returned = network["in_channels"], network["out_channels"]
        if not taken - beside == returned == made:
            sizes = {"taken": taken, "returned": returned, "made": made}
            raise ModelError(say("channels_fit_no_codec", part=part, folder=self.folder, why=why, **sizes))

    def remember(self, parts: Parts, files: Sequence[Path], **facts: Any) -> None:
        """Cache the results of a first opening, once the family has checked that the parts belong together."""
        opened = {name for name, part in parts.opened.items() if isinstance(part, torch.nn.Module)}
        configs = {name: {**parts.config(name)} for name in parts if name in opened or name in parts.configs}
        remember(self.folder, files, Checked(configs, facts))
