"""Models as things one has, gives away and gets: remove, push with a model card, pull. Whole or not at all.

A model's folder may hold a `training.json`, any JSON object. Of its keys `base_model` and `license` go into the card's
front matter; every other fact goes into one of the card's three sections, by the first word of `_SECTION_OF` on the way
to it, and to the settings without one.
"""

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import huggingface_hub
from huggingface_hub import errors
from huggingface_hub.utils import validate_repo_id

from regrow.families.folder import read_json
from regrow.families.model import Model, ModelError
from regrow.families.registry import EMBEDDED, family_of, list_models, open_model, user_models, wanted_files
from regrow.media.files import reason
from regrow.media.home import home

# what a model is not read from and yet is worth keeping beside it
_TOLD = ["README.md", "LICENSE*", "training.json", "words.json", "samples/*.png"]
# parts of Stable Diffusion pipelines that regrow does without, so that a pulled folder may lack them
_OPTIONAL = ("safety_checker", "feature_extractor", "image_encoder")
_SECTION_OF = {
    **dict.fromkeys(("data", "dataset", "datasets", "world", "scenes", "pictures", "captions", "notes"), "data"),
    **dict.fromkeys(("settings", "request"), "settings"),
    **dict.fromkeys(("figures", "metrics", "loss", "losses", "validation", "psnr", "seconds", "hours"), "figures"),
}


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


def remove(name: str) -> Path:
    """Remove a model of the user's; of a link, the link alone. Killed, it leaves the whole model or none of it.

    Raises:
        ValueError: see `removable`.
    """
    folder = removable(name)
    if folder.is_symlink():
        folder.unlink()
        return folder
    for left in user_models().glob(".removed-*"):  # by one that was killed
        shutil.rmtree(left, ignore_errors=True)
    aside = Path(tempfile.mkdtemp(prefix=".removed-", dir=user_models()))
    folder.rename(aside / name)
    shutil.rmtree(aside)
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


def pull(source: str, name: str = "", allow_pickle: bool = False) -> Path:
    """Copy a model from the hub, or from a folder, into the user's models, and return its folder there.

    What came whole of a download that broke off is kept aside, and the same call fetches the other files.

    Args:
        source: a folder, or a hub repository `user/repo`; looked for in this order.
        name: of the model here; empty for the last part of the source's own.
        allow_pickle: whether pickled weights may be fetched and read.

    Raises:
        ModelError: it is no model that regrow opens; nothing of it is kept.
        ValueError: there is no such source, the name is taken or no plain name, or hub or disk refused.
    """
    given = Path(source).expanduser()
    local = given.is_dir()
    if not local and (given.exists() or not _is_repository(source)):
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
    keep = not local  # a download that breaks off
    try:
        aside = _copy_model(given, place, allow_pickle) if local else _download(source, place, allow_pickle)
        open_model(aside, allow_pickle=allow_pickle)
        shutil.rmtree(aside / ".cache", ignore_errors=True)  # the hub's own notes on the download
        aside.rename(folder)
        keep = False
    except ModelError as error:
        keep = False
        said = re.sub(rf"{re.escape(str(place))}.\w+", lambda _: source, str(error))
        raise ModelError(said) from error
    finally:
        if not keep:
            shutil.rmtree(place, ignore_errors=True)
        with contextlib.suppress(OSError):  # it is not empty, or was never made
            place.parent.rmdir()
    return folder


def _copy_model(source: Path, place: Path, allow_pickle: bool) -> Path:
    files = open_model(source, allow_pickle=allow_pickle).files
    told = [path for pattern in _TOLD for path in source.glob(pattern) if path.is_file()]
    shutil.rmtree(place, ignore_errors=True)  # of one that was killed
    _copy({*files, *told}, source, place / "copy")
    return place / "copy"


