"""Run `regrow models`: print the models on this machine, one of them, or the result of a change."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from regrow.core.levels import Level
from regrow.hub import model_card, publish, pulling
from regrow.hub.download import size_text
from regrow.interfaces.reporting import print_facts
from regrow.messages.message import say
from regrow.models.model import Model
from regrow.models.model_text import frames_text
from regrow.models.open import EMBEDDED, list_additions, list_models, open_model
from regrow.models.probes.attributes import read_describer
from regrow.models.single_files.folders import forget_folder
from regrow.models.single_files.weights_file import WEIGHTS_FILE
from regrow.worlds.world import WORLDS


def list_all(as_json: bool) -> None:
    """Print every model that can be opened by name."""
    found = [
        {
            "name": listed.name,
            "folder": str(listed.folder),
            "family": listed.family,
            "bytes": publish.size_on_disk(listed.folder),
            "embedded": listed.folder.parent == EMBEDDED,
        }
        for listed in list_models()
    ]
    more = [
        {
            "name": file.path.stem,
            "file": str(file.path),
            "kind": file.kind.title.partition(" ")[2].partition(" (")[0],
            "bytes": publish.size_on_disk(file.path),
        }
        for file in list_additions()
    ]
    unfinished = pulling.unfinished_pulls()
    names = max((len(model["name"]) for model in [*found, *more]), default=0)
    print_facts(
        as_json,
        {"models": found, "additions": more, "unfinished": [asdict(one) for one in unfinished]},
        *(
            f"{m['name']:{names}}  {m['family'] or 'cannot be opened':16}  {size_text(m['bytes']):>8}  "
            + (say("carried_by_regrow") if m["embedded"] else m["folder"])
            for m in found
        ),
        *(f"{m['name']:{names}}  {m['kind']:16}  {size_text(m['bytes']):>8}  {m['file']}" for m in more),
        *(say("why_not_opened", name=m["name"]) for m in found if not m["family"]),
        *(
            say(
                "download_broke_off",
                got=size_text(one.came),
                whole=size_text(one.size),
                repo=one.repo,
                file=f" --file {one.file}" if one.file else "",
            )
            for one in unfinished
        ),
        *([] if unfinished or any(not m["embedded"] for m in found) else [say("get_another")]),
    )


def show(name: str, as_family: str, as_json: bool, allow_pickle: bool) -> None:
    """Print the known facts about one model."""
    model = open_model(name, as_family=as_family, allow_pickle=allow_pickle)
    facts = model_facts(model)
    schedule, trained = facts["schedule"], model_card.flat(facts["training"])
    lines = {
        "name": facts["name"],
        "folder": facts["folder"],
        "weights": ", ".join(facts["elsewhere"]),
        "family": facts["family"],
        "medium": facts["medium"],
        "size": frames_text(model),
        "singers": ", ".join(model.singers),
        "predicts": facts["predicts"],
        "levels": f"{_level_text(schedule['clean'])} (clean)",
        "": f"{_level_text(schedule['noisiest'])} (noisiest)",
        "parameters": ", ".join(f"{part} {_count_text(count)}" for part, count in facts["parameters"].items()),
        "on disk": size_text(facts["bytes"]),
        "licence": facts["licence"] or "not stated",
        "hash": facts["hash"],
    }
    print_facts(
        as_json,
        facts,
        *(f"{key:10}  {value}" for key, value in lines.items() if value),
        *_words_text(facts["words"]),
        *(["trained"] if trained else []),
        *(f"  {key}: {value}" for key, value in trained.items()),
        *facts["notes"],
    )


def remove(name: str, yes: bool, as_json: bool) -> None:
    """Remove a user's model with its training, or an unfinished download; or say what would be removed.

    Raises:
        ValueError: it cannot be removed, or `yes` is not set.
    """
    came = next((one.came for one in pulling.unfinished_pulls() if one.repo == name), None)
    if came is not None:
        what = say("what_download", name=name, size=size_text(came))
        if not yes:
            raise ValueError(say("would_remove", what=what))
        pulling.forget(name)
        print_facts(as_json, {"removed": name, "training": None, "bytes": came}, say("removed", what=what))
        return
    if forget_folder(Path(name)):
        print_facts(as_json, {"removed": name, "training": None, "bytes": 0}, say("folder_forgotten", name=name))
        return
    folder = publish.removable(name)
    link = folder.is_symlink()
    freed = 0 if link else publish.size_on_disk(folder)
    what = say("what_link", folder=folder) if link else f"{folder} ({size_text(freed)})"
    if (folder / WEIGHTS_FILE).is_file():
        what += say("weights_elsewhere")
    run = publish.training_of(name)
    if run:
        size = publish.size_on_disk(run)
        freed, what = freed + size, say("what_with_training", what=what, run=run, size=size_text(size))
    if not yes:
        raise ValueError(say("would_remove_for_good", what=what))
    publish.remove(name)
    facts = {"removed": str(folder), "training": str(run) if run else None, "bytes": freed}
    print_facts(as_json, facts, say("removed", what=what))


def push(
    name: str, repo: str, to: Path | None, private: bool, as_family: str, as_json: bool, allow_pickle: bool
) -> None:
    """Publish a model on the hub, or write the files to a folder instead.

    Raises:
        ValueError: see `publish.write_publishable` and `publish.upload`; or both `to` and `private` are given.
    """
    if to and private:
        raise ValueError(say("private_only_for_hub"))
    model = open_model(name, as_family=as_family, allow_pickle=allow_pickle)
    licence = _licence(model)
    missing = "" if licence else say("card_states_no_licence")
    if to:
        folder = publish.write_publishable(model, repo, to)
        size = publish.size_on_disk(folder)
        print_facts(
            as_json,
            {"folder": str(folder), "bytes": size, "licence": licence},
            say("wrote_for_hub", folder=to, size=size_text(size), card=to / "README.md"),
            missing,
            say("upload_it_with", repo=repo, folder=to),
        )
        return
    address = publish.upload(model, repo, private)
    print_facts(
        as_json,
        {"address": address, "licence": licence},
        say("uploaded_to", address=address),
        missing,
        say("anyone_may_use", repo=repo) if model.takes_words else "",
    )


def model_facts(model: Model) -> dict[str, Any]:
    """Return the known facts about an opened model, JSON-able."""
    notes, training, licence = list(model.notes), {}, None
    try:
        training = model_card.read_training(model.folder)
        licence = _licence(model)
    except ValueError as error:  # the model works without these
        notes.append(str(error))
    elsewhere = [path for path in model.files if not path.is_relative_to(model.folder)]
    return {
        "name": model.name,
        "folder": str(model.folder),
        "family": model.family,
        "medium": model.medium.name,
        "size": list(model.size),
        "predicts": model.prediction_type,
        "schedule": {"clean": _level(model.schedule.clean), "noisiest": _level(model.schedule.noisiest)},
        "parameters": model_card.parameters(model),
        # the weights of a single-file checkpoint are elsewhere
        "elsewhere": [str(path) for path in elsewhere],
        "bytes": publish.size_on_disk(model.folder) + sum(path.stat().st_size for path in elsewhere),
        "licence": licence,
        "hash": model.content_hash,
        "words": _words(model),
        "training": training,
        "notes": notes,
    }


def _words(model: Model) -> dict[str, dict[str, list[str]]]:
    """Return the words that a model knows, by attribute and value; empty if it does not record them."""
    describer = read_describer(model.folder, model.latent_channels)
    if describer is None:
        return {}
    world = WORLDS[describer.world]
    listed = world.lexicon.listed
    return {
        name: {value: list(listed[name].get(value, ())) for value in values if value in listed[name]}
        for name, values in world.attributes.items()
    }


def _words_text(words: Mapping[str, Mapping[str, Sequence[str]]]) -> list[str]:
    """Return lines with the first words of each value in both languages."""
    lines = ["words that it knows (more: --json)"] if words else []
    for name, values in words.items():
        lines.append(f"  {name}")
        for value, known in values.items():
            english = [word for word in known if word.isascii() and word != value][:4]
            chinese = [word for word in known if not word.isascii()][:3]
            lines.append(f"    {value:16}{', '.join([*english, *chinese])}")
    return lines


def _licence(model: Model) -> str | None:
    stated = model_card.read_front_matter(model.folder).get("license")
    stated = stated or model_card.read_training(model.folder).get("license")
    return str(stated) if stated else None


def _level(level: Level) -> dict[str, float | None]:
    # JSON has no infinity, which the log-SNR of the first and last level may be
    log_snr = level.log_snr if math.isfinite(level.log_snr) else None
    return {"alpha": level.alpha, "sigma": level.sigma, "log_snr": log_snr}


def _level_text(level: dict[str, float | None]) -> str:
    infinite = "infinite" if level["alpha"] else "minus infinite"
    log_snr = infinite if level["log_snr"] is None else f"{level['log_snr']:.2f}"
    return f"alpha {level['alpha']:.4g}, sigma {level['sigma']:.4g}, log-SNR {log_snr}"


def _count_text(count: int) -> str:
    return f"{count / 1e6:.2f} M" if count >= 1e5 else f"{count:,}"
