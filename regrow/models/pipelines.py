"""diffusers' own pipelines, made of no more than the parts that a task needs: encoding prompts is theirs."""

import inspect
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from regrow.models.errors import ModelError
from regrow.models.parts import Parts


def prompt_pipeline(kind: str, parts: Parts, names: Sequence[str], **config: Any) -> Any:
    """Return a pipeline that can encode prompts, without the parts that cannot.

    Args:
        kind: its class.
        parts: of the checkpoint.
        names: those that it is made of, opened now; all others are None.
        config: further arguments.
    """
    import diffusers

    from regrow.models.load_part import quiet

    with quiet():  # of what is installed, which a look at its class imports
        made = getattr(diffusers, kind)
    wanted = inspect.signature(made.__init__).parameters
    empty = {name: None for name, parameter in wanted.items() if parameter.default is inspect.Parameter.empty}
    empty = {name: None for name in empty if name not in ("self", "args", "kwargs")}
    with quiet():
        return made(**empty | {name: parts[name] for name in names if name in parts} | config)


def warn_of_cut_words(name: str, tokenizer: Any, prompts: Sequence[str], room: int, level: int = 3) -> None:
    """Warn of the words of each prompt that a text encoder does not read.

    Args:
        name: of the model, for the sentence.
        tokenizer: of transformers.
        prompts: as they were given.
        room: tokens that are read, with those that the tokenizer puts before and behind a prompt.
        level: of the caller whose line the warning names.
    """
    around = tokenizer("").input_ids
    ends = int(bool(around) and around[-1] == tokenizer.eos_token_id)
    for prompt in prompts:
        ids = tokenizer(prompt, verbose=False).input_ids
        if len(ids) > room:
            cut = tokenizer.decode(ids[room - ends : len(ids) - ends]).strip()
            warnings.warn(
                f"{name} reads {room - len(around)} tokens of a prompt; these words were cut: {cut}",
                stacklevel=level + 1,
            )


def warn_of_cut_chat(
    name: str, tokenizer: Any, prompts: Sequence[str], room: int, text_of: Callable[[str], str], level: int = 3
) -> None:
    """Warn of the words of each prompt that a text encoder does not read, where prompts are messages of a chat.

    Args:
        name: of the model, for the sentence.
        tokenizer: of transformers.
        prompts: as they were given.
        room: tokens that are read, those of the chat's template among them.
        text_of: writes a prompt into the template.
        level: of the caller whose line the warning names.
    """
    for prompt in prompts:
        text = text_of(prompt)
        if len(tokenizer(text, add_special_tokens=False, verbose=False).input_ids) <= room:
            continue
        before = text.partition(prompt)[0]
        ids = tokenizer(before + prompt, add_special_tokens=False, verbose=False).input_ids
        if cut := tokenizer.decode(ids[room:]).strip():
            read = room - len(tokenizer(before, add_special_tokens=False).input_ids)
            warnings.warn(f"{name} reads {read} tokens of a prompt; these words were cut: {cut}", stacklevel=level + 1)


def check_words(folder: Path, parts: Parts, network: str, reads: int, made: int, known: int) -> None:
    """Refuse a network and a tokenizer that do not fit the text encoder between them.

    Args:
        folder: of the checkpoint.
        parts: of it; one is `tokenizer`.
        network: the part that reads the text encoder's vectors.
        reads: numbers of a vector that it reads.
        made: numbers of a vector that the text encoder makes.
        known: tokens that the text encoder has a vector for.

    Raises:
        ModelError: the two are of other lengths, or the tokenizer has more tokens.
    """
    if reads != made:
        raise ModelError(
            f"The {network} in {folder} reads text vectors of {reads} numbers, but its text_encoder makes {made}; they "
            "are not of the same model."
        )
    if len(parts["tokenizer"]) > known:
        raise ModelError(
            f"The tokenizer in {folder} has {len(parts['tokenizer'])} tokens, but its text_encoder knows {known}; the "
            "two are not of the same model."
        )
