"""Measure which frame is best for edits of non-square pictures by the storybook, as stated in its `edit.json`.

.venv/bin/python runs/measure_frames.py [TASKS]

Each task is drawn in three sizes, with its exact counterfactual, and edited in each frame. The judge reads the square
around the animal.
"""

import math
import sys
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

import numpy as np

from regrow.benchmark.edit_tasks import FIRST_TUNING_SEED, Kind, edit_task
from regrow.benchmark.judges import load_judge
from regrow.core.progress import finish
from regrow.editing.edit import edit
from regrow.media.image.distance import psnr
from regrow.media.image.picture import from_uint8, save
from regrow.media.names import EditMode
from regrow.models.open import open_model
from regrow.requests.edit import Edit
from regrow.worlds.storybook.drawing import Drawing, draw

SIZES = (160, 240), (144, 256), (256, 144)
MODES: tuple[EditMode, ...] = ("crop", "whole", "pad")
TASKS: tuple[Kind, ...] = ("animal", "colour", "remove", "place")


def around(drawing: Drawing) -> tuple[slice, slice]:
    """Return rows and columns of the largest square around the animal that fits into the picture."""
    inside, side = drawing.mask > 127, min(drawing.mask.shape)
    slices = []
    for at, length in zip(np.nonzero(inside), inside.shape, strict=True):
        first = min(max(int((at.min() + at.max()) / 2) - side // 2, 0), length - side)
        slices.append(slice(first, first + side))
    return slices[0], slices[1]


def main(tasks: int = 24) -> None:
    model, judge = open_model("storybook"), load_judge("storybook")
    figures: dict[str, list[tuple[float, float, float, float, float]]] = {mode: [] for mode in MODES}
    with TemporaryDirectory() as folder:
        for i in range(tasks):
            task = edit_task(FIRST_TUNING_SEED + i, TASKS[i % len(TASKS)])
            for size in SIZES:
                drawings = draw(task.scene, size), draw(task.counterfactual, size)
                before, truth = (from_uint8(drawing.picture) for drawing in drawings)
                changed, square = (before != truth).any(0), around(drawings[0])
                path = Path(folder, "in.png")
                save(path, before)
                for mode in MODES:
                    request = Edit(path, (task.target,), task.source, frame=mode, cache=False)
                    edited = finish(edit(request, model))
                    made = edited.items[0]
                    read = judge.read(made[None, :, *square])[0]
                    figures[mode].append(
                        (
                            psnr(made, truth),
                            psnr(made, truth, changed) if changed.any() else math.nan,
                            psnr(made, truth, ~changed) if not changed.all() else math.nan,
                            100 * (read[task.field] == getattr(task.counterfactual, task.field)),
                            psnr(edited.codec, edited.original),
                        )
                    )
    print("frame: PSNR of all, of what changes, of the rest, granted %, codec")
    for mode, rows in figures.items():
        columns = ([value for value in column if math.isfinite(value)] for column in zip(*rows, strict=True))
        print(f"  {mode:6}", *(f"{mean(column):6.1f}" for column in columns), f"of {len(rows)}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
