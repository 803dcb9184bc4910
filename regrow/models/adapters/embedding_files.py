"""Embedding files (textual inversion, Gal et al. 2022, arXiv 2208.01618): new words for an opened checkpoint.

A file holds one or more vectors for each text encoder. diffusers adds them to tokenizer and text encoder; a word with
several vectors becomes as many tokens.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

import torch
from torch import Tensor

from regrow.media.files import file_hash
from regrow.messages.message import say
from regrow.models.errors import ModelError
from regrow.models.folder import check_fetched, mend
from regrow.models.pipelines import prompt_pipeline
from regrow.models.single_files.folders import addition_named
from regrow.models.single_files.header import PICKLED, Header, read_header, unpickled
from regrow.models.single_files.kinds import kind_of
from regrow.models.single_files.other_kinds import EMBEDDING, other_kind

if TYPE_CHECKING:
    from regrow.models.model import Model

OF_WIDTH = {768: "Stable Diffusion 1.x", 1024: "Stable Diffusion 2.x"}
"""Models by the vector width of their text encoder."""


@dataclass(frozen=True)
class EmbeddingFile:
    """An embedding file that was added to a checkpoint.

    Attributes:
        path: the file.
        word: its name in prompts.
        vectors: number of tokens that the word becomes.
    """

    path: Path
    word: str
    vectors: int

    @property
    def facts(self) -> dict[str, Any]:
        """Name and hash, for recipes."""
        return {"file": self.path.name, "hash": file_hash(self.path)}


def embedding_path(text: str, places: Sequence[Path] = ()) -> Path:
    """Find an embedding file by its path, or by its name in added folders.

    Raises:
        ModelError: there is none.
    """
    path = Path(text).expanduser()
    if path.is_file():
        return path
    if found := addition_named(text, places, EMBEDDING):
        return found
    raise ModelError(say("no_embedding_file", path=path))


def add_embedding_files(model: "Model", paths: Sequence[Path], allow_pickle: bool = False) -> None:
    """Add the words of embedding files to a checkpoint that was just opened.

    Raises:
        ModelError: the family takes no embedding files, a file is not one or is for another model, or its word overlaps
            another.
    """
    if not paths:
        return
    if not model.embedding_encoders:
        raise ModelError(say("embeddings_not_read", name=model.name, family=model.family))
    from regrow.models.load_part import quiet

    encoders = list(model.embedding_encoders.values())
    model.parts.keep(*(encoder for _, encoder in encoders))
    pipeline = prompt_pipeline(model.lora_pipeline, model.parts, [name for pair in encoders for name in pair])
    for path in paths:
        state = _read(path, allow_pickle)
        check_finite(path, state)
        vectors = _vectors_for(model, path, state)
        count = max(len(each) for each in vectors.values())
        added = EmbeddingFile(path, _word(model, path, count), count)
        for key, (tokenizer, encoder) in model.embedding_encoders.items():
            with quiet():
                pipeline.load_textual_inversion(
                    vectors[key], added.word, tokenizer=model.parts[tokenizer], text_encoder=model.parts[encoder]
                )
            model.parts[encoder].eval().requires_grad_(False)
        model.embeddings += (added,)


def spelt(embeddings: Sequence[EmbeddingFile], prompts: Sequence[str]) -> list[str]:
    """Return prompts with embedding words in lower case, as they are registered."""
    made = list(prompts)
    for word in (embedding.word for embedding in embeddings):
        made = [re.sub(re.escape(word), lambda _: word, prompt, flags=re.IGNORECASE) for prompt in made]  # noqa: B023
    return made


def in_tokens(embeddings: Sequence[EmbeddingFile], prompts: Sequence[str], tokenizer: Any) -> list[str]:
    """Expand embedding words in prompts to one token per vector, for a tokenizer."""
    if not embeddings:
        return list(prompts)
    from diffusers.loaders.textual_inversion import TextualInversionLoaderMixin

    return TextualInversionLoaderMixin().maybe_convert_prompt(spelt(embeddings, prompts), tokenizer)  # pyright: ignore[reportReturnType]


def _read(path: Path, allow_pickle: bool) -> dict[str, Tensor]:
    check_fetched(path)
    if path.suffix.lower() in PICKLED and not allow_pickle:
        raise ModelError(say("embedding_is_pickle", path=path))
    if path.suffix.lower() in PICKLED:
        return unpickled(path)
    if path.suffix.lower() != ".safetensors":
        raise ModelError(say("embedding_no_safetensors", path=path))
    from safetensors.torch import load_file

    read_header(path)
    return load_file(path)


def check_finite(path: Path, state: Mapping[str, Tensor]) -> None:
    """Refuse a file whose tensors hold NaN or infinity, which would spread to every result.

    Raises:
        ModelError: a tensor holds one.
    """
    broken = (
        name for name, tensor in state.items() if tensor.is_floating_point() and not tensor.float().isfinite().all()
    )
    if name := next(broken, None):
        raise ModelError(say("holds_nan", path=path, name=name, mend=mend(path)))


def _vectors_for(model: "Model", path: Path, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the vectors `n width` for each text encoder of a model, by its key in files."""
    encoders = model.embedding_encoders
    header = Header(path, {name: tuple(tensor.shape) for name, tensor in state.items()})
    kind = kind_of(header)
    flat = all(tensor.ndim in (1, 2) and tensor.numel() and tensor.is_floating_point() for tensor in state.values())
    alone = len(state) == 1 and not (kind.layout or kind.role or other_kind(header))
    if not flat or not (alone or kind.title == EMBEDDING):
        if kind.title == EMBEDDING:
            raise ModelError(say("embedding_without_vectors", path=path, mend=mend(path)))
        what = say("what_is_whole_checkpoint", path=path) if kind.layout else f"{kind.title}. {kind.next_step}"
        raise ModelError(say("no_embedding_but", path=path, what=what))
    read = {key: model.parts[encoder] for key, (_, encoder) in encoders.items()}
    wanted = {key: encoder.get_input_embeddings().weight.shape[-1] for key, encoder in read.items()}
    # a file for one encoder may call its vectors anything
    named = {next(iter(wanted)): tensor for tensor in state.values()} if len(state) == len(wanted) == 1 else state
    vectors = {key: torch.atleast_2d(tensor) for key, tensor in named.items()}
    widths = {key: each.shape[-1] for key, each in vectors.items()}
    if widths != wanted:
        whose = (
            "Stable Diffusion XL" if "clip_g" in widths else OF_WIDTH.get(max(widths.values()), say("another_model"))
        )
        has, reads = (" and ".join(map(str, sorted(sizes.values()))) for sizes in (widths, wanted))
        raise ModelError(say("embedding_of_other_model", path=path, whose=whose, has=has, name=model.name, reads=reads))
    return vectors


def _word(model: "Model", path: Path, count: int) -> str:
    """Return the word for a file in prompts: its name, or `<name>` if the name is already a token.

    It is in lower case, as CLIP lower-cases prompts: diffusers would find only the first vector of a mixed-case word.
    """
    tokenizers = [model.parts[name] for name, _ in model.embedding_encoders.values()]
    name = " ".join(normalize("NFC", path.stem).lower().split())
    for word in (name, f"<{name}>"):
        if any(f"{word}{end}" in words.get_vocab() for words in tokenizers for end in ("", "_1")):
            continue
        for other in model.embeddings:
            (short, several), (long, _) = sorted(
                [(word, count), (other.word, other.vectors)], key=lambda entry: len(entry[0])
            )
            if short in long and several > 1:  # expanding the short word would split the long one
                raise ModelError(say("embeddings_overlap", path=other.path, other=path, long=long, short=short))
        return word
    raise ModelError(say("embedding_word_taken", path=path, name=name))
