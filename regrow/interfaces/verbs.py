"""What the command line's verbs do: open the model, run the operation, write the files, say so."""

import json
import re
import sys
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from tqdm import tqdm

from regrow.families.model import Model
from regrow.families.registry import open_model
from regrow.media.image import check_savable, save
from regrow.media.sheet import sheet as make_sheet
from regrow.operations import compare as comparing
from regrow.operations import edit as editing
from regrow.operations import generate as generating
from regrow.operations import inspect as inspecting
from regrow.operations import invert as inverting
from regrow.operations import replay as replaying
from regrow.operations.progress import Progress, finish
from regrow.operations.requests import Edit, Generate, Invert
from regrow.operations.trajectories import save_trajectory

if TYPE_CHECKING:
    from regrow.interfaces.cli import Run

Result = TypeVar("Result")


def generate(request: Generate, run: "Run", out: Path | None) -> None:
    first = _checked(out or Path(f"{_slug(request.prompt)}.png"))
    model = opened(request.model, run)
    made = watched(generating.generate(request, model), run)
    paths = _paths(first, len(made.pictures))
    for path, picture, recipe in zip(paths, made.pictures, made.recipes, strict=True):
        save(path, picture, recipe)
    figures = made.recipes[0]["figures"]
    _say(
        run,
        {"files": paths, "notes": made.notes, "recipes": made.recipes},
        *made.notes,
        *(f"wrote {path} (seed {request.seed + i})" for i, path in enumerate(paths)),
        f"{figures['evaluations']} evaluations, {figures['seconds']} s; again with: regrow replay {paths[0]}",
    )


def edit(request: Edit, run: "Run", out: Path | None, sheet: Path | None) -> None:
    first = _checked(out or Path(f"{request.image.stem}-{_slug(request.target[0])}.png"))
    if sheet:
        check_savable(sheet)
    model = opened(request.model, run)
    if sheet:
        compared = watched(comparing.compare(request, model), run)
        edited = compared.edited
        save(sheet, make_sheet([compared.row], title="regrow edit"), {"regrow": "sheet", "of": edited.recipes[0]})
    else:
        edited = watched(editing.edit(request, model), run)
    paths = _paths(first, len(edited.pictures))
    for path, picture, recipe in zip(paths, edited.pictures, edited.recipes, strict=True):
        save(path, picture, recipe)
    figures = edited.recipes[0]["figures"]
    counted = figures["evaluations"]
    _say(
        run,
        {"files": [*paths, *([sheet] if sheet else [])], "notes": edited.notes, "recipes": edited.recipes},
        *edited.notes,
        *(
            f"wrote {path}: {distance_text(recipe['figures']['to_source'])} to the source"
            for path, recipe in zip(paths, edited.recipes, strict=True)
        ),
        *([f"wrote {sheet}"] if sheet else []),
        f"{counted['inversion']} evaluations for the inversion{' (kept from before)' if edited.reused else ''}, "
        f"{counted['regrowth']} for the regrowth, {figures['seconds']} s; again with: regrow replay {paths[0]}",
    )


def invert(request: Invert, run: "Run", out: Path | None) -> None:
    model = opened(request.model, run)
    inverted = watched(inverting.invert(request, model), run)
    (path,) = _paths(out or Path(f"{request.image.stem}.safetensors"), 1)
    save_trajectory(path, inverted.trajectory, inverted.made_of)
    stuck = [c for c in inverted.trajectory.convergence if not c.converged]
    accuracy = inverted.latent_accuracy
    _say(
        run,
        {
            "file": path,
            "notes": inverted.notes,
            "evaluations": inverted.evaluations,
            "seconds": inverted.seconds,
            "round_trip": inverted.round_trip,
            "latent_accuracy": accuracy,
            "convergence": [
                {"iterations": c.iterations, "residual": c.residual, "converged": c.converged}
                for c in inverted.trajectory.convergence
            ],
        },
        *inverted.notes,
        f"wrote {path}",
        f"{inverted.evaluations} evaluations, {inverted.seconds} s",
        f"round trip: RMS {inverted.round_trip:.2e} in the latent (0 = the way back ends where it began)",
        *(
            [f"latent accuracy: {accuracy:.2e} of the noise is off, against {request.reference} steps"]
            if accuracy is not None
            else []
        ),
        *([f"{len(stuck)} steps did not converge, the worst to {max(c.residual for c in stuck):.1e}"] if stuck else []),
    )


