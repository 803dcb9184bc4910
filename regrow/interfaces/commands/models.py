"""`regrow models`: commands that manage models. Slow imports are inside the functions."""

from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Union

import tyro
from tyro.conf import Positional

from regrow.interfaces.commands import Command
from regrow.interfaces.option_groups import verb
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
    """Show a model: its size, parts, noise levels, licence, hash and training data.

    Args:
        name: a model's name, a folder, or a hub id `user/repo`.
        as_family: family of the model, if its files do not say it. For example --as riffusion.
        json: print one JSON document instead of sentences.
        allow_pickle: also load .bin files, which can run code; only for files you trust.
    """
    _verbs().show(name, as_family, json, allow_pickle)


def models_remove(name: Positional[Name], yes: bool = False, json: bool = False) -> None:
    """Remove a model of yours with the log and samples of its training.

    Args:
        name: a model of yours, a broken-off download, or an added folder. A download is named `user/repo`; an added
            folder is only forgotten.
        yes: remove it; otherwise only say what would be removed.
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
    """Publish a model with a model card on the Hugging Face hub.

    Args:
        name: a model's name, or a folder.
        repo: the hub repository `user/repo`. It is created if it does not exist.
        to: an empty folder to write to instead of publishing. Nothing is sent over the network.
        private: create a repository that only you can see.
        as_family: family of the model, if its files do not say it. For example --as riffusion.
        json: print one JSON document instead of sentences.
        allow_pickle: also load .bin files, which can run code; only for files you trust.
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
    """Download a model from the Hugging Face hub, or continue a stopped download.

    Args:
        source: a hub repository `user/repo`, or a folder.
        name: name of the model here; if not given, that of the source or file.
        file: the weight file to get, if there are several. A checkpoint, a part of one, a LoRA file or an embedding;
            one beside a folder in the layout of diffusers, too.
        as_family: family of the model, if its files do not say it. For example --as riffusion.
        json: print one JSON document instead of sentences.
        allow_pickle: also load .bin files, which can run code; only for files you trust.
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
    """Use weight files where they are, such as a folder of ComfyUI or AUTOMATIC1111.

    Args:
        path: a folder of weight files, or one weight file. Its checkpoints, LoRA files and embeddings can then be
            named.
        name: name of the file here; if not given, its own.
        base: for a file: a model here whose missing parts it takes. Configs and tokenizers, too. It is needed where
            regrow does not know the file's layout or does not find its parts.
        json: print one JSON document instead of sentences.
        allow_pickle: also read .ckpt files, which can run code; only for files you trust.
    """
    from regrow.interfaces.add_verb import add

    add(path, name, base, json, allow_pickle)


def models_fit(name: Positional[Name], run: OpeningOptions, measure: bool = False) -> None:
    """Estimate memory, time and fitting settings of a model without downloading it.

    Args:
        name: a model, a folder, a file, or a known checkpoint. For example ace-step-1.5 or its hub id `user/repo`.
        measure: also open it and measure one step. It must be here; --device, --dtype and --offload apply.
    """
    from regrow.interfaces.fit_verb import print_fit

    print_fit(name, run, measure)


Action: Any = Union[  # noqa: UP007  # made of values
    verb("list", models_list, is_default=True),
    verb("show", models_show),
    verb("fit", models_fit),
    verb("add", models_add),
    verb("remove", models_remove),
    verb("push", models_push),
    verb("pull", models_pull),
]


def models(action: Annotated[Action, tyro.conf.arg(name="")]) -> None:  # pyright: ignore[reportInvalidTypeForm]
    """List, show, download, add, publish or remove models."""


COMMAND = Command("models", 100, models)
