"""Variants of the same edit whose speed is compared: baselines, regrow, and each of its optimisations alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.benchmark.baselines import baselines
from regrow.benchmark.cost import counted
from regrow.benchmark.edit_tasks import FIRST_SEED, Drawn, edit_task
from regrow.benchmark.editors import Task
from regrow.core.progress import finish
from regrow.editing.edit import edit
from regrow.media.image.framing import fit
from regrow.media.image.picture import save
from regrow.models.condition import Condition
from regrow.models.engines.engine import Engine
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.requests.edit import Edit

TOGETHER = 4
"""Edits per call, in variants that make several."""
OTHER_STEPS = (30, 20, 10, 8)
SPEED_BASELINES = ("course", "ddim pair")
PLAIN = "torch"
"""The name of regrow's default edit without any optimisation."""


@dataclass(frozen=True)
class Made:
    """The result of a run: evaluations per edit, and the first edit's picture in the model's frame."""

    evaluations: float
    picture: Float[Tensor, "3 h w"]


@dataclass(frozen=True)
class Way:
    """A variant of the edit; `edits` is the number of edits that a run makes."""

    name: str
    about: str
    run: Callable[[], Made]
    edits: int = 1


def ways_to_edit(model: Model, engines: Mapping[str, Engine], bfloat16: bool, folder: Path) -> list[Way]:
    """Return all variants, the Hugging Face diffusion course's procedure first.

    Args:
        model: in torch.
        engines: other engines that compute the network, by name.
        bfloat16: whether to measure torch in bfloat16 too.
        folder: where to write the picture.
    """
    drawn = Drawn(edit_task(FIRST_SEED, "animal"), max(model.size))
    scene = fit(drawn.before, model.multiple, model.size).pixels
    path = folder / "scene.png"
    save(path, scene)
    task = Task(scene[None], [drawn.task.source], [drawn.task.target], [drawn.task.seed])
    request = Edit(path, (drawn.task.target,), drawn.task.source, model=model.name, cache=False)
    several = replace(request, target=request.target * TOGETHER)
    kept = replace(request, cache=True)
    default = f"the default edit: {request.method}, {model.edit_steps} steps"
    cached = "the path comes from the cache"
    together = f"{TOGETHER} in one call; of one of them"
    ways = [
        *(_baseline(model, name, task) for name in SPEED_BASELINES),
        Way(PLAIN, default, _own(model, request)),
        Way("torch, one by one", "the guided pair in two calls", _own(model.using(_OneByOne(model)), request)),
        Way("torch, channels last", "the order of the network's weights", _channels_last(model, request)),
        Way("torch, several targets", together, _own(model, several), TOGETHER),
        Way("torch, second edit", cached, _own(model, kept)),
    ]
    if bfloat16:
        rounded = open_model(model.folder, dtype=torch.bfloat16)
        ways.append(Way("torch, bfloat16", "codec and words too", _own(rounded, request)))
    for name, engine in engines.items():
        engaged = model.using(engine)
        ways += [
            Way(name, default, _own(engaged, request)),
            Way(f"{name}, several targets", together, _own(engaged, several), TOGETHER),
            Way(f"{name}, second edit", cached, _own(engaged, kept)),
        ]
        for count in OTHER_STEPS:
            first, second = (replace(one, steps=count) for one in (request, kept))
            ways.append(Way(f"{name}, {count} steps", f"instead of {model.edit_steps}", _own(engaged, first)))
            ways.append(Way(f"{name}, {count}, second", cached, _own(engaged, second)))
    return ways


def _baseline(model: Model, name: str, task: Task) -> Way:
    editor = next(editor for editor in baselines() if editor.name == name)

    def run() -> Made:
        with counted(model) as evaluations:
            picture = editor.run(model, task, editor.settings[0])[0]
        return Made(evaluations(), picture)

    return Way(name, editor.about, run)


def _own(model: Model, request: Edit) -> Callable[[], Made]:
    def run() -> Made:
        edited = finish(edit(request, model))
        facts = edited.recipes[0]["figures"]["evaluations"]
        return Made(facts["inversion"] / len(request.target) + facts["regrowth"], edited.frames[0])

    return run


class _OneByOne(Engine):
    """Computes the network by torch, one sample at a time."""

    def __init__(self, model: Model) -> None:
        self._model = model

    @property
    def name(self) -> str:
        return "torch one by one"

    def __call__(self, x_t: Tensor, labels: Tensor, condition: Sequence[Tensor]) -> Tensor:
        parts = [slice(i, i + 1) for i in range(len(x_t))]
        (tokens,) = condition
        return torch.cat([self._model.forward(x_t[at], labels[at], Condition(tokens[at])) for at in parts])


def _channels_last(model: Model, request: Edit) -> Callable[[], Made]:
    run_in_order = _own(model, request)

    def run() -> Made:
        model.network.to(memory_format=torch.channels_last)
        try:
            return run_in_order()
        finally:
            model.network.to(memory_format=torch.contiguous_format)

    return run
