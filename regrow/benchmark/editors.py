"""Ways to edit that are compared: one shape for regrow's own and for what people use today."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.core.denoiser import Counted
from regrow.core.guidance import GuidanceInterval, limit_of
from regrow.core.methods.method import Method, Origin, PathSettings
from regrow.core.methods.registry import DEFAULT, about, method, names_for_any_model
from regrow.core.names import Switch
from regrow.core.progress import finish
from regrow.core.solvers import last, solve
from regrow.editing.edit import edit
from regrow.editing.invert import watched
from regrow.editing.strength import USUAL
from regrow.media.image.picture import save
from regrow.models.model import Model
from regrow.prompts.expand_edit import detailed
from regrow.requests.edit import Edit

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
        method: of `regrow edit` that it is; empty where it is none.
    """

    name: str
    about: str
    run: Run
    settings: tuple[Setting, ...]
    batch: int = 8
    baseline: bool = False
    notes: Literal["keep", "free"] = "keep"
    method: str = ""


def ordered(strengths: Sequence[float], guidances: Sequence[float]) -> tuple[Setting, ...]:
    """All pairs, so that the first one is the first of both, the first four are the first two of each, and so on."""
    places = [(i, j) for i in range(len(strengths)) for j in range(len(guidances))]
    places.sort(key=lambda place: (max(place), place[1], place[0]))
    return tuple(Setting(strengths[i], guidances[j]) for i, j in places)


CONDITIONED = ordered((0.9, 1.0, 0.75), (4, 2, 3))
"""Of sound edits that keep the notes: they may go farther back and not lose them."""


def settings_of(name: str) -> tuple[Setting, ...]:
    """Return the settings that an editing method is tuned over."""
    chosen = method(name)
    return ordered(chosen.strengths, chosen.guidances)


MASKED = Editor(
    f"{DEFAULT}, masked",
    f"{DEFAULT} within the automatic mask (--mask auto)",
    lambda model, task, setting: _from_files(model, task, setting, DEFAULT, "auto"),
    settings_of(DEFAULT),
    batch=1, method=DEFAULT,
)  # fmt: skip
"""For pictures only: what is outside the mask is the file's own, so what it loses there is what the mask lets in."""

BY_KIND = Editor(
    f"{DEFAULT}, by kind",
    "the default: the strength is the model's own for what the edit changes, and this one for all else",
    lambda model, task, setting: _from_files(model, task, setting, DEFAULT, by_kind=True),
    tuple(Setting(USUAL, guidance) for guidance in (4, 3, 2)),
    batch=1, method=DEFAULT,
)  # fmt: skip
"""For pictures only: of sounds no strengths were measured."""


def short_words() -> Editor:
    """Return the default with `--prompt-expansion off`: for pictures, beside rivals whose prompts are not expanded."""
    return Editor(
        f"{DEFAULT}, short words", f"{DEFAULT} under the prompts as they are",
        batched(DEFAULT, prompt_expansion="off"), settings_of("uni_edit"), method=DEFAULT,
    )  # fmt: skip


def own_editors(optional: bool = False) -> tuple[Editor, ...]:
    """Return the methods of `regrow edit --method` by their names, each with the verb's own defaults.

    Args:
        optional: only those that are left out of a benchmark of everything: what differs from another method in its
            negative prompt alone.
    """
    own = (name for name in names_for_any_model() if _is_optional(method(name)) is optional)
    return tuple(_editor(name, settings_of(name)) for name in own)


def sound_editors() -> tuple[Editor, ...]:
    """Return the methods of `own_editors` for sounds, with the notes they shall keep; the default without; and what
    people do today."""
    conditioned = (_editor(name, CONDITIONED) for name in names_for_any_model() if not _is_optional(method(name)))
    return (*conditioned, FREE, FRESH)


def _is_optional(chosen: Method) -> bool:
    return chosen.own_negative and chosen.guide is None


def _editor(name: str, settings: tuple[Setting, ...]) -> Editor:
    if method(name).tune:  # for one picture's path at a time
        return Editor(name, about(name), partial(_from_files, method=name), settings, batch=1, method=name)
    return Editor(name, about(name), batched(name), settings, method=name)


def why_not(model: Model, editor: Editor) -> str:
    """Return why a model cannot be edited in a way, in a sentence; empty where it can."""
    if not editor.method:
        alone = "it needs a network of noise or v that is conditioned on the vectors of words and nothing else"
        fits = model.encodes_tokens_alone and model.prediction_type in ("epsilon", "v")
        return "" if fits else f"{alone}, and {model.name} is a model of another family ({model.family})."
    chosen = method(editor.method)
    if chosen.follows_path and not model.deterministic_path:
        return f"models of this family ({model.family}) have no deterministic path to invert along."
    if (chosen.guide or chosen.tune) and not model.takes_words:
        return f"{model.name} takes no prompts, which this method weighs."
    return ""


def batched(name: str, steps: int | None = None, prompt_expansion: Switch = "on") -> Run:
    """Edit as `regrow edit` does, for pictures with prompts of their own each; a test holds the two to one picture."""

    def run(model: Model, task: Task, setting: Setting) -> Float[Tensor, "b channels h w"]:
        chosen, count, latents = method(name), steps or model.edit_steps, model.encode(task.pictures)
        negative = task.source
        if prompt_expansion == "on":
            task, negative = in_full(model, task, latents)
        if chosen.own_negative:
            negative = task.source
        levels = model.grid(count, Edit.spacing, latents.shape[1:])
        levels = levels[count - max(1, round(setting.strength * count)) :]
        source, target = model.condition(task.source), model.condition(task.target)
        if chosen.guide:
            denoise = chosen.guide(model.denoiser(target.cat(source)), setting.guidance)
        else:
            guided = Counted(model.denoiser(target, model.negative(negative), setting.guidance))
            plain = Counted(model.denoiser(target))
            denoise = GuidanceInterval(guided, plain, limit_of(levels, Edit.guidance_share))
        trajectory = None
        if chosen.invert:
            settings = PathSettings(Edit.label, Edit.tolerance, task.seeds)
            walk = chosen.invert(model.denoiser(source), latents, levels[::-1], settings)
            trajectory = finish(watched(walk, "invert"))
        origin = Origin(latents, task.seeds, lambda: model.denoiser(source), trajectory)
        return model.decode(last(solve(chosen.back(origin), denoise, chosen.start(origin, levels[0]), levels)))

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


def _from_files(
    model: Model,
    task: Task,
    setting: Setting,
    method: str,
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


FREE = Editor(
    f"{DEFAULT}, free", "the default with --notes free", batched(DEFAULT), settings_of(DEFAULT), notes="free",
    method=DEFAULT,
)  # fmt: skip
"""For sounds only: what the path keeps of the notes by itself."""
FRESH = Editor(
    "img2img, free", "fresh noise at several strengths, without the notes", batched("img2img"),
    settings_of("img2img"), baseline=True, notes="free", method="img2img",
)  # fmt: skip
"""For sounds only, where diffusers' own pipeline takes none: what riffusion's users do."""
