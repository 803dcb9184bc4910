"""Run `regrow models pull` and print its result."""

import sys
from typing import Any

from tqdm import tqdm

from regrow.hub import publish, pulling
from regrow.hub.download import size_text
from regrow.interfaces.reporting import print_facts
from regrow.messages.message import say
from regrow.models.open import folder_of, user_models
from regrow.models.single_files.header import read_header
from regrow.models.single_files.kinds import kind_of
from regrow.models.single_files.weights_file import WEIGHTS_FILE


def pull(source: str, name: str, file: str, as_family: str, as_json: bool, allow_pickle: bool) -> None:
    """Copy a model from the hub or a folder to the user's models; before a download, print its size and licence."""
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
    next_step = say("look_at_it", name=got.name)
    if (got / WEIGHTS_FILE).is_file():
        next_step = say("weights_stay", next_step=next_step)
    if got.is_file():
        kind = kind_of(read_header(got, allow_pickle))
        next_step = say("pulled_part", title=kind.title, next_step=kind.next_step)
        if kind.layout:
            next_step = say("use_it_as_model", name=got.stem)
            try:
                folder_of(got.stem)
            except ValueError as problem:  # the file is complete; missing parts may be added beside it
                next_step = str(problem)
        elif got.parent != user_models():
            option = "--lora" if got.parent.name == "loras" else "--embedding"
            next_step = say("use_it_as_addition", title=kind.title, option=option, name=got.stem)
    print_facts(as_json, facts, say("wrote_model", folder=got, size=size_text(size), next_step=next_step))


def _offer_text(one: pulling.Offer) -> str:
    """Return a sentence about the coming download."""
    repository = one.repository
    files = say("one_file") if one.files == 1 else say("several_files", count=one.files)
    gate = say("repo_gated", page=repository.page) if repository.gated else ""
    licence = repository.licence or say("licence_not_stated", page=repository.page)
    return say("pulling", name=repository.name, files=files, size=size_text(one.size), licence=licence, gate=gate)
