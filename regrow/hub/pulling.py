"""Download models from the hub, or copy them from a folder; completely or not at all."""

import contextlib
import os
import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub.utils import filter_repo_objects

from regrow.hub.download import Remote, Repository, Unfinished, Watch, announce, download, listing, unfinished
from regrow.hub.hub import refusals
from regrow.hub.model_card import is_repository
from regrow.hub.weight_files import chosen_file, has_diffusers_layout, name_of, place_of, remote_kind, usable
from regrow.media.cache import check_home
from regrow.media.files import copy_files
from regrow.media.one_process import only_one
from regrow.messages.message import say
from regrow.models.folder import check_inside
from regrow.models.model import ModelError
from regrow.models.open import EMBEDDED, family_of, open_model, plain_name, user_models
from regrow.models.registry import is_certain, split_name, wanted_files
from regrow.models.sidecars.family_file import FAMILY_FILE, write_family
from regrow.models.single_files.header import SUFFIXES, read_header
from regrow.models.single_files.kinds import kind_of
from regrow.models.single_files.view import NOTES_FILE
from regrow.models.single_files.weights_file import WEIGHTS_FILE

# what a model is not read from and yet is worth keeping beside it
_TOLD = ["README.md", "LICENSE*", "training.json", "words.json", "samples/*.png"]
_OF_VIEWS = [WEIGHTS_FILE, NOTES_FILE]


@dataclass(frozen=True)
class Offer:
    """What is about to be downloaded.

    Attributes:
        repository: that it is of.
        files: how many.
        size: bytes of all.
    """

    repository: Repository
    files: int
    size: int


def pull(
    source: str,
    name: str = "",
    allow_pickle: bool = False,
    watch: Watch | None = None,
    as_family: str = "",
    file: str = "",
    offer: Callable[[Offer], None] = lambda offered: None,
) -> Path:
    """Copy a model from the hub, or from a folder, into the user's models, and return its folder, or file, there.

    What came of a download that broke off is kept aside, and the same call fetches the rest. Of a repository that is no
    folder in diffusers' layout, a weight file is taken: a checkpoint, a part of one, a LoRA file or an embedding.

    Args:
        source: a folder, or a hub repository `user/repo`; looked for in this order. `family:source` is the source with
            `as_family`.
        name: of the model here; empty for the last part of the source's own, or the name of the file.
        allow_pickle: whether pickled weights may be fetched and read.
        watch: of a download, sees every piece that came.
        as_family: the family that it is, whatever its files and its name say; "" to find it out. Where its classes do
            not say it, a `family.json` beside them does from then on.
        file: a weight file of the repository, by its path there or its last name.
        offer: sees what is about to be downloaded, before it is.

    Raises:
        ModelError: it is no model that regrow opens; nothing of it is kept.
        ValueError: there is no such source, the name is taken or no plain name, hub or disk refused, or the repository
            holds several weight files of which none was chosen.
    """
    said, source = split_name(source)
    as_family = as_family or said
    given = Path(source).expanduser()
    local = given.is_dir()
    if not local and (given.exists() or not is_repository(source)):
        named = say("add_names_file", source=source) if given.is_file() else ""
        raise ValueError(say("neither_folder_nor_repo", source=source, named=named))
    if local and file:
        raise ValueError(say("file_only_of_hub"))
    chosen = bool(name)
    name = plain_name(name or (given.resolve().name if local else source.split("/")[1]))
    folder = user_models() / name
    if chosen or not file:
        _check_free(folder)
    place = _place(name if local else source)
    check_home()
    try:
        with only_one(place, "getting"):
            keep = not local  # a download that breaks off
            try:
                if local:
                    as_family = family_of(given, as_family)
                    aside = _copy_model(given, place, as_family, allow_pickle)
                else:
                    with refusals(source, writing=False):
                        repository = listing(source)
                    if file or not has_diffusers_layout(repository):
                        wanted = chosen_file(repository, file, allow_pickle)
                        name = name if chosen else name_of(repository, wanted)
                        folder = _pull_file(repository, wanted, place, name, allow_pickle, watch, offer)
                        keep = False
                        return folder
                    aside = _download(repository, place, as_family, allow_pickle, watch, offer)
                    as_family = family_of(aside, as_family, source)
                if not is_certain(aside, as_family):  # what it is called here may be another thing
                    write_family(aside, as_family)
                open_model(aside, allow_pickle=allow_pickle)
                aside.rename(folder)
                keep = False
            except ModelError as error:
                keep = False
                said = re.sub(rf"{re.escape(str(place))}.\w+", lambda _: source, str(error))
                raise ModelError(said) from error
            finally:
                if not keep:
                    shutil.rmtree(place, ignore_errors=True)
    finally:
        with contextlib.suppress(OSError):  # they are not empty
            place.parent.rmdir()
            user_models().rmdir()
    return folder


