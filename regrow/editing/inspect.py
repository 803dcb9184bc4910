"""Inspect a file: its format and recipe, what a model's codec loses, and the path to noise and back in pictures."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor

from regrow.core.denoiser import Batch
from regrow.core.levels import Level
from regrow.core.methods.direct_inversion import direct_inversion
from regrow.core.progress import Progress
from regrow.core.solvers import ddim, solve
from regrow.editing.invert import source_denoiser, watched
from regrow.editing.trajectories import load_trajectory
from regrow.media.image.sheet import Cell, Row, sheet
from regrow.media.medium import medium_of
from regrow.models.model import Model

FRAMES = 8


@dataclass(frozen=True)
class Inspected:
    """Facts of a file as JSON values.

    Attributes:
        facts: of the file, and of what a model loses of it.
        page: `3 h w`; None where a model would have to look.
        lost: what is lost, as the local page says it.
    """

    facts: dict[str, Any]
    page: Float[Tensor, "3 h w"] | None = None
    lost: dict[str, Any] = field(default_factory=dict)


def facts_of(path: Path) -> dict[str, Any]:
    """Return what a picture, a sound or a trajectory file says without any model.

    Raises:
        MediaError: it is none of them.
    """
    if path.suffix != ".safetensors":
        return medium_of(path).facts(path)
    trajectory, made_of = load_trajectory(path)
    ends = [trajectory.levels[0].log_snr, trajectory.levels[-1].log_snr]
    return {
        "file": str(path), "kind": "trajectory", "levels": len(trajectory.levels), "log_snr": ends,
        "shape": list(trajectory.states[0].shape), "anchored": bool(trajectory.offsets), "made_of": made_of,
    }  # fmt: skip


def inspect(path: Path, source: str, steps: int, model: Model | None) -> Generator[Progress, None, Inspected]:
    """Add to the facts what a codec and a round trip lose, and draw a page.

    The page of a picture shows the path to noise and back under `source`. The way back does without the offsets that
    an edit's path keeps, which would hide what the steps lose.

    Raises:
        MediaError: the file cannot be used.
        ValueError: the model is not of the file's medium.
    """
    medium = medium_of(path)
    if model:
        medium.check(None, model)
    facts, page = facts_of(path), medium.page(path, model)
    if page is None:
        return Inspected(facts)
    facts, rows = facts | page.facts, page.rows
    if page.latents is None or model is None:
        return Inspected(facts, sheet(rows, cell=page.cell), page.lost)
    levels = model.grid(steps, shape=page.latents.shape[1:])[::-1]
    denoise = source_denoiser(model, source, 1.0)
    there = (yield from watched(direct_inversion(denoise, page.latents, levels), "invert")).states
    back = []
    for state in solve(ddim, denoise, there[-1], levels[::-1]):
        back.append(state.x)
        yield Progress("regrow", state.index, steps, state.x)
    missed = medium.distance(model.decode(back[-1])[0], model.decode(page.latents)[0], model)
    again = "And back under the same words, without the kept offsets"
    rows = [
        *rows,
        *_film("The path from picture to noise, decoded level by level", there, levels, model),
        *_film(f"{again}: {medium.distance_text(missed)} to the codec's picture", back, levels[::-1], model),
    ]
    return Inspected(facts | {"round_trip": missed}, sheet(rows, cell=page.cell), page.lost)


def _film(title: str, states: Sequence[Batch], levels: Sequence[Level], model: Model) -> list[Row]:
    """Two rows of frames of a walk, evenly spaced, with its first and its last; a short walk has fewer."""
    steps = len(levels) - 1
    shown = dict.fromkeys(round(i * steps / (FRAMES - 1)) for i in range(FRAMES))
    noisier = levels[-1].sigma > levels[0].sigma
    cells = [
        Cell(
            model.medium.pictures(model.decode(states[i]), model)[0],
            [f"level {i if noisier else steps - i} of {steps}", f"log-SNR {levels[i].log_snr:.1f}"],
        )
        for i in shown
    ]
    halves = (cells[: FRAMES // 2], cells[FRAMES // 2 :])
    return [Row(title if part is halves[0] else "", part) for part in halves if part]
