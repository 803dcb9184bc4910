"""Models as things one has, gives away and gets: remove, push with a model card, pull. Whole or not at all."""

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import huggingface_hub
from huggingface_hub import errors
from huggingface_hub.utils import filter_repo_objects

from regrow.families.model import Model, ModelError
from regrow.families.registry import EMBEDDED, family_of, list_models, open_model, user_models, wanted_files
from regrow.media.files import reason
from regrow.media.home import home
from regrow.operations.checkpoint import only_one
from regrow.operations.download import Remote, Unfinished, Watch, announce, download, listing, unfinished
from regrow.operations.model_card import is_repository, make_card
from regrow.operations.runs import checkpoints_of, run_of

# what a model is not read from and yet is worth keeping beside it
_TOLD = ["README.md", "LICENSE*", "training.json", "words.json", "samples/*.png"]


def size_on_disk(folder: Path) -> int:
    """Bytes of the files in a folder, those behind links too."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def removable(name: str) -> Path:
    """The folder, or the link, that `remove` would remove.

    Raises:
        ValueError: not a plain name, a model that regrow carries, or none of the user's.
    """
    folder = user_models() / _plain(name)
    listed = list_models()
    if any(model.name == name for model in listed):
        if folder.is_dir():
            return folder
        raise ValueError(f"{name} is carried by regrow itself and cannot be removed.")
    yours = ", ".join(model.name for model in listed if model.folder.parent == user_models()) or "none"
    raise ValueError(f"There is no model {name!r} in {user_models()}; the models there are: {yours}.")


def training_of(name: str) -> Path | None:
    """The folder of the training that made the model of this name, which `remove` removes along with it.

    None without one, and where the training of that name is another's, which is not over and has its checkpoints.
    """
    run = run_of(name)
    return run if run.is_dir() and not checkpoints_of(run) and not removable(name).is_symlink() else None


def remove(name: str) -> Path:
    """Remove a model of the user's and its training, which would make it again; of a link, the link alone.

    Killed, it leaves the whole model or none of it.

    Raises:
        ValueError: see `removable`; or its name is that of a training that is at work.
    """
    folder, run = removable(name), training_of(name)
    for left in user_models().glob(".removed-*"):  # by one that was killed
        shutil.rmtree(left, ignore_errors=True)
    with only_one(run) if run else contextlib.nullcontext():
        aside = Path(tempfile.mkdtemp(prefix=".removed-", dir=user_models()))
        folder.rename(aside / name)
        shutil.rmtree(aside)  # which follows no link
        if run:
            shutil.rmtree(run)
    return folder


def write_publishable(model: Model, repo: str, to: Path) -> Path:
    """Write what `upload` puts on the hub to a folder: the model's files and a model card, without hidden files.

    Args:
        model: an opened one.
        repo: the hub repository `user/repo` that the card speaks of.
        to: a folder that is not there yet, or is empty.

    Raises:
        ValueError: `repo` is no such name, `to` is taken or lies in the model's own folder, README.md or
            `training.json` cannot be read, or the disk refused; nothing is left behind.
    """
    return _write(model, make_card(model, repo), to)


def upload(model: Model, repo: str, private: bool) -> str:
    """Put a model with its card into a hub repository, made if it is not there, and return its address.

    Args:
        model: an opened one.
        repo: `user/repo`.
        private: whether it must be a private one.

    Raises:
        ValueError: see `write_publishable`; or nobody is logged in, the hub refused or is out of reach, or the
            repository is there and public where a private one was asked for.
    """
    card = make_card(model, repo)
    api = huggingface_hub.HfApi()
    with _hub(repo, writing=True):
        # None and not False: the hub's own default, which an organisation may have set to private
        url = api.create_repo(repo, private=private or None, exist_ok=True)
        exposed = private and not api.model_info(repo).private  # exist_ok leaves a public one public
    if exposed:
        raise ValueError(
            f"{repo} is on the hub already and is public, and nothing was uploaded; make it private in its settings "
            "there, choose another name, or leave out --private."
        )
    aside = home() / "cache" / "push" / repo.replace("/", "--")
    shutil.rmtree(aside, ignore_errors=True)  # of one that was killed
    try:
        _write(model, card, aside)
        with _hub(repo, writing=True):
            api.upload_folder(repo_id=repo, folder_path=aside, commit_message="Upload with regrow")
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return str(url)


def pull(source: str, name: str = "", allow_pickle: bool = False, watch: Watch | None = None) -> Path:
    """Copy a model from the hub, or from a folder, into the user's models, and return its folder there.

    What came of a download that broke off is kept aside, and the same call fetches the rest.

    Args:
        source: a folder, or a hub repository `user/repo`; looked for in this order.
        name: of the model here; empty for the last part of the source's own.
        allow_pickle: whether pickled weights may be fetched and read.
        watch: of a download, sees every piece that came.

    Raises:
        ModelError: it is no model that regrow opens; nothing of it is kept.
        ValueError: there is no such source, the name is taken or no plain name, or hub or disk refused.
    """
    given = Path(source).expanduser()
    local = given.is_dir()
    if not local and (given.exists() or not is_repository(source)):
        raise ValueError(f"{source} is neither a folder nor the name of a hub repository (user/repo).")
    name = _plain(name or (given.resolve().name if local else source.split("/")[1]))
    folder = user_models() / name
    if (EMBEDDED / name).exists():
        raise ValueError(f"regrow carries a model {name} itself; choose another name with --name.")
    if os.path.lexists(folder):
        raise ValueError(
            f"{folder} exists already and is never overwritten; choose another name with --name, or remove that one "
            f"first: regrow models remove {name}."
        )
    # not beside the models, where an unfinished one would be listed with them
    place = user_models() / ".pulling" / (name if local else source.replace("/", "--"))
    try:
        with only_one(place, "getting"):
            keep = not local  # a download that breaks off
            try:
                if local:
                    aside = _copy_model(given, place, allow_pickle)
                else:
                    aside = _download(source, place, allow_pickle, watch)
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
    """The downloads that broke off, or are at work; the same `pull` goes on with them."""
    return unfinished(user_models() / ".pulling")


def _copy_model(source: Path, place: Path, allow_pickle: bool) -> Path:
    files = open_model(source, allow_pickle=allow_pickle).files
    told = [path for pattern in _TOLD for path in source.glob(pattern) if path.is_file()]
    shutil.rmtree(place / "copy", ignore_errors=True)  # of one that was killed
    _copy({*files, *told}, source, place / "copy")
    return place / "copy"


def _download(repo: str, place: Path, allow_pickle: bool, watch: Watch | None) -> Path:
    """Download a repository's model to a folder in `place`, named by its commit: two of them must not be mixed."""
    with _hub(repo, writing=False):
        commit, files = listing(repo)
    suffixes = {Path(file.name).suffix for file in files}
    if not allow_pickle and ".bin" in suffixes and ".safetensors" not in suffixes:
        raise ModelError(
            f"{repo} has pickled weights only (.bin), which can run any program when they are read; use "
            "--allow-pickle if you trust where it comes from."
        )
    aside = place / commit
    for old in place.glob("*/"):
        if old != aside:
            shutil.rmtree(old, ignore_errors=True)
    with _hub(repo, writing=False):
        download(repo, commit, _matching(files, ["model_index.json", "config.json"]), aside)
    family_of(aside)  # a model that regrow does not open is known before gigabytes are on their way
    wanted = _matching(files, [*wanted_files(allow_pickle), *_TOLD])
    with _hub(repo, writing=False):
        announce(place, repo, sum(file.size for file in wanted))
        download(repo, commit, wanted, aside, watch)
    return aside


