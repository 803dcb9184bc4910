"""What became of one edit task, measured against the truth, and the file that keeps such results between runs."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor

from regrow.benchmark.edit_tasks import Drawn, EditTask
from regrow.benchmark.editors import Editor, Setting
from regrow.media.files import write_whole
from regrow.media.image.distance import psnr, ssim
from regrow.media.image.picture import load, save
from regrow.models.model import Model

LEAST = 0.02
"""Share of the picture below which a region's distance is not measured."""


@dataclass(frozen=True)
class EditResult:
    """Of one task.

    Attributes:
        seed: of the task.
        kind: of the task.
        granted: whether the judge reads the value that the target names.
        spoiled: share of the fields to be kept that it now reads differently.
        lost: their names.
        outside: PSNR in dB to the scene where nothing may change; None where that is nearly nothing.
        outside_ssim: SSIM there.
        inside: PSNR in dB to the counterfactual where it differs from the scene.
        sky: colourfulness of what may not change in the top third, as a share of the scene's; below 1 it was greyed.
            None where there is next to none.
        evaluations: of the network.
        seconds: of its share of a batch.
    """

    seed: int
    kind: str
    granted: bool
    spoiled: float
    lost: tuple[str, ...]
    outside: float | None
    outside_ssim: float | None
    inside: float | None
    sky: float | None
    evaluations: int
    seconds: float

    @property
    def clean(self) -> bool:
        """Granted, and nothing spoiled."""
        return self.granted and self.spoiled == 0


def result_of(
    d: Drawn,
    picture: Float[Tensor, "3 h w"],
    read: dict[str, str],
    codec: dict[str, str],
    evaluations: int,
    seconds: float,
) -> EditResult:
    """Compare an edited picture with the truth.

    Args:
        d: the task, drawn.
        picture: what an editor made of it, in [-1, 1].
        read: by field, what the judge reads in the picture.
        codec: the same of the scene after the model's codec alone.
        evaluations: that it took.
        seconds: likewise.
    """
    task = d.task
    sure = [name for name in task.kept if codec[name] == getattr(task.scene, name)]
    spoiled = [name for name in sure if read[name] != getattr(task.scene, name)]
    outside, inside = ~d.changed, d.changed
    wide = float(outside.float().mean()) >= LEAST
    return EditResult(
        task.seed,
        task.kind,
        read[task.field] == getattr(task.counterfactual, task.field),
        len(spoiled) / max(1, len(sure)),
        tuple(spoiled),
        finite(psnr(picture, d.before, outside)) if wide else None,
        ssim(picture, d.before, outside) if wide and outside[5:-5, 5:-5].any() else None,
        finite(psnr(picture, d.truth, inside)) if inside.any() else None,
        _sky(d, picture),
        evaluations,
        round(seconds, 3),
    )


def _sky(d: Drawn, picture: Float[Tensor, "3 h w"]) -> float | None:
    top = ~d.changed
    top[d.side // 3 :] = False
    if float(top.float().mean()) < LEAST:
        return None
    before, after = (float((x.amax(0) - x.amin(0))[top].mean()) for x in (d.before, picture))
    return after / before if before > 0.05 else None


def finite(decibels: float) -> float:
    """PSNR; of equal pictures: what one step of one 8-bit value in 128 x 128 would have given."""
    return 90.0 if math.isinf(decibels) else decibels


class ResultLines:
    """Values by key in a file, a line of JSON each, that a killed run leaves usable; its first line is its heading.

    Args:
        path: the file, made with its folder where it is not there.
        heading: what all of its values belong to.
        otherwise: what a file with another heading holds outcomes of, and what to do then.

    Raises:
        ValueError: the file has another heading.
    """

    def __init__(self, path: Path, heading: dict[str, Any], otherwise: str) -> None:
        self.path = path
        self.values: dict[str, Any] = {}
        if not path.exists() or not path.stat().st_size:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, (json.dumps(heading) + "\n").encode())
        text = path.read_text(encoding="utf-8")
        if not text.endswith("\n"):  # killed while it wrote a line; the next one must not join it
            with path.open("a", encoding="utf-8") as file:
                file.write("\n")
        lines = text.splitlines()
        if _parsed(lines[0]) != heading:
            raise ValueError(f"{path} holds outcomes of {otherwise}.")
        for line in lines[1:]:
            # the run may have been killed while it wrote this line
            if isinstance(entry := _parsed(line), dict):
                self.values[entry["key"]] = entry["outcome"]

    def add(self, key: str, value: Any) -> None:
        """Keep a value that JSON can hold, in place of an earlier one of its key."""
        self.values[key] = value
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"key": key, "outcome": value}) + "\n")


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


class Store:
    """What was measured, by editor, setting and task; in a file where one is named, its pictures in a folder beside."""

    def __init__(self, path: Path | None, model: Model) -> None:
        self.path = path
        self._pictures: dict[str, Float[Tensor, "3 h w"]] = {}
        heading = {"model": model.content_hash, "steps": model.edit_steps}
        otherwise = "another model, or of other steps of it; name another file"
        self._lines = ResultLines(path, heading, otherwise) if path else None
        self.values: dict[str, Any] = self._lines.values if self._lines else {}

    def has(self, what: str, editor: Editor, setting: Setting, task: EditTask) -> bool:
        """Whether there is such a value; `what` names its kind."""
        return _key(what, editor, setting, task) in self.values

    def get(self, what: str, editor: Editor, setting: Setting, task: EditTask) -> Any:
        """The value, as JSON holds it."""
        return self.values[_key(what, editor, setting, task)]

    def add(self, what: str, editor: Editor, setting: Setting, task: EditTask, value: Any) -> None:
        """Keep a value that JSON can hold."""
        key = _key(what, editor, setting, task)
        if self._lines:
            self._lines.add(key, value)
        else:
            self.values[key] = value

    def add_picture(self, editor: Editor, setting: Setting, task: EditTask, picture: Float[Tensor, "3 h w"]) -> None:
        """Keep a picture, rounded to 8 bits where there is a file."""
        key = _key("picture", editor, setting, task)
        self._pictures[key] = picture
        if self.path:
            self._png(key).parent.mkdir(exist_ok=True)
            save(self._png(key), picture)

    def picture(self, editor: Editor, setting: Setting, task: EditTask) -> Float[Tensor, "3 h w"] | None:
        """A picture that was kept, of this run or an earlier one; None if there is none."""
        key = _key("picture", editor, setting, task)
        if key not in self._pictures and self.path and self._png(key).exists():
            self._pictures[key] = load(self._png(key)).pixels
        return self._pictures.get(key)

    def _png(self, key: str) -> Path:
        assert self.path
        return self.path.with_suffix("") / f"{key}.png"


def _key(what: str, editor: Editor, setting: Setting, task: EditTask) -> str:
    key = f"{editor.name} {setting.strength:g} {setting.guidance:g} {task.seed}"
    return key if what == "outcome" else f"{what} {key}"