def unfinished_pulls() -> list[Unfinished]:
    """Return the downloads that broke off, or are at work; the same `pull` goes on with them."""
    return unfinished(_places())


def forget(repo: str) -> None:
    """Remove what came of a download that broke off.

    Raises:
        ValueError: it is at work.
    """
    place = _place(repo)
    with only_one(place, "getting"):
        shutil.rmtree(place, ignore_errors=True)
    with contextlib.suppress(OSError):  # there are others
        place.parent.rmdir()


def _places() -> Path:
    """Where models are while they come: not beside the models, with which an unfinished one would be listed."""
    return user_models() / ".pulling"


def _place(name: str) -> Path:
    return _places() / name.replace("/", "--")


def _copy_model(source: Path, place: Path, as_family: str, allow_pickle: bool) -> Path:
    files = open_model(source, as_family=as_family, allow_pickle=allow_pickle).files
    # of a checkpoint in one file, what says where that is: it stays there
    described = [path for pattern in (*_TOLD, *_OF_VIEWS) for path in source.glob(pattern) if path.is_file()]
    files = [path for path in files if path.is_relative_to(source)]
    for path in (*files, *described):
        check_inside(path, source)
    shutil.rmtree(place / "copy", ignore_errors=True)  # of one that was killed
    copy_files({*files, *described}, source, place / "copy")
    return place / "copy"


def _download(
    repository: Repository,
    place: Path,
    as_family: str,
    allow_pickle: bool,
    watch: Watch | None,
    offer: Callable[[Offer], None],
) -> Path:
    """Download a repository's model to a folder in `place`, named by its commit: two of them must not be mixed."""
    repo, commit, files = repository.name, repository.commit, repository.files
    suffixes = {Path(file.name).suffix for file in files}
    if not allow_pickle and ".bin" in suffixes and ".safetensors" not in suffixes:
        raise ModelError(say("repo_pickles_only", repo=repo))
    aside = _aside(place, commit)
    with refusals(repo, writing=False):
        download(repo, commit, _matching(files, ["model_index.json", "config.json", FAMILY_FILE]), aside)
    family_of(aside, as_family, repo)  # a model that regrow does not open is known before gigabytes are on their way
    wanted = _matching(files, [*wanted_files(allow_pickle, [file.name for file in files]), *_TOLD])
    size = sum(file.size for file in wanted)
    offer(Offer(repository, len(wanted), size))
    with refusals(repo, writing=False):
        announce(place, repo, size)
        download(repo, commit, wanted, aside, watch)
    return aside


def _pull_file(
    repository: Repository,
    file: Remote,
    place: Path,
    name: str,
    allow_pickle: bool,
    watch: Watch | None,
    offer: Callable[[Offer], None],
) -> Path:
    """Download a weight file to where files of its kind lie among the user's models."""
    suffix = Path(file.name).suffix
    kind = remote_kind(repository, file)  # what regrow has no use for is known before gigabytes are on their way
    if kind:
        _check_free(place_of(kind, name, suffix))
    aside = _aside(place, repository.commit)
    offer(Offer(repository, 1, file.size))
    with refusals(repository.name, writing=False):
        announce(place, repository.name, file.size, file.name)
        download(repository.name, repository.commit, [file], aside, watch)
    came = aside / file.name
    kind = usable(kind_of(read_header(came, allow_pickle)), f"{file.name} of {repository.name}")
    to = place_of(kind, plain_name(name), suffix)
    _check_free(to)
    to.parent.mkdir(parents=True, exist_ok=True)
    came.rename(to)
    return to


def _aside(place: Path, commit: str) -> Path:
    """A folder for what comes of a commit; what came of others is removed."""
    aside = place / commit
    for old in place.glob("*/"):
        if old != aside:
            shutil.rmtree(old, ignore_errors=True)
    return aside


def _check_free(to: Path) -> None:
    """Refuse a name that is taken, by a folder or by a file."""
    name = to.stem if to.suffix in SUFFIXES else to.name
    if (EMBEDDED / name).exists():
        raise ValueError(say("pulled_name_carried", name=name))
    for taken in (to, *(to.with_name(f"{name}{suffix}") for suffix in ("", *SUFFIXES))):
        if os.path.lexists(taken):
            raise ValueError(say("pulled_name_exists", folder=taken, name=name))


def _matching(files: Iterable[Remote], patterns: list[str]) -> list[Remote]:
    return list(filter_repo_objects(files, allow_patterns=patterns, key=lambda file: file.name))