def replay(file: Path, run: "Run", out: Path | None) -> None:
    first = _checked(out or Path(f"{file.stem}-replayed.png"))
    recipe = replaying.recipe_in(file)
    request = replaying.request_from(recipe)
    model = opened(request.model, run)
    replayed = watched(replaying.replay(recipe, request, model), run)
    (path,) = _paths(first, 1)
    save(path, replayed.picture, replayed.recipe)
    same = "the same, bit for bit" if replayed.identical else "NOT the same: another machine, library or thread count"
    _say(run, {"file": path, "identical": replayed.identical}, f"wrote {path}: {same}")


def verify(name: str, run: "Run") -> None:
    from regrow.verification import formulas, model, report

    _set_threads(run)
    checks: Iterable[Any] = model.verify_model(opened(name, run)) if name else formulas.verify()
    if not report.run(checks, run.json, sys.stdout):
        sys.exit(1)


def inspect(file: Path, run: "Run", model: str, source: str, steps: int, out: Path | None) -> None:
    if not model:
        facts = inspecting.facts_of(file)
        _say(run, facts, *_lines(facts))
        return
    first = _checked(out or Path(f"{file.stem}-inspected.png"))
    inspected = watched(inspecting.inspect_picture(file, source, steps, opened(model, run)), run)
    (path,) = _paths(first, 1)
    assert inspected.page is not None
    save(path, inspected.page)
    _say(run, inspected.facts | {"page": path}, *_lines(inspected.facts), f"wrote {path}")


def opened(name: str, run: "Run") -> Model:
    """A model on the device and with the threads that a command asks for."""
    _set_threads(run)
    return open_model(name, allow_pickle=run.allow_pickle, device=run.device, dtype=getattr(torch, run.dtype))


def _set_threads(run: "Run") -> None:
    if run.threads:
        torch.set_num_threads(run.threads)


def watched(operation: Generator[Progress, None, Result], run: "Run") -> Result:
    """Run an operation under a bar that shows the time left, one bar a part."""
    bars: dict[str, tqdm] = {}

    def watch(progress: Progress) -> None:
        if progress.part not in bars or bars[progress.part].n > progress.index:
            for bar in bars.values():
                bar.close()
            bars[progress.part] = tqdm(
                total=progress.steps, desc=progress.part, unit="step", leave=False, disable=run.json or None
            )
        bars[progress.part].update(progress.index - bars[progress.part].n)

    try:
        return finish(operation, watch)
    finally:
        for bar in bars.values():
            bar.close()


def _paths(first: Path, count: int) -> list[Path]:
    """`count` file names that are free: the wanted one, or with numbers."""
    found: list[Path] = []
    number = 1
    candidate = first
    while len(found) < count:
        if not candidate.exists():
            found.append(candidate)
        number += 1
        candidate = first.with_name(f"{first.stem}-{number}{first.suffix}")
    return found


def _checked(path: Path) -> Path:
    check_savable(path)
    return path


def _slug(words: str) -> str:
    return re.sub(r"[\W_]+", "-", words).strip("-").lower()[:60] or "picture"


def distance_text(figures: dict[str, float | None]) -> str:
    """A distance as words: "PSNR 31.2 dB, SSIM 0.98"."""
    decibels = "equal" if figures["psnr"] is None else f"PSNR {figures['psnr']} dB"
    return f"{decibels}, SSIM {figures['ssim']}"


def _lines(facts: dict[str, Any], indent: str = "") -> list[str]:
    lines = []
    for key, value in facts.items():
        if isinstance(value, dict):
            lines += [f"{indent}{key}:", *_lines(value, indent + "  ")]
        else:
            lines.append(f"{indent}{key}: {value}")
    return lines


def _say(run: "Run", facts: dict[str, Any], *sentences: str) -> None:
    if run.json:
        print(json.dumps(facts, default=str, ensure_ascii=False))
    else:
        for sentence in sentences:
            print(sentence)
