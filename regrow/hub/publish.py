"""Remove models, and publish them with a model card; each completely or not at all."""

import contextlib
import shutil
import tempfile
from pathlib import Path

import huggingface_hub

from regrow.hub.hub import refusals
from regrow.hub.model_card import make_card
from regrow.media.cache import check_home
from regrow.media.files import copy_files
from regrow.media.home import home
from regrow.media.one_process import only_one
from regrow.messages.message import say
from regrow.models.folder import check_inside
from regrow.models.model import Model
from regrow.models.open import list_additions, list_models, plain_name, user_models
from regrow.models.registry import is_certain
from regrow.models.sidecars.family_file import write_family
from regrow.models.single_files.header import SUFFIXES
from regrow.training.runs import checkpoints_of, run_of


def size_on_disk(folder: Path) -> int:
    """Bytes of the files in a folder, those behind links too; or of a checkpoint in one file."""
    if folder.is_file():
        return folder.stat().st_size
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def removable(name: str) -> Path:
    """Return the folder, the file, or the link, that `remove` would remove.

    Raises:
        ValueError: not a plain name, a model that regrow carries, one in a folder that was added, or none of the
            user's.
    """
    folder = user_models() / plain_name(name)
    listed = list_models()
    if folder.is_dir() and any(model.name == name for model in listed):
        return folder
    files = (user_models() / f"{name}{suffix}" for suffix in ("", *SUFFIXES))
    if file := next((path for path in files if path.is_file() and path.suffix in SUFFIXES), None):
        return file
    others = [file.path for file in list_additions()] + [model.folder for model in listed if model.folder.is_file()]
    if file := next((path for path in others if name in (path.stem, path.name)), None):
        if file.is_relative_to(user_models()):
            return file
        raise ValueError(say("model_in_added_folder", name=name, file=file))
    if any(model.name == name for model in listed):
        raise ValueError(say("carried_model_stays", name=name))
    yours = ", ".join(model.name for model in listed if model.folder.parent == user_models()) or "none"
    raise ValueError(say("no_own_model", name=name, folder=user_models(), names=yours))


def training_of(name: str) -> Path | None:
    """Return the folder of the training that made the model of this name, which `remove` removes along with it.

    None without one, and where the training of that name is another's, which is not over and has its checkpoints.
    """
    run = run_of(name)
    made = removable(name)
    return run if run.is_dir() and not checkpoints_of(run) and made.is_dir() and not made.is_symlink() else None


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
        folder.rename(aside / folder.name)
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
            `training.json` cannot be read, a file is a link to one elsewhere, or the disk refused; nothing is left
            behind.
    """
    _check_own_weights(model, repo)
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
    _check_own_weights(model, repo)
    card = make_card(model, repo)
    check_home()
    api = huggingface_hub.HfApi()
    with refusals(repo, writing=True):
        # None and not False: the hub's own default, which an organisation may have set to private
        url = api.create_repo(repo, private=private or None, exist_ok=True)
        exposed = private and not api.model_info(repo).private  # exist_ok leaves a public one public
    if exposed:
        raise ValueError(say("repo_is_public", repo=repo))
    aside = home() / "cache" / "push" / repo.replace("/", "--")
    shutil.rmtree(aside, ignore_errors=True)  # of one that was killed
    try:
        _write(model, card, aside)
        with refusals(repo, writing=True):
            api.upload_folder(repo_id=repo, folder_path=aside, commit_message="Upload with regrow")
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return str(url)


def _check_own_weights(model: Model, repo: str) -> None:
    """Refuse a model whose weights lie outside its folder."""
    if outside := [path for path in model.files if not path.is_relative_to(model.folder)]:
        raise ValueError(say("weights_lie_outside", name=model.name, outside=outside[0], repo=repo))


def _write(model: Model, card: str, to: Path) -> Path:
    target, source = to.expanduser().resolve(), model.folder.resolve()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ValueError(say("folder_exists", folder=to))
    if target.is_relative_to(source):
        raise ValueError(say("folder_inside_model", folder=to))
    found = (path for path in model.folder.rglob("*") if path.is_file())
    shown = [path for path in found if not any(p.startswith(".") for p in path.relative_to(model.folder).parts)]
    for path in sorted({*shown, *model.files}):
        check_inside(path, model.folder)
    aside = target.with_name(f".{target.name}.part")
    shutil.rmtree(aside, ignore_errors=True)  # of one that was killed
    try:
        copy_files({*shown, *model.files}, model.folder, aside)  # files behind linked folders are among the latter only
        (aside / "README.md").write_text(card, encoding="utf-8")
        if not is_certain(aside, model.family):
            write_family(aside, model.family)
        if target.exists():
            target.rmdir()
        aside.rename(target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return target