def _matching(files: Iterable[Remote], patterns: list[str]) -> list[Remote]:
    return list(filter_repo_objects(files, allow_patterns=patterns, key=lambda file: file.name))


def _write(model: Model, card: str, to: Path) -> Path:
    target, source = to.expanduser().resolve(), model.folder.resolve()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ValueError(f"{to} exists already and is never overwritten; choose a new or an empty folder.")
    if target.is_relative_to(source):
        raise ValueError(f"{to} lies in the model's own folder; choose one outside it.")
    found = (path for path in model.folder.rglob("*") if path.is_file())
    shown = [path for path in found if not any(p.startswith(".") for p in path.relative_to(model.folder).parts)]
    aside = target.with_name(f".{target.name}.part")
    shutil.rmtree(aside, ignore_errors=True)  # of one that was killed
    try:
        _copy({*shown, *model.files}, model.folder, aside)  # files behind linked folders are among the latter only
        (aside / "README.md").write_text(card, encoding="utf-8")
        if target.exists():
            target.rmdir()
        aside.rename(target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return target


def _copy(files: Iterable[Path], source: Path, to: Path) -> None:
    """Copy files, and what links lead to, to the same places in another folder."""
    try:
        for path in files:
            target = to / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    except OSError as error:
        raise ValueError(
            f"{source} could not be copied ({reason(error)}), and nothing was left; look at {error.filename or to}."
        ) from error


def _plain(name: str) -> str:
    if not name.strip() or name.startswith(".") or set(name) & set('/\\:*?"<>|'):
        raise ValueError(f"{name!r} is no name of a model here: give a plain name, not a path.")
    return name


@contextlib.contextmanager
def _hub(repo: str, writing: bool) -> Iterator[None]:
    """Turn whatever the hub's client raises into one sentence with what to do."""
    try:
        yield
    except Exception as error:  # a dozen classes, by what failed on the way
        status = error.response.status_code if isinstance(error, errors.HfHubHTTPError) else None
        address = f"https://huggingface.co/{repo}"
        unknown = status == 401 or isinstance(error, errors.LocalTokenNotFoundError | errors.RepositoryNotFoundError)
        if isinstance(error, errors.GatedRepoError):
            said = (
                f"{repo} is for those only whom its author lets in; ask at {address}, then log in with `hf auth login`"
            )
        elif unknown and writing:
            said = "The hub does not know you; log in with `hf auth login` and a token that may write, then try again"
        elif unknown:
            said = f"The hub has no model {repo}, or hides it; check the name, or log in with `hf auth login`"
        elif status == 403:
            said = (
                f"You may not write to {repo}; check that {repo.split('/')[0]} is you or an organisation of yours, and "
                "log in with `hf auth login` and a token that may write"
                if writing
                else f"You may not read {repo}; log in with `hf auth login` and a token that may"
            )
        elif isinstance(error, errors.OfflineModeIsEnabled):
            said = "HF_HUB_OFFLINE is set, which keeps the hub out of reach; unset it and try again"
        else:
            verb, rest = ("uploaded", "") if writing else ("downloaded", ", which goes on where this stopped")
            said = (
                f"{repo} could not be {verb} ({reason(error)}); check network and disk and run the same command again"
            )
            said += rest
        raise ValueError(f"{said}.") from error
