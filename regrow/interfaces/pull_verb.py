"""What `regrow models pull` does and prints."""

import sys
from typing import Any

from tqdm import tqdm

from regrow.hub import publish, pulling
from regrow.hub.download import size_text
from regrow.interfaces.reporting import print_facts
from regrow.models.open import folder_of, user_models
from regrow.models.single_files.header import read_header
from regrow.models.single_files.kinds import kind_of
from regrow.models.single_files.weights_file import WEIGHTS_FILE


def pull(source: str, name: str, file: str, as_family: str, as_json: bool, allow_pickle: bool) -> None:
    """Copy a model from the hub or a folder to the user's models; what is downloaded is said before it is."""
    offered: dict[str, Any] = {}
    with tqdm(desc=source, unit="B", unit_scale=True, leave=False, disable=as_json or None) as bar:

        def watch(came: int, whole: int) -> None:
            bar.total = whole
            bar.update(came - bar.n)

        def offer(one: pulling.Offer) -> None:
            repository = one.repository
            offered.update(licence=repository.licence or None, gated=repository.gated, page=repository.page)
            if not as_json:
                bar.clear()
                print(_offer_text(one), file=sys.stderr, flush=True)

        got = pulling.pull(source, name, allow_pickle, watch, as_family, file, offer)
    size = publish.size_on_disk(got)
    facts = {"name": got.stem if got.is_file() else got.name, "folder": str(got), "bytes": size, **offered}
    next_step = f"look at it with: regrow models show {got.name}"
    if (got / WEIGHTS_FILE).is_file():
        next_step = f"its weights stay where they are; {next_step}"
    if got.is_file():
        kind = kind_of(read_header(got, allow_pickle))
        next_step = f"it is {kind.title}. {kind.next_step}"
        if kind.layout:
            next_step = f"use it with: --model {got.stem}"
            try:
                folder_of(got.stem)
            except ValueError as problem:  # it is whole, and what it lacks may be put beside it
                next_step = str(problem)
        elif got.parent != user_models():
            option = "--lora" if got.parent.name == "loras" else "--embedding"
            next_step = f"it is {kind.title}: use it with --model NAME {option} {got.stem}"
    print_facts(as_json, facts, f"wrote {got} ({size_text(size)}); {next_step}")


def _offer_text(one: pulling.Offer) -> str:
    """What is about to be downloaded, as a sentence."""
    repository = one.repository
    files = "1 file" if one.files == 1 else f"{one.files} files"
    gate = f"; gated: your account must have accepted its terms at {repository.page}" if repository.gated else ""
    licence = repository.licence or f"not stated (see {repository.page})"
    return f"{repository.name}: {files}, {size_text(one.size)}; licence: {licence}{gate}"
