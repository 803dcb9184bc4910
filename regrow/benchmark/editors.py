"""Ways to edit that are compared: one shape for regrow's own and for what people use today."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.core.denoiser import Counted, Prediction
from regrow.core.guidance import GuidanceInterval, limit_of, region_weighted
from regrow.core.methods.inversion_free import InversionFree
from regrow.core.noise import noise
from regrow.core.progress import finish
from regrow.core.solvers import ddim, last, solve
from regrow.editing.edit import edit
from regrow.editing.invert import path_of, step_back, watched
from regrow.editing.strength import USUAL
from regrow.media.image.picture import save
from regrow.models.model import Model
from regrow.prompts.expand_edit import detailed
from regrow.requests.requests import PATHS, Edit, MethodName

SETTINGS = 9
"""That every editor is tuned over: a baseline that had fewer would be worse for it."""


@dataclass(frozen=True)
class Setting:
    """What is tuned: how far back an edit goes (0 to 1), and how much its words are exaggerated (1 = off)."""

    strength: float
    guidance: float


@dataclass(frozen=True)
class Task:
    """Pictures `b 3 h w` in [-1, 1] or mels `b 1 bands frames` as models see them, and one of everything else each."""

    pictures: Float[Tensor, "b channels h w"]
    source: Sequence[str]
    target: Sequence[str]
    seeds: Sequence[int]


Run = Callable[[Model, Task, Setting], Float[Tensor, "b channels h w"]]


@dataclass(frozen=True)
class Editor:
    """A way to edit.

    Attributes:
        name: in the tables.
        about: what it is, in a sentence.
        run: edits all pictures of a task.
        settings: to choose from, `SETTINGS` of them, its own usual one first where it has one.
        batch: pictures it can edit at once; many of the baselines take one.
        baseline: whether it is what people use today and not regrow's own.
        notes: of sounds: whether the model is conditioned on the notes to keep, where it can be; baselines cannot.
    """

    name: str
    about: str
    run: Run
    settings: tuple[Setting, ...]
    batch: int = 8
    baseline: bool = False
    notes: Literal["keep", "free"] = "keep"


def ordered(strengths: Sequence[float], guidances: Sequence[float]) -> tuple[Setting, ...]:
    """All pairs, so that the first one is the first of both, the first four are the first two of each, and so on."""
    places = [(i, j) for i in range(len(strengths)) for j in range(len(guidances))]
    places.sort(key=lambda place: (max(place), place[1], place[0]))
    return tuple(Setting(strengths[i], guidances[j]) for i, j in places)


OWN = ordered((0.9, 1.0, 0.75), (4, 3, 2))
FROM_SOURCE = ordered((0.9, 1.0, 0.75), (2, 3, 4))
"""Of what is guided away from the source's words, which goes farther than away from none."""
SPECIAL: dict[MethodName, tuple[Setting, ...]] = {
    "uni_edit": FROM_SOURCE,
    "img2img": ordered((0.8, 0.65, 0.5), (3, 5, 2)),  # fresh noise forgets sooner
}
CONDITIONED = ordered((0.9, 1.0, 0.75), (4, 2, 3))
"""Of what is conditioned on the notes of a sound: it may go farther back and not lose them."""
ABOUT: dict[MethodName, str] = {
    "anchored": "the inverted path with what the way back misses of it",
    "uni_edit": "a corrected inversion, and guidance by region",
    "inversion_free": "the difference of target and source on noisy copies",
    "edit_friendly": "DDPM's noise, found on noisy copies",
    "edit_friendly_2m": "the same with a step of second order",
    "img2img": "fresh noise",
    "naive": "DDIM inversion",
    "belm": "a two-state step that undoes itself",
    "reversible": "coupled states, two calls a step",
    "edict": "coupled states, mixed, two calls a step",
    "uni_inv": "DDIM inversion, predicted and corrected",
    "fixed_point": "DDIM inversion, each step solved",
}


MASKED = Editor(
    "anchored, masked",
    "anchored within the mask that is found by itself (--mask auto)",
    lambda model, task, setting: _from_files(model, task, setting, "anchored", "auto"),
    OWN,
    batch=1,
)
"""For pictures only: what is outside the mask is the file's own, so what it loses there is what the mask lets in."""

BY_KIND = Editor(
    "anchored, by kind",
    "the default: the strength is the model's own for what the edit changes, and this one for all else",
    lambda model, task, setting: _from_files(model, task, setting, "anchored", by_kind=True),
    tuple(Setting(USUAL, guidance) for guidance in (4, 3, 2)),
    batch=1,
)
"""For pictures only: of sounds no strengths were measured."""


def short_words() -> Editor:
    """The default as it is with `--details leave`: for pictures, beside baselines that get no more."""
    return Editor(
        "anchored, short words", "anchored under the words as they are",
        batched("anchored", details="leave"), FROM_SOURCE,
    )  # fmt: skip


