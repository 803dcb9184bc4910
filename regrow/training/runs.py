"""The folder of a run: its request, the settings that may still change, and the files deleted at the end."""

import json
import shutil
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

from regrow.media.files import reason, write_whole
from regrow.media.home import home
from regrow.messages.message import say
from regrow.models.open import EMBEDDED, user_models
from regrow.requests.train import FREE, Train


def run_of(name: str) -> Path:
    """Return the folder of the run of this name."""
    return home() / "runs" / name


def checkpoints_of(run: Path) -> list[Path]:
    """Return the checkpoints in a run's folder, damaged ones as well."""
    return [*run.glob("*/step-*.safetensors"), *run.glob("*/best.safetensors")]


def resumed(request: Train) -> Train:
    """Return the request with full paths; for a resumed run, the request that began it with new `FREE` settings.

    Raises:
        ValueError: there is no such run, or its request cannot be read.
    """
    if not request.resume:
        return _placed(request)
    path = run_of(request.resume) / "request.json"
    if not path.is_file():
        names = sorted(p.parent.name for p in (home() / "runs").glob("*/request.json"))
        raise ValueError(say("no_run_to_resume", name=request.resume, names=", ".join(names) or "none"))
    changed = {name: getattr(request, name) for name in FREE if getattr(request, name) not in (None, ())}
    return replace(_read(path), name=request.resume, **changed)  # the folder may have been renamed


def finished(request: Train) -> Path | None:
    """Return the model's folder if the request resumes a run that is over; None otherwise."""
    folder = user_models() / request.resume
    over = request.resume and (run_of(request.resume) / "request.json").is_file() and folder.exists()
    return folder if over else None


def check_name(request: Train) -> None:
    """Refuse the name of an existing model.

    Raises:
        ValueError: there is a model of this name, regrow's own or the user's.
    """
    if (EMBEDDED / request.name).exists():
        raise ValueError(say("trained_name_carried", name=request.name))
    folder = user_models() / request.name
    if folder.exists():
        raise ValueError(say("trained_name_exists", folder=folder))


def check_request(request: Train) -> None:
    """Refuse to continue a run that has checkpoints with settings other than those it began with.

    Raises:
        ValueError: the run has checkpoints that were made with other settings.
    """
    path = run_of(request.name) / "request.json"
    if not (path.is_file() and checkpoints_of(path.parent)):
        return
    changed = [
        say("setting_changed", key=key, before=before, now=now)
        for key, (before, now) in _changes(_read(path), request).items()
    ]
    if changed:
        raise ValueError(say("run_began_otherwise", name=request.name, changed="; ".join(changed)))


def clear(request: Train) -> None:
    """Delete remains of a run with other settings that has no checkpoint: an untrained model, a log."""
    run = run_of(request.name)
    path = run / "request.json"
    if checkpoints_of(run):
        return
    with suppress(ValueError):  # a damaged request without any checkpoint
        if path.is_file() and not _changes(_read(path), request):
            return
    for left in run.iterdir():
        if left.is_dir():
            shutil.rmtree(left)
        elif left.name != "lock":
            left.unlink()


def keep_request(request: Train) -> None:
    """Write the request that begins the run into its folder."""
    settings = asdict(request) | {"data": str(request.data) if request.data else None}
    path = run_of(request.name) / "request.json"
    write_whole(path, (json.dumps(settings, indent=1, ensure_ascii=False) + "\n").encode())


def other_data(name: str, content: str) -> tuple[str, ...]:
    """Return a sentence if a run with checkpoints continues with other data than before; record the present data.

    Args:
        name: of the run.
        content: the hash of the present training data.
    """
    run = run_of(name)
    path = run / "data.txt"
    before = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else content
    write_whole(path, content.encode())
    if before == content or not checkpoints_of(run):
        return ()
    return (say("training_data_changed"),)


def spend(name: str) -> None:
    """Delete the checkpoints and start of a run whose model is published; its log and samples stay."""
    run = run_of(name)
    for path in checkpoints_of(run):
        path.unlink(missing_ok=True)
    for left in (run / "start", run / "lora"):  # the published model holds both, trained
        shutil.rmtree(left, ignore_errors=True)


def diverged(stage: str, step: int, rate: float, run: Path) -> str:
    """Return the sentence for a stage whose loss is no longer finite: what to do, and whether checkpoints are kept."""
    sentence = say("stage_diverged", stage=stage, step=step)
    if checkpoints_of(run):
        return say("diverged_choose_name", sentence=sentence, rate=rate, run=run)
    return say("diverged_run_again", sentence=sentence, rate=rate)


def _read(path: Path) -> Train:
    """Return the request that began a run.

    Raises:
        ValueError: the file is damaged.
    """
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
        settings |= {
            key: tuple(value) for key, value in settings.items() if isinstance(value, list)
        }  # JSON has no tuples
        settings["data"] = Path(settings["data"]) if settings["data"] else None
        if settings["start"]:  # earlier versions stored settings of a new model here too
            settings |= {"objective": None, "new": None}
        return _placed(Train(**settings))
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as problem:
        raise ValueError(say("run_request_damaged", path=path, reason=reason(problem))) from problem


def _placed(request: Train) -> Train:
    """Return the request with full paths, valid wherever it is resumed; names of models are unchanged."""
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
    """Return the differences between two requests that affect the result of the training."""
    pairs = {key: (value, getattr(now, key)) for key, value in asdict(before).items()}
    return {key: pair for key, pair in pairs.items() if key not in (*FREE, "dry_run", "name") and pair[0] != pair[1]}
