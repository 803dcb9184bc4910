"""diffusers pipelines built from only the parts that a task needs, to encode prompts with diffusers' own code."""

import inspect
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from regrow.messages.message import say
from regrow.models.errors import ModelError
from regrow.models.parts import Parts


def prompt_pipeline(kind: str, parts: Parts, names: Sequence[str], **config: Any) -> Any:
    """Return a pipeline that can encode prompts, without the other parts.

    Args:
        kind: its class.
        parts: the checkpoint's parts.
        names: names of the parts to pass, opened now; all others are None.
        config: further arguments.
    """
    import diffusers

    from regrow.models.load_part import quiet

    with quiet():  # importing the class may warn about installed packages
        made = getattr(diffusers, kind)
    wanted = inspect.signature(made.__init__).parameters
    empty = {name: None for name, parameter in wanted.items() if parameter.default is inspect.Parameter.empty}
    empty = {name: None for name in empty if name not in ("self", "args", "kwargs")}
    with quiet():
        return made(**empty | {name: parts[name] for name in names if name in parts} | config)


def warn_of_cut_words(name: str, tokenizer: Any, prompts: Sequence[str], room: int, level: int = 3) -> None:
    """Warn of the words of each prompt that are cut off.

    Args:
        name: the model's name, for the message.
        tokenizer: a tokenizer of transformers.
        prompts: as they were given.
        room: tokens that are read, including those that the tokenizer adds before and after a prompt.
        level: stack level of the caller whose line the warning shows.
    """
    around = tokenizer("").input_ids
    ends = int(bool(around) and around[-1] == tokenizer.eos_token_id)
    for prompt in prompts:
        ids = tokenizer(prompt, verbose=False).input_ids
        if len(ids) > room:
            cut = tokenizer.decode(ids[room - ends : len(ids) - ends]).strip()
            warnings.warn(
                say("prompt_was_cut", name=name, room=room - len(around), cut=cut),
                stacklevel=level + 1,
            )


def warn_of_cut_chat(
    name: str, tokenizer: Any, prompts: Sequence[str], room: int, text_of: Callable[[str], str], level: int = 3
) -> None:
    """Warn of the words of each prompt that are cut off, if prompts are chat messages.

    Args:
        name: the model's name, for the message.
        tokenizer: a tokenizer of transformers.
        prompts: as they were given.
        room: tokens that are read, including those of the chat template.
        text_of: writes a prompt into the template.
        level: stack level of the caller whose line the warning shows.
    """
    for prompt in prompts:
        text = text_of(prompt)
        if len(tokenizer(text, add_special_tokens=False, verbose=False).input_ids) <= room:
            continue
        before = text.partition(prompt)[0]
        ids = tokenizer(before + prompt, add_special_tokens=False, verbose=False).input_ids
        if cut := tokenizer.decode(ids[room:]).strip():
            read = room - len(tokenizer(before, add_special_tokens=False).input_ids)
            warnings.warn(say("prompts_were_cut", name=name, read=read, cut=cut), stacklevel=level + 1)


def check_words(folder: Path, parts: Parts, network: str, reads: int, made: int, known: int) -> None:
    """Check that tokenizer, text encoder and network fit each other.

    Args:
        folder: the checkpoint's folder.
        parts: its parts; one is `tokenizer`.
        network: the part that reads the text encoder's vectors.
        reads: width of the vectors that it reads.
        made: width of the text encoder's vectors.
        known: size of the text encoder's vocabulary.

    Raises:
        ModelError: the widths differ, or the tokenizer has more tokens.
    """
    if reads != made:
        raise ModelError(say("network_text_vectors_differ", network=network, folder=folder, reads=reads, made=made))
    if len(parts["tokenizer"]) > known:
        raise ModelError(say("vocabulary_differs", folder=folder, count=len(parts["tokenizer"]), known=known))
