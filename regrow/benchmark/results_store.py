"""Results of edit tasks compared with the truth, and the file that keeps them between runs."""

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
"""Least share of the picture of a region whose distance is measured."""


@dataclass(frozen=True)
class EditResult:
    """The result of one task.

    Attributes:
        seed: of the task.
        kind: of the task.
        granted: whether the judge reads the value that the target names.
        spoiled: share of the fields to be kept that the judge now reads differently.
        lost: names of these fields.
        outside: PSNR in dB to the scene where nothing may change; None if this region is nearly empty.
        outside_ssim: SSIM there.
        inside: PSNR in dB to the counterfactual where it differs from the scene.
        sky: colourfulness of the part of the top third that may not change, relative to the scene's; below 1 it turned
            greyer. None if that part is nearly empty.
        evaluations: of the network.
        seconds: per picture, if a batch was edited.
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
        """Whether the task is granted and nothing is spoiled."""
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
        d: the task with its pictures.
        picture: the editor's result, in [-1, 1].
        read: the judge's reading of the result, by field.
        codec: the judge's reading of the codec's reconstruction of the scene, by field.
        evaluations: of the network, for this picture.
        seconds: for this picture.
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
    """Return the PSNR; for equal pictures, that of one 8-bit step in one value of a 128 x 128 picture."""
    return 90.0 if math.isinf(decibels) else decibels


class ResultLines:
    """Values by key in a JSON Lines file, which stays usable if the run is killed; its first line is a heading.

    Args:
        path: the file; it is created with its folder if missing.
        heading: what all values belong to, such as model and settings.
        otherwise: end of the error message if the file has another heading: whose results it holds, and what to do.

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
        if not text.endswith("\n"):  # a killed run left half a line; the next must not be appended to it
            with path.open("a", encoding="utf-8") as file:
                file.write("\n")
        lines = text.splitlines()
        if _parsed(lines[0]) != heading:
            raise ValueError(f"{path} holds outcomes of {otherwise}.")
        for line in lines[1:]:
            # a killed run leaves an incomplete line
            if isinstance(entry := _parsed(line), dict):
                self.values[entry["key"]] = entry["outcome"]

    def add(self, key: str, value: Any) -> None:
        """Store a JSON-able value, and replace an earlier one of its key."""
        self.values[key] = value
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"key": key, "outcome": value}) + "\n")


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


class Store:
    """Results by editor, setting and task; also in a file if one is named, with its pictures in a folder beside it."""

    def __init__(self, path: Path | None, model: Model) -> None:
        self.path = path
        self._pictures: dict[str, Float[Tensor, "3 h w"]] = {}
        heading = {"model": model.content_hash, "steps": model.edit_steps}
        otherwise = "another model, or of other steps of it; name another file"
        self._lines = ResultLines(path, heading, otherwise) if path else None
        self.values: dict[str, Any] = self._lines.values if self._lines else {}

    def has(self, what: str, editor: Editor, setting: Setting, task: EditTask) -> bool:
        """Return whether a value is stored; `what` names its kind."""
        return _key(what, editor, setting, task) in self.values

    def get(self, what: str, editor: Editor, setting: Setting, task: EditTask) -> Any:
        """Return a stored value, as read from JSON."""
        return self.values[_key(what, editor, setting, task)]

    def add(self, what: str, editor: Editor, setting: Setting, task: EditTask, value: Any) -> None:
        """Store a JSON-able value."""
        key = _key(what, editor, setting, task)
        if self._lines:
            self._lines.add(key, value)
        else:
            self.values[key] = value

    def add_picture(self, editor: Editor, setting: Setting, task: EditTask, picture: Float[Tensor, "3 h w"]) -> None:
        """Store a picture, rounded to 8 bits if results are kept in a file."""
        key = _key("picture", editor, setting, task)
        self._pictures[key] = picture
        if self.path:
            self._png(key).parent.mkdir(exist_ok=True)
            save(self._png(key), picture)

    def picture(self, editor: Editor, setting: Setting, task: EditTask) -> Float[Tensor, "3 h w"] | None:
        """Return a stored picture of this run or an earlier one; None if there is none."""
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
