"""Inspect: what a file says about itself, what the codec loses, and the path to noise as a film strip."""

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor

from regrow.core.inversion import anchored
from regrow.families.model import Model
from regrow.media.image import load, read_recipe
from regrow.media.sheet import Cell, Row, sheet
from regrow.operations.edit import distances
from regrow.operations.invert import open_picture, source_denoiser, watched
from regrow.operations.progress import Progress
from regrow.operations.recipe import file_hash
from regrow.operations.trajectories import load_trajectory

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
    """Add to the facts what the model's codec loses, and draw the path to noise under the words `source`."""
    facts = facts_of(path)
    _, fitted, notes = open_picture(path, model, "crop", None)
    latents = model.encode(fitted.pixels[None])
    codec = model.decode(latents)[0]
    levels = model.schedule.grid(steps)[::-1]
    trajectory = yield from watched(anchored(source_denoiser(model, source, 1.0), latents, levels), "invert")
    shown = [round(i * steps / (FRAMES - 1)) for i in range(FRAMES)]
    strip = [
        Cell(model.decode(trajectory.states[i])[0], [f"level {i} of {steps}", f"log-SNR {levels[i].log_snr:.1f}"])
        for i in shown
    ]
    lost = distances(codec, fitted.pixels)
    page = sheet(
        [
            Row(
                "The picture, what the model's codec makes of it, and four times the difference",
                [
                    Cell(fitted.pixels, ["as the model sees it", *notes]),
                    Cell(codec, ["codec", f"PSNR {lost['psnr']} dB, SSIM {lost['ssim']}"]),
                    Cell((4 * (codec - fitted.pixels)).clamp(-1, 1), ["difference x 4"]),
                ],
            ),
            Row("The path from picture to noise, decoded level by level", strip[: FRAMES // 2]),
            Row("", strip[FRAMES // 2 :]),
        ],
        cell=192,
    )
    return Inspected(facts | {"codec": lost, "notes": [*facts["notes"], *notes]}, page)
