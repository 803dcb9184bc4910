"""The kinds of work that the page asks for, done with sounds: files with recipes, and a picture of each beside it."""

from collections.abc import Generator, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812, the name everybody knows it by
from jaxtyping import Float
from torch import Tensor

from regrow.editing.edit_sounds import as_asked, edit_sounds
from regrow.editing.generate_sounds import generate_sounds
from regrow.editing.inspect_sounds import inspect_sound
from regrow.editing.recipe import Recipe
from regrow.interfaces.reporting import slug
from regrow.interfaces.web.jobs import At, Job
from regrow.interfaces.web.rewound import rewound
from regrow.interfaces.web.worker import steps_of
from regrow.media.audio import graph
from regrow.media.audio.mel import MelSettings, as_picture, to_mel, to_unit
from regrow.media.audio.sound import resample, save, to_mono
from regrow.models.codecs.sound_codec import hear, settings_of
from regrow.models.model import Model
from regrow.requests.edit import Edit
from regrow.requests.generate import Generate


def generate(job: Job, request: Generate, model: Model) -> Generator[At, None, None]:
    """Sounds from words."""
    made = yield from steps_of(generate_sounds(request, model), model)
    keep(job, list(made.waves), made.rate, made.recipes, [request.prompt] * request.count, model)
    job.tell(made.notes)
    job.facts["figures"] = made.recipes[0]["figures"]


def edit(job: Job, request: Edit, model: Model) -> Generator[At, None, None]:
    """An edit of every wish; beside it the sound as it was, in a format that every browser plays."""
    mel = hear(request.image, model).mel
    status, _ = as_asked(request, model, mel)
    before = yield from rewound(request, status, lambda: model.encode(mel[None]))
    edited = yield from steps_of(edit_sounds(request, model), model)
    keep(job, edited.waves, edited.rate, edited.recipes, request.target, model)
    job.tell(edited.notes)
    sound = edited.heard.sound
    job.lay_beside("before", seen(sound.wave, sound.rate, settings_of(model)))
    job.beside["original"] = "beside/original.wav"
    save(job.folder / job.beside["original"], sound.wave, sound.rate)
    job.facts |= {"strength": edited.recipes[0]["settings"]["strength"]} if request.strength is None else {}
    job.facts |= {"figures": edited.recipes[0]["figures"], "rewound": before, "reused": edited.reused and not before}


def look(job: Job, model: Model) -> Generator[At, None, None]:
    """The page of `regrow inspect`, and the levels of the model's path to noise."""
    yield At("look", 0, 0)
    inspected = inspect_sound(Path(job.settings["image"]), model)
    assert inspected.page is not None
    job.lay_beside("page", inspected.page)
    job.facts["alpha_bar"] = [level.alpha**2 for level in model.schedule.grid(job.settings["steps"])]
    lost = {"codec": inspected.facts.get("codec_db"), "phase": inspected.facts["mel_and_back_db"]}
    job.facts["lost"] = {part: decibels for part, decibels in lost.items() if decibels is not None}
    job.tell(inspected.facts["notes"])


def keep(
    job: Job,
    waves: Sequence[Float[Tensor, "channels n"]],
    rate: int,
    recipes: Sequence[Recipe],
    words: Sequence[str],
    model: Model,
) -> None:
    """Write what was made into the job's folder, each with its recipe, and a picture of each beside it."""
    for i, (wave, recipe) in enumerate(zip(waves, recipes, strict=True), 1):
        name = f"{slug(words[i - 1])}-{i}.wav"
        job.notes += save(job.folder / name, wave, rate, recipe)
        job.lay_beside(f"seen-{i}", seen(wave, rate, settings_of(model)))
        job.files.append(name)


def seen(wave: Float[Tensor, "channels n"], rate: int, settings: MelSettings) -> Float[Tensor, "3 h w"]:
    """A sound to look at: its waveform, and below it its mel."""
    mono = to_mono(wave)
    mel = to_unit(to_mel(resample(mono, rate, settings.rate)[None], settings), settings)
    below = F.interpolate(as_picture(mel), size=graph.SIZE, mode="area")[0]
    return torch.cat([graph.waveform(mono[0]), below], -2)