def _download(repo: str, place: Path, allow_pickle: bool) -> Path:
    """Download a repository's model to a folder in `place`, named by its commit: two of them must not be mixed."""
    with _hub(repo, writing=False):
        # first, because without the hub snapshot_download takes what is there for the whole
        info = huggingface_hub.HfApi().model_info(repo)
    names = [Path(sibling.rfilename) for sibling in info.siblings or ()]
    suffixes = {path.suffix for path in names}
    if not allow_pickle and ".bin" in suffixes and ".safetensors" not in suffixes:
        raise ModelError(
            f"{repo} has pickled weights only (.bin), which can run any program when they are read; use "
            "--allow-pickle if you trust where it comes from."
        )
    aside = place / str(info.sha)
    for old in place.glob("*"):
        if old != aside:
            shutil.rmtree(old, ignore_errors=True)
    fetch = partial(huggingface_hub.snapshot_download, repo, revision=info.sha, local_dir=aside)
    with _hub(repo, writing=False):
        fetch(allow_patterns=["model_index.json", "config.json"])
    family_of(aside)  # a model that regrow does not open is known before gigabytes are on their way
    with _hub(repo, writing=False):
        fetch(allow_patterns=[*wanted_files(allow_pickle), *_TOLD])
    return aside


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
            verb, rest = ("uploaded", "") if writing else ("downloaded", ", which fetches only what did not come whole")
            said = (
                f"{repo} could not be {verb} ({reason(error)}); check network and disk and run the same command again"
            )
            said += rest
        raise ValueError(f"{said}.") from error


def make_card(model: Model, repo: str) -> str:
    """The card that goes with a model to a hub repository.

    The README.md in the model's folder stays as it is, but for front matter put before it if it has none; without a
    README.md it is made of what is known.

    Raises:
        ValueError: `repo` is not of the form `user/repo`, or README.md or `training.json` cannot be read.
    """
    if not _is_repository(repo):
        raise ValueError(
            f"{repo!r} is no name of a hub repository; write user/repo, in letters, digits and single - _ . only."
        )
    training, readme = read_training(model.folder), model.folder / "README.md"
    if read_front_matter(model.folder):
        return readme.read_text(encoding="utf-8")
    bases = training.get("base_model") or []
    bases = [str(base) for base in (bases if isinstance(bases, list) else [bases])]
    front = huggingface_hub.ModelCardData(
        license=str(training.get("license") or "unknown"),
        library_name="diffusers",
        tags=["diffusers", "regrow", "text-to-image" if model.text_encoder else "unconditional-image-generation"],
        # the hub looks a base up, and knows nothing of names and folders on this machine
        base_model=[base for base in bases if _is_repository(base) and not Path(base).exists()] or None,
    ).to_yaml()
    own = readme.read_text(encoding="utf-8-sig") if readme.exists() else _card_body(model, repo, training, bases)
    return f"---\n{front.strip()}\n---\n\n{own}"


def parameters(model: Model) -> dict[str, int]:
    """How many parameters each part of a model has, by the name of the part's folder."""
    parts = {"unet": model.unet, "vae": model.codec, "text_encoder": model.text_encoder}
    return {name: sum(p.numel() for p in part.parameters()) for name, part in parts.items() if part is not None}


def read_training(folder: Path) -> dict[str, Any]:
    """The contents of a model's `training.json`; empty without one.

    Raises:
        ModelError: it cannot be read, or holds no JSON object.
    """
    file = folder / "training.json"
    return read_json(file) if file.exists() else {}


def read_front_matter(folder: Path) -> dict[str, Any]:
    """The YAML at the head of a model's README.md; empty without README.md, or without any in it.

    Raises:
        ValueError: it cannot be read.
    """
    readme = folder / "README.md"
    try:
        return (huggingface_hub.metadata_load(readme) or {}) if readme.exists() else {}
    except Exception as error:  # of YAML, of UTF-8, of the disk
        raise ValueError(f"The front matter of {readme} cannot be read ({reason(error)}); mend it first.") from error


