"""A checkpoint folder as its family opens it: its parts are found and checked here."""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch

from regrow.core.denoiser import PredictionType
from regrow.core.levels import Schedule
from regrow.models.checked import Checked, recall, remember
from regrow.models.errors import ModelError
from regrow.models.folder import check_fetched, mend, part_class, read_json
from regrow.models.folder_forms.quantised import check_quantised
from regrow.models.parts import Part, Parts, find_weights
from regrow.models.schedules import schedule_from_config
from regrow.models.single_files.header import read_header
from regrow.models.single_files.weights_file import Place, read_weights_file


class TokenizerKind(NamedTuple):
    """How a tokenizer's folder is read.

    Attributes:
        classes: of transformers that the index may name; the first opens the folder, unless `opens` does.
        files: sets of files, of which one is there.
        opens: another class, where those of `classes` need more than words do.
        chats: whether prompts are written into its chat template, which is then one of its files.
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
        folder: of the checkpoint.
        name: for messages.
        index: the contents of `model_index.json`; None without one.
        allow_pickle: whether pickled weights may be read.
        dtype: of the modules.
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
        """Whether the index names a class for a part that may be missing."""
        return list((self.index or {}).get(part) or (None, None)) != [None, None]

    def schedule(self, by_size: bool = False) -> tuple[Schedule, PredictionType, Path]:
        """Read the levels, and what the network predicts, from the file that is returned with them.

        Args:
            by_size: whether the family shifts the levels by the latent's size itself; see `schedule_from_config`.

        Raises:
            ModelError: it is missing, or describes no schedule that regrow knows.
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
        """Return the part with weights in the folder of its name, of one of these classes; see `network`.

        Raises:
            ModelError: the index says that it is of another class; or as of `network`.
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
        """Return a part with weights, opened with a class of diffusers or transformers, or of their kind.

        Args:
            library: `diffusers`, `transformers`, or the module of a class that inherits from diffusers' ModelMixin.
            kind: the class.
            place: its folder, "" for the checkpoint's own.
            channels_last: whether its kernels are put into the layout that convolutions are fastest in.
            may_lack: weights of its own that are None where the files do not hold them.
            changes: values of its config that stand above those in its file.

        Raises:
            ModelError: its config or weights are missing, or the config is no JSON object.
        """
        elsewhere = read_weights_file(self.folder).get(place)
        if elsewhere and not elsewhere.is_folder:
            return self._in_file(library, kind, place, elsewhere, channels_last)
        folder = elsewhere.path if elsewhere else self.folder / place
        check_quantised(read_json(folder / "config.json"), folder / "config.json")
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
        """Return a part whose weights lie in a file of several parts, or of its makers' own names."""
        config = self.folder / part / "config.json"
        read_json(config)
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
        """Return the tokenizer of transformers in the folder of its name.

        Raises:
            ModelError: the index says that it is of another class, its files are not there, or a JSON file is damaged;
            when it is opened, it has no chat template.
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
                raise ModelError(f"{where} is missing, which every prompt is written into: {mend(where)}.")
            return tokenizer

        return Part(opened, files, opens)

    def parts(
        self, parts: Mapping[str, Part], others: Sequence[Path]
    ) -> tuple[Parts, tuple[Path, ...], Checked | None]:
        """Return the parts, all files that the checkpoint is read from, and what is known of it.

        Of a folder that was never opened whole, every part is opened now, in order, so that damage is said at once.

        Args:
            parts: by name.
            others: files that are no part's.

        Raises:
            ModelError: a part is damaged or does not fit its config.
        """
        # a file of several parts is each one's
        files = tuple(dict.fromkeys((*others, *(path for part in parts.values() for path in part.files))))
        checked, made = recall(self.folder, files), Parts(parts, self.dtype, in_turn=self.in_turn)
        if checked:
            made.configs, made.facts = checked.configs, checked.facts
        for name in () if checked else parts:
            _ = made[name]
        return made, files, checked

    def check_channels(self, part: str, network: Mapping[str, Any], made: int, beside: int = 0, why: str = "") -> None:
        """Refuse a network of other latents than its codec makes.

        Args:
            part: which it is.
            network: its config.
            made: channels of the codec's latents.
            beside: channels that the network takes beside them.
            why: where these come from, for the sentence.

        Raises:
            ModelError: it is one.
        """
        taken, returned = network["in_channels"], network["out_channels"]
        if not taken - beside == returned == made:
            raise ModelError(
                f"The {part} in {self.folder} takes {taken} channels and returns {returned}, but its codec makes "
                f"{made}{why}; models of depth and of upscaling are not supported."
            )

    def remember(self, parts: Parts, files: Sequence[Path], **facts: Any) -> None:
        """Keep what a first opening found, once the family has checked that the parts belong together."""
        opened = {name for name, part in parts.opened.items() if isinstance(part, torch.nn.Module)}
        configs = {name: {**parts.config(name)} for name in parts if name in opened or name in parts.configs}
        remember(self.folder, files, Checked(configs, facts))
