"""The editing methods that are compared, regrow's own and others, behind one interface."""

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
"""Number of settings that every editor is tuned over; a baseline with fewer would be at a disadvantage."""


@dataclass(frozen=True)
class Setting:
    """The tuned settings: strength (0 to 1) and guidance (1 = off)."""

    strength: float
    guidance: float


@dataclass(frozen=True)
class Task:
    """Pictures `b 3 h w` in [-1, 1] or mels `b 1 bands frames` as models take them, with prompts and seed of each."""

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
        settings: the `SETTINGS` settings to choose from; its usual one, if any, comes first.
        batch: pictures it can edit at once; many baselines take only one.
        baseline: whether it is a baseline instead of a method of regrow.
        notes: for sounds: "keep" conditions the model on the notes to keep, if it can be; baselines cannot do this.
        method: the name of this method in `regrow edit`; empty if it is none of them.
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
    """Return all pairs, ordered so that the first n * n pairs combine the first n values of both, for every n."""
    places = [(i, j) for i in range(len(strengths)) for j in range(len(guidances))]
    places.sort(key=lambda place: (max(place), place[1], place[0]))
    return tuple(Setting(strengths[i], guidances[j]) for i, j in places)


CONDITIONED = ordered((0.9, 1.0, 0.75), (4, 2, 3))
"""Settings of sound edits with note conditioning: it allows a higher strength without losing the notes."""


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
"""For pictures only. Pixels outside the mask are the source's, so changes there are errors of the mask."""

BY_KIND = Editor(
    f"{DEFAULT}, by kind",
    "the default: the strength is the model's own for what the edit changes, and this one for all else",
    lambda model, task, setting: _from_files(model, task, setting, DEFAULT, by_kind=True),
    tuple(Setting(USUAL, guidance) for guidance in (4, 3, 2)),
    batch=1, method=DEFAULT,
)  # fmt: skip
"""For pictures only: no strengths by kind of edit were measured for sounds."""


def short_words() -> Editor:
    """Return the default with `--prompt-expansion off`, to compare with baselines, which do not expand prompts."""
    return Editor(
        f"{DEFAULT}, short words", f"{DEFAULT} under the prompts as they are",
        batched(DEFAULT, prompt_expansion="off"), settings_of("uni_edit"), method=DEFAULT,
    )  # fmt: skip


def own_editors(optional: bool = False) -> tuple[Editor, ...]:
    """Return the methods of `regrow edit --method` by their names, each with the verb's own defaults.

    Args:
        optional: True returns only the methods that differ from another one just in their negative prompt; a benchmark
            of everything leaves them out.
    """
    own = (name for name in names_for_any_model() if _is_optional(method(name)) is optional)
    return tuple(_editor(name, settings_of(name)) for name in own)


def sound_editors() -> tuple[Editor, ...]:
    """Return the methods of `own_editors` for sounds with note conditioning, the default without it, and img2img."""
    conditioned = (_editor(name, CONDITIONED) for name in names_for_any_model() if not _is_optional(method(name)))
    return (*conditioned, FREE, FRESH)


def _is_optional(chosen: Method) -> bool:
    return chosen.own_negative and chosen.guide is None


def _editor(name: str, settings: tuple[Setting, ...]) -> Editor:
    if method(name).tune:  # it tunes along the path of one picture at a time
        return Editor(name, about(name), partial(_from_files, method=name), settings, batch=1, method=name)
    return Editor(name, about(name), batched(name), settings, method=name)


def why_not(model: Model, editor: Editor) -> str:
    """Return a sentence that says why an editor does not work with a model; empty if it does."""
    if not editor.method:
        alone = "it needs a network that predicts noise or v and is conditioned on token embeddings alone"
        fits = model.encodes_tokens_alone and model.prediction_type in ("epsilon", "v")
        return "" if fits else f"{alone}, and {model.name} is a model of another family ({model.family})."
    chosen = method(editor.method)
    if chosen.follows_path and not model.deterministic_path:
        return f"models of this family ({model.family}) have no deterministic path to invert along."
    if (chosen.guide or chosen.tune) and not model.takes_words:
        return f"{model.name} takes no prompts, which this method weighs."
    return ""


def batched(name: str, steps: int | None = None, prompt_expansion: Switch = "on") -> Run:
    """Return an editor that batches what `regrow edit` does, with prompts per picture; a test compares the two."""

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
    """Return the same editor with prompts as `regrow edit` expands them, which users could write themselves."""

    def run(model: Model, task: Task, setting: Setting) -> Float[Tensor, "b channels h w"]:
        return editor.run(model, in_full(model, task, model.encode(task.pictures))[0], setting)

    return replace(editor, name=f"{editor.name}, full words", about=f"{editor.about}; with expanded prompts", run=run)


def in_full(model: Model, task: Task, latents: Float[Tensor, "b c y x"]) -> tuple[Task, list[str]]:
    """Return a task with prompts expanded by what the attribute classifier reads, and the negative prompts.

    Both are made as in `regrow edit`.
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
    """Run `regrow edit` itself on one picture after the other, each read from a file."""
    made = []
    with TemporaryDirectory() as folder:
        for picture, source, target, seed in zip(task.pictures, task.source, task.target, task.seeds, strict=True):
            path = Path(folder) / f"{len(made)}.png"
            save(path, picture)
            request = Edit(
                path, (target,), source, method=method, strength=None if by_kind else setting.strength,
                mask=None if target == source else mask,  # a round trip changes nothing, so there is no mask to find
                guidance=setting.guidance, seed=seed, cache=False,
            )  # fmt: skip
            made.append(finish(edit(request, model)).items[0])
    return torch.stack(made)


FREE = Editor(
    f"{DEFAULT}, free", "the default with --notes free", batched(DEFAULT), settings_of(DEFAULT), notes="free",
    method=DEFAULT,
)  # fmt: skip
"""For sounds only: shows how well the inverted path alone keeps the notes."""
FRESH = Editor(
    "img2img, free", "fresh noise at several strengths, without the notes", batched("img2img"),
    settings_of("img2img"), baseline=True, notes="free", method="img2img",
)  # fmt: skip
"""For sounds only, which diffusers' img2img pipeline does not take: what users of riffusion do."""