def flat(facts: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested facts as dotted keys and words, without those unset; of a long list its length and its last value."""
    said: dict[str, str] = {}
    for key, value in facts.items():
        items = value if isinstance(value, list) else [value]
        if isinstance(value, dict):
            said |= flat(value, f"{prefix}{key}.")
        elif len(items) > 8 or any(isinstance(item, dict | list) for item in items):
            last = "" if isinstance(items[-1], dict | list) else f", the last {_words(items[-1])}"
            said[f"{prefix}{key}"] = f"a list of {len(items)}{last}"
        elif value not in (None, "", []):
            texts = [_words(item) for item in items]
            sentences = len(texts) > 1 and any("," in text for text in texts)
            said[f"{prefix}{key}"] = "; ".join(text.rstrip(".") for text in texts) if sentences else ", ".join(texts)
    return said


def _words(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else " ".join(str(value).split())


def _is_repository(name: str) -> bool:
    try:
        validate_repo_id(name)
    except errors.HFValidationError:
        return False
    return name.count("/") == 1


def _card_body(model: Model, repo: str, training: Mapping[str, Any], bases: list[str]) -> str:
    words = model.text_encoder is not None
    height, width = model.size
    layout = "in the Stable Diffusion layout" if words else "on pixels, without words"
    based = f" It was trained further from {' and '.join(map(_public, bases))}." if bases else ""
    parts = [f"| {name} | {count:,} |" for name, count in parameters(model).items()]
    notes = [note.replace(str(model.folder), "This repository") for note in model.notes]
    samples = sorted((model.folder / "samples").glob("*.png"))[-8:]  # the last: of a numbered row, the ripest
    pictures = " ".join(f"![{path.stem}](samples/{quote(path.name)})" for path in samples)
    sections = [
        f"# {repo.split('/')[1]}",
        f"A diffusion model {layout}, for pictures of {height} x {width} pixels (height x width). Its network predicts "
        f"{model.prediction_type}.{based}",
        "\n".join(["| part | parameters |", "|---|---|", *parts]),
        *notes,
        f"Content hash, as `regrow models show` prints it: `{model.content_hash}`.",
        *(["## Samples", pictures] if samples else []),
        "## How to use it",
        "With regrow:",
        _code("", _with_regrow(repo, words)),
        "With diffusers:",
        _code("python", _with_diffusers(model, repo)),
        *_trained(training),
    ]
    return "\n\n".join(sections) + "\n"


def _code(language: str, lines: list[str]) -> str:
    return "\n".join([f"```{language}", *lines, "```"])


def _with_regrow(repo: str, words: bool) -> list[str]:
    if not words:
        return [f'regrow generate "" --guidance 1 --model {repo}']
    return [
        f'regrow generate "WORDS" --model {repo}',
        f'regrow edit PICTURE --source "WHAT IT SHOWS" --target "WHAT IT SHALL SHOW" --model {repo}',
    ]


def _with_diffusers(model: Model, repo: str) -> list[str]:
    index_file = model.folder / "model_index.json"
    if not index_file.exists():
        return [
            "from diffusers import UNet2DModel",
            "",
            f'network = UNet2DModel.from_pretrained("{repo}")  # the network alone; a pipeline adds a scheduler',
        ]
    index = read_json(index_file)
    kind = "StableDiffusionPipeline" if model.text_encoder else index["_class_name"]
    lacking = [part for part in _OPTIONAL if any(index.get(part) or ()) and not (model.folder / part).is_dir()]
    arguments = "".join(f", {part}=None" for part in lacking)
    variants = {match[1] for path in model.files if (match := re.fullmatch(r".+\.([a-z]\w*)\.safetensors", path.name))}
    arguments += "".join(f', variant="{variant}"' for variant in sorted(variants)[:1])
    call = 'pipeline("WORDS")' if model.text_encoder else "pipeline()"
    return [
        f"from diffusers import {kind}",
        "",
        f'pipeline = {kind}.from_pretrained("{repo}"{arguments})',
        f'{call}.images[0].save("picture.png")',
    ]


def _trained(training: Mapping[str, Any]) -> list[str]:
    """The sections on data, settings and figures, each a table of what `training.json` has for it."""
    rows: dict[str, list[str]] = {"data": [], "settings": [], "figures": []}
    for key, value in flat(training).items():
        words = key.split(".")
        if words[0] in ("base_model", "license"):
            continue
        section = next((_SECTION_OF[word] for word in words if word in _SECTION_OF), "settings")
        cells = (key.removeprefix(f"{section}."), _public(value))
        rows[section].append("| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |")
    sections = []
    for section, title in (("data", "Training data"), ("settings", "Settings"), ("figures", "Figures")):
        table = ["| what | value |", "|---|---|", *rows[section]]
        sections += [f"## {title}", "\n".join(table) if rows[section] else "Not recorded with the model."]
    return sections


def _public(value: str) -> str:
    """A path without the folders of this machine, and anything else as it is."""
    return Path(value).name if Path(value).is_absolute() else value
