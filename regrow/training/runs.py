"""A run's folder: the request that began it, what may still be changed, and what goes when it is over."""

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

from regrow.media.files import write_whole
from regrow.media.home import home
from regrow.models.open import EMBEDDED, user_models
from regrow.requests.train import FREE, Train


def run_of(name: str) -> Path:
    """The folder of the run of this name."""
    return home() / "runs" / name


def checkpoints_of(run: Path) -> list[Path]:
    """The checkpoints in a run's folder, damaged ones as well."""
    return [*run.glob("*/step-*.safetensors"), *run.glob("*/best.safetensors")]


def resumed(request: Train) -> Train:
    """The request as it is carried out: of one to resume the one that began the run; its folders by full paths.

    Raises:
        ValueError: there is no such run, or its request cannot be read.
    """
    if not request.resume:
        return _placed(request)
    path = run_of(request.resume) / "request.json"
    if not path.is_file():
        names = sorted(p.parent.name for p in (home() / "runs").glob("*/request.json"))
        raise ValueError(f"There is no run {request.resume!r} to resume; there are: {', '.join(names) or 'none'}.")
    changed = {name: getattr(request, name) for name in FREE if getattr(request, name) not in (None, ())}
    return replace(_read(path), **changed)


def finished(request: Train) -> Path | None:
    """The model of a run that is to be resumed and is over; None for all others."""
    folder = user_models() / request.resume
    over = request.resume and (run_of(request.resume) / "request.json").is_file() and folder.exists()
    return folder if over else None


def check_name(request: Train) -> None:
    """Refuse a name whose model could not be written, or could not be opened by it.

    Raises:
        ValueError: there is a model of this name, regrow's own or the user's.
    """
    if (EMBEDDED / request.name).exists():
        raise ValueError(f"regrow carries a model {request.name} itself; choose another --name.")
    folder = user_models() / request.name
    if folder.exists():
        raise ValueError(f"{folder} exists already and is never overwritten; choose another --name.")


def check_request(request: Train) -> None:
    """Refuse to go on with other settings than those that began the run, if there is anything to go on from.

    Raises:
        ValueError: the run has checkpoints that were made with other settings.
    """
    path = run_of(request.name) / "request.json"
    if not (path.is_file() and checkpoints_of(path.parent)):
        return
    changed = [f"{key} was {before} and is {now}" for key, (before, now) in _changes(_read(path), request).items()]
    if changed:
        raise ValueError(
            f"The run {request.name!r} began with other settings ({'; '.join(changed)}); go on with "
            f"`regrow train --resume {request.name}`, or choose another --name."
        )


def clear(request: Train) -> None:
    """Drop what other settings left behind that never came to a checkpoint: an untrained model, a log."""
    run = run_of(request.name)
    path = run / "request.json"
    if checkpoints_of(run) or (path.is_file() and not _changes(_read(path), request)):
        return
    for left in run.iterdir():
        if left.is_dir():
            shutil.rmtree(left)
        elif left.name != "lock":
            left.unlink()


def keep_request(request: Train) -> None:
    """Write down what begins the run."""
    settings = asdict(request) | {"data": str(request.data) if request.data else None}
    path = run_of(request.name) / "request.json"
    write_whole(path, (json.dumps(settings, indent=1, ensure_ascii=False) + "\n").encode())


def other_data(name: str, content: str) -> tuple[str, ...]:
    """A sentence where a run that has checkpoints goes on with other data than it began with, which are noted.

    Args:
        name: of the run.
        content: the hash of what it is trained on now.
    """
    run = run_of(name)
    path = run / "data.txt"
    before = path.read_text(encoding="utf-8") if path.is_file() else content
    write_whole(path, content.encode())
    if before == content or not checkpoints_of(run):
        return ()
    return (
        "NOTE: what this run is trained on has changed since it began, so it does not end as it would have ended, and "
        "pictures or sounds that were held out may be trained on now.",
    )


def spend(name: str) -> None:
    """Of a run whose model is published drop what it would have gone on from; its log and samples stay."""
    run = run_of(name)
    for path in checkpoints_of(run):
        path.unlink(missing_ok=True)
    for left in (run / "start", run / "lora"):  # the model holds both, trained
        shutil.rmtree(left, ignore_errors=True)


def diverged(stage: str, step: int, rate: float, run: Path) -> str:
    """Return the sentence for a stage whose loss is not finite any more: what to do, and whether anything is kept."""
    sentence = (
        f"The {stage} diverged at step {step}, where its loss is no finite number any more: lower --rate, which was"
    )
    if checkpoints_of(run):
        return (
            f"{sentence} {rate:g}, and choose another --name; the last good checkpoints are kept in {run}, but to "
            "go on from them with the same settings would end the same way."
        )
    return f"{sentence} {rate:g}, and run it again."


def _read(path: Path) -> Train:
    settings = json.loads(path.read_text(encoding="utf-8"))
    settings |= {key: tuple(value) for key, value in settings.items() if isinstance(value, list)}  # JSON has no tuples
    settings["data"] = Path(settings["data"]) if settings["data"] else None
    if settings["start"]:  # earlier runs wrote down what a new model would have been
        settings |= {"objective": None, "new": None}
    return _placed(Train(**settings))


def _placed(request: Train) -> Train:
    """The same by full paths, which hold wherever it is resumed; what is no folder is the name of a model."""
    return replace(
        request,
        data=request.data.expanduser().resolve() if request.data else None,
        start=_full_path(request.start),
        codec=_full_path(request.codec) if request.codec else request.codec,
    )


def _full_path(model: str) -> str:
    folder = Path(model).expanduser() if model else None
    is_folder = folder is not None and any((folder / name).is_file() for name in ("model_index.json", "config.json"))
    return str(folder.resolve()) if folder is not None and is_folder else model


def _changes(before: Train, now: Train) -> dict[str, tuple[object, object]]:
    """What differs between two requests and decides what is learned."""
    pairs = {key: (value, getattr(now, key)) for key, value in asdict(before).items()}
    return {key: pair for key, pair in pairs.items() if key not in (*FREE, "dry_run") and pair[0] != pair[1]}
