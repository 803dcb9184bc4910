"""Inspect: what a file says about itself, what the codec loses, and the path to noise and back as a film strip."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor

from regrow.core.denoiser import Batch
from regrow.core.levels import Level
from regrow.core.methods.direct_inversion import direct_inversion
from regrow.core.progress import Progress
from regrow.core.solvers import ddim, solve
from regrow.editing.edit import distances
from regrow.editing.invert import open_picture, source_denoiser, watched
from regrow.editing.recipe import file_hash
from regrow.editing.trajectories import load_trajectory
from regrow.media.image.picture import load, read_recipe
from regrow.media.image.sheet import Cell, Row, sheet
from regrow.models.model import Model

FRAMES = 8


@dataclass(frozen=True)
class Inspected:
    """Facts of a file as JSON values, and a page `3 h w` if a model was asked to look."""

    facts: dict[str, Any]
    page: Float[Tensor, "3 h w"] | None = None


def facts_of(path: Path) -> dict[str, Any]:
    """What a picture or trajectory file says without any model.

    Raises:
        MediaError: it is neither.
    """
    if path.suffix == ".safetensors":
        trajectory, made_of = load_trajectory(path)
        ends = [trajectory.levels[0].log_snr, trajectory.levels[-1].log_snr]
        return {
            "file": str(path), "kind": "trajectory", "levels": len(trajectory.levels), "log_snr": ends,
            "shape": list(trajectory.states[0].shape), "anchored": bool(trajectory.offsets), "made_of": made_of,
        }  # fmt: skip
    picture = load(path)
    return {
        "file": str(path), "kind": "picture", "height": picture.pixels.shape[1], "width": picture.pixels.shape[2],
        "hash": file_hash(path), "notes": list(picture.notes), "recipe": read_recipe(path),
    }  # fmt: skip


def inspect_picture(path: Path, source: str, steps: int, model: Model) -> Generator[Progress, None, Inspected]:
    """Add to the facts what the codec and a round trip lose, and draw the path to noise and back under `source`.

    The way back does without the offsets that an edit's path keeps, which would hide what the steps lose.
    """
    facts = facts_of(path)
    _, fitted, notes = open_picture(path, model, "crop", None)
    latents = model.encode(fitted.pixels[None])
    codec = model.decode(latents)[0]
    levels = model.schedule.grid(steps)[::-1]
    denoise = source_denoiser(model, source, 1.0)
    there = (yield from watched(direct_inversion(denoise, latents, levels), "invert")).states
    back = []
    for state in solve(ddim, denoise, there[-1], levels[::-1]):
        back.append(state.x)
        yield Progress("regrow", state.index, steps, state.x)
    lost, missed = distances(codec, fitted.pixels), distances(model.decode(back[-1])[0], codec)
    page = sheet(
        [
            Row(
                "The picture, what the model's codec makes of it, and four times the difference",
                [
                    Cell(fitted.pixels, ["as the model sees it", *notes]),
                    Cell(codec, ["codec", f"{_psnr(lost)}, SSIM {lost['ssim']}"]),
                    Cell((4 * (codec - fitted.pixels)).clamp(-1, 1), ["difference x 4"]),
                ],
            ),
            *_film("The path from picture to noise, decoded level by level", there, levels, model),
            *_film(
                f"And back under the same words, without the kept offsets: {_psnr(missed)} to the codec's picture",
                back,
                levels[::-1],
                model,
            ),
        ],
        cell=192,
    )
    return Inspected(facts | {"codec": lost, "round_trip": missed, "notes": [*facts["notes"], *notes]}, page)


def _film(title: str, states: Sequence[Batch], levels: Sequence[Level], model: Model) -> list[Row]:
    """Two rows of frames of a walk, evenly spaced, with its first and its last; a short walk has fewer."""
    steps = len(levels) - 1
    shown = dict.fromkeys(round(i * steps / (FRAMES - 1)) for i in range(FRAMES))
    noisier = levels[-1].sigma > levels[0].sigma
    cells = [
        Cell(
            model.decode(states[i])[0],
            [f"level {i if noisier else steps - i} of {steps}", f"log-SNR {levels[i].log_snr:.1f}"],
        )
        for i in shown
    ]
    halves = (cells[: FRAMES // 2], cells[FRAMES // 2 :])
    return [Row(title if part is halves[0] else "", part) for part in halves if part]


def _psnr(found: dict[str, float | None]) -> str:
    return f"PSNR {'inf' if found['psnr'] is None else found['psnr']} dB"
