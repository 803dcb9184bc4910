"""Ways to edit that are compared: one shape for regrow's own and for what people use today."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.core.denoiser import Denoiser
from regrow.core.names import InversionName
from regrow.core.noise import noise
from regrow.core.solvers import ddim, last, solve
from regrow.families.model import Model
from regrow.operations.invert import path_of, watched
from regrow.operations.progress import finish

STEPS = 20


@dataclass(frozen=True)
class Setting:
    """What is tuned: how far back an edit goes (0 to 1), and how much its words are exaggerated (1 = off)."""

    strength: float
    guidance: float


@dataclass(frozen=True)
class Task:
    """Pictures `b 3 h w` in [-1, 1], and one of everything else for each."""

    pictures: Float[Tensor, "b 3 h w"]
    source: Sequence[str]
    target: Sequence[str]
    seeds: Sequence[int]


Run = Callable[[Model, Task, Setting], Float[Tensor, "b 3 h w"]]


@dataclass(frozen=True)
class Editor:
    """A way to edit.

    Attributes:
        name: in the tables.
        about: what it is, in a sentence.
        run: edits all pictures of a task.
        settings: to choose from.
        batch: pictures it can edit at once; many of the rivals take one.
        rival: whether it is what people use today and not regrow's own.
    """

    name: str
    about: str
    run: Run
    settings: tuple[Setting, ...]
    batch: int = 8
    rival: bool = False


def grid(strengths: Sequence[float], guidances: Sequence[float]) -> tuple[Setting, ...]:
    """All pairs."""
    return tuple(Setting(s, g) for s in strengths for g in guidances)


def own_editors() -> tuple[Editor, ...]:
    """regrow's methods, each with `STEPS` levels and the source's words as the negative ones."""
    settings = grid((0.5, 0.65, 0.8, 0.95), (2, 4, 7))
    return (
        *(
            Editor(name, f"{name} inversion, {STEPS} steps", _by_inversion(name), settings)
            for name in ("naive", "fixed_point", "anchored")
        ),
        Editor("noised", f"img2img by regrow's own steps, {STEPS} of them", _noised, settings),
    )


def _by_inversion(method: InversionName) -> Run:
    def run(model: Model, task: Task, setting: Setting) -> Float[Tensor, "b 3 h w"]:
        latents = model.encode(task.pictures)
        levels = model.schedule.grid(STEPS)
        levels = levels[STEPS - _walked(setting) :]
        denoise = model.denoiser(model.condition(task.source))
        found = finish(watched(path_of(method, denoise, latents, levels[::-1], "leaves", 1e-4), "invert"))
        x = last(solve(found.back(), _towards(model, task, setting), found.at(levels[0]), levels))
        return model.decode(x)

    return run


def _noised(model: Model, task: Task, setting: Setting) -> Float[Tensor, "b 3 h w"]:
    latents = model.encode(task.pictures)
    levels = model.schedule.grid(STEPS)
    levels = levels[STEPS - _walked(setting) :]
    x = levels[0].alpha * latents + levels[0].sigma * noise(latents.shape[1:], task.seeds)
    return model.decode(last(solve(ddim, _towards(model, task, setting), x, levels)))


def _towards(model: Model, task: Task, setting: Setting) -> Denoiser:
    negative = model.condition(task.source) if setting.guidance != 1 else None
    return model.denoiser(model.condition(task.target), negative, setting.guidance)


def _walked(setting: Setting) -> int:
    return max(1, round(setting.strength * STEPS))


@contextmanager
def counted(model: Model) -> Generator[Callable[[], int]]:
    """Count evaluations: samples that the network is given, whoever calls it. Yields the count so far."""
    seen = 0

    def count(_: torch.nn.Module, args: tuple, kwargs: dict) -> None:
        nonlocal seen
        x = args[0] if args else kwargs["sample"]
        seen += len(x)

    handle = model.unet.register_forward_pre_hook(count, with_kwargs=True)
    try:
        yield lambda: seen
    finally:
        handle.remove()