def own_editors(optional: bool = False) -> tuple[Editor, ...]:
    """The methods of `regrow edit --method` by their names, each with the verb's own defaults.

    Args:
        optional: only those that are left out of a benchmark of everything: negative_prompt, which is naive with
            the negative words that naive has anyhow when none are given, and null_text, which walks backwards
            through the network.
    """
    if optional:
        return (
            Editor("negative_prompt", "naive by another name where no negative words are given", batched("naive"), OWN),
            Editor("null_text", "words tuned by gradients", _null_text, OWN, batch=1),
        )
    return tuple(Editor(name, about, batched(name), SPECIAL.get(name, OWN)) for name, about in ABOUT.items())


def sound_editors() -> tuple[Editor, ...]:
    """The methods of `own_editors` for sounds, conditioned on the notes that they keep; the default without; and what
    people do today."""
    conditioned = (Editor(name, about, batched(name), CONDITIONED) for name, about in ABOUT.items())
    return (*conditioned, FREE, FRESH)


def batched(method: MethodName, steps: int | None = None, details: Literal["tell", "leave"] = "tell") -> Run:
    """`regrow edit` for pictures with words of their own each; a test holds the two to the same picture."""

    def run(model: Model, task: Task, setting: Setting) -> Float[Tensor, "b channels h w"]:
        count, latents = steps or model.edit_steps, model.encode(task.pictures)
        away = task.source
        if details == "tell":
            task, away = in_full(model, task, latents)
        levels = model.schedule.grid(count, Edit.spacing)
        levels = levels[count - max(1, round(setting.strength * count)) :]
        source, target = model.condition(task.source), model.condition(task.target)
        if method == "uni_edit":
            denoise = region_weighted(model.denoiser(target.cat(source)), setting.guidance)
        else:
            guided = Counted(model.denoiser(target, model.condition(away), setting.guidance))
            plain = Counted(model.denoiser(target))
            denoise = GuidanceInterval(guided, plain, limit_of(levels, Edit.guidance_share))
        if method == "img2img":
            x, step = Prediction(latents, noise(latents.shape[1:], task.seeds)).at(levels[0]), ddim
        elif method == "inversion_free":
            x, step = latents, InversionFree(model.denoiser(source), latents, tuple(task.seeds))
        else:
            path, up = PATHS[method], levels[::-1]
            walk = path_of(path, model.denoiser(source), latents, up, Edit.label, Edit.tolerance, task.seeds)
            trajectory = finish(watched(walk, "invert"))
            x, step = trajectory.at(levels[0]), step_back(path, trajectory)
        return model.decode(last(solve(step, denoise, x, levels)))

    return run


def with_full_words(editor: Editor) -> Editor:
    """The same way to edit with the words that `regrow edit` fills up: what its users could have written themselves."""

    def run(model: Model, task: Task, setting: Setting) -> Float[Tensor, "b channels h w"]:
        return editor.run(model, in_full(model, task, model.encode(task.pictures))[0], setting)

    return replace(editor, name=f"{editor.name}, full words", about=f"{editor.about}; told in full", run=run)


def in_full(model: Model, task: Task, latents: Float[Tensor, "b c y x"]) -> tuple[Task, list[str]]:
    """A task whose words are filled up with what the model's describer sees, and what guidance then leads away from.

    Both as `regrow edit` does it.
    """
    source, target, away = [], [], []
    for one, before, after in zip(latents.split(1), task.source, task.target, strict=True):
        words = detailed(model, one, before, (after,)).words
        source.append(words.get(before, before))
        target.append(words.get(after, after))
        away.append("" if words and source[-1] != target[-1] else source[-1])
    return replace(task, source=source, target=target), away


def _null_text(model: Model, task: Task, setting: Setting) -> Float[Tensor, "b channels h w"]:
    return _from_files(model, task, setting, "null_text")


def _from_files(
    model: Model,
    task: Task,
    setting: Setting,
    method: MethodName,
    mask: Literal["auto"] | None = None,
    by_kind: bool = False,
) -> Float[Tensor, "b channels h w"]:
    """`regrow edit` itself, picture by picture, from a file as users have it."""
    made = []
    with TemporaryDirectory() as folder:
        for picture, source, target, seed in zip(task.pictures, task.source, task.target, task.seeds, strict=True):
            path = Path(folder) / f"{len(made)}.png"
            save(path, picture)
            request = Edit(
                path, (target,), source, method=method, strength=None if by_kind else setting.strength,
                mask=None if target == source else mask,  # of a round trip, where there is none to find
                guidance=setting.guidance, seed=seed, cache=False,
            )  # fmt: skip
            made.append(finish(edit(request, model)).items[0])
    return torch.stack(made)


FREE = Editor("anchored, free", "anchored, without notes (--notes free)", batched("anchored"), OWN, notes="free")
"""For sounds only: what the path keeps of the notes by itself."""
FRESH = Editor(
    "img2img, free", "fresh noise at several strengths, without notes", batched("img2img"),
    SPECIAL["img2img"], baseline=True, notes="free",
)  # fmt: skip
"""For sounds only, where diffusers' own pipeline takes none: what riffusion's users do."""
