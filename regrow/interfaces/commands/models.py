"""`regrow models`: one verb for what is done with models. Everything heavy is imported inside."""

from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import tyro
from tyro.conf import Positional, subcommand

from regrow.interfaces.commands import Command
from regrow.interfaces.run import AsFamily, OpeningOptions

Name = Annotated[str, tyro.conf.arg(metavar="NAME")]


def _verbs() -> ModuleType:
    from regrow.interfaces import models_verbs

    return models_verbs


def models_list(json: bool = False) -> None:
    """List the models that can be opened by name.

    Args:
        json: print one JSON document instead of sentences.
    """
    _verbs().list_all(json)


def models_show(
    name: Positional[Name], as_family: AsFamily = "", json: bool = False, allow_pickle: bool = False
) -> None:
    """Show one: its size, parts, noise levels, licence, hash, and what it was trained on.

    Args:
        name: of a model, a folder, or a hub id `user/repo`.
        as_family: the family of the model, where neither its files nor its name say it, as in --as riffusion.
        json: print one JSON document instead of sentences.
        allow_pickle: also load .bin weight files, which can run code; only for files you trust.
    """
    _verbs().show(name, as_family, json, allow_pickle)


def models_remove(name: Positional[Name], yes: bool = False, json: bool = False) -> None:
    """Remove one of your own, and its training's log and samples. Without --yes it only says what would go.

    Args:
        name: of a model in your model folder, the `user/repo` of a download that broke off, or a folder that was added,
            which stays as it is.
        yes: do it.
        json: print one JSON document instead of sentences.
    """
    _verbs().remove(name, yes, json)


def models_push(
    name: Positional[Name],
    repo: Positional[Annotated[str, tyro.conf.arg(metavar="USER/REPO")]],
    to: Path | None = None,
    private: bool = False,
    as_family: AsFamily = "",
    json: bool = False,
    allow_pickle: bool = False,
) -> None:
    """Publish one with a model card on the Hugging Face hub, or write what would be published to a folder.

    Args:
        name: of a model, or a folder.
        repo: the hub repository `user/repo`; made if it is not there.
        to: a new or empty folder to write instead; nothing goes over the network.
        private: make a repository that only you can see.
        as_family: the family of the model, where neither its files nor its name say it, as in --as riffusion.
        json: print one JSON document instead of sentences.
        allow_pickle: also load .bin weight files, which can run code; only for files you trust.
    """
    _verbs().push(name, repo, to, private, as_family, json, allow_pickle)


def models_pull(
    source: Positional[Annotated[str, tyro.conf.arg(metavar="USER/REPO|FOLDER")]],
    name: Name = "",
    file: Annotated[str, tyro.conf.arg(metavar="NAME")] = "",
    as_family: AsFamily = "",
    json: bool = False,
    allow_pickle: bool = False,
) -> None:
    """Get one from the Hugging Face hub, or copy it from a folder. Broken off, the same command gets the rest.

    Args:
        source: a hub repository `user/repo`, or a folder.
        name: what to call it here; the last part of the source's own name, or the file's, if not given.
        file: the weight file to get, of a repository that holds several, or one beside a folder in diffusers' layout:
            a checkpoint, a part of one, a LoRA file or an embedding.
        as_family: the family of the model, where neither its files nor its name say it, as in --as riffusion.
        json: print one JSON document instead of sentences.
        allow_pickle: also load .bin weight files, which can run code; only for files you trust.
    """
    from regrow.interfaces.pull_verb import pull

    pull(source, name, file, as_family, json, allow_pickle)


def models_add(
    path: Positional[Annotated[Path, tyro.conf.arg(metavar="FOLDER|FILE")]],
    name: Name = "",
    base: Annotated[str, tyro.conf.arg(metavar="MODEL")] = "",
    json: bool = False,
    allow_pickle: bool = False,
) -> None:
    """Use checkpoints where they are: a folder of ComfyUI, AUTOMATIC1111 or InvokeAI, or one file under a name.

    Args:
        path: a folder, whose checkpoints, LoRA files and embeddings can be named from then on; or one weight file.
        name: of a file: what to call it here; its own name if not given.
        base: of a file: a model here whose configs, tokenizers and missing parts it takes, where regrow does not know
            its layout or does not find its parts.
        json: print one JSON document instead of sentences.
        allow_pickle: also read .ckpt files, which can run code; only for files you trust.
    """
    from regrow.interfaces.add_verb import add

    add(path, name, base, json, allow_pickle)


def models_fit(name: Positional[Name], run: OpeningOptions, measure: bool = False) -> None:
    """Say what one takes on this machine, before a byte of it is downloaded: memory, settings that fit, seconds.

    Args:
        name: of a model here, a folder or file, a known checkpoint such as ace-step-1.5, or its hub id `user/repo`.
        measure: also open it, as --device, --dtype and --offload say, and measure a call of its network; it is here.
    """
    from regrow.interfaces.fit_verb import print_fit

    print_fit(name, run, measure)


Action = (
    Annotated[Any, subcommand(name="list", constructor=models_list, is_default=True)]
    | Annotated[Any, subcommand(name="show", constructor=models_show)]
    | Annotated[Any, subcommand(name="fit", constructor=models_fit)]
    | Annotated[Any, subcommand(name="add", constructor=models_add)]
    | Annotated[Any, subcommand(name="remove", constructor=models_remove)]
    | Annotated[Any, subcommand(name="push", constructor=models_push)]
    | Annotated[Any, subcommand(name="pull", constructor=models_pull)]
)


def models(action: Annotated[Action, tyro.conf.arg(name="")]) -> None:
    """List the models that are here, show, remove, publish or get one, or say what one takes."""


COMMAND = Command("models", 100, models)
