"""Measure a model on a world: the losses of its codec, and how often its results match the prompt.

All scenes or phrases are held out (seeds from 9,000,000 on). A judge, an attribute classifier, reads three versions of
each: as drawn or played, which gives its own accuracy; through the codec, for sounds also with reconstructed phase, as
a user hears them; and as generated from the caption. The difference between the last two is due to the denoiser.

The judge chooses among five animals, and is often right even for poorly drawn pictures. Therefore the share of correct
readings comes with the distance between generated pictures and drawings, in the judge's features.
"""

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d

from regrow.benchmark.estimates import kernel_distance, mean
from regrow.benchmark.judges import load_judge
from regrow.benchmark.world_figures import STORYBOOK, Judged, WorldFigures, judged
from regrow.core.progress import Progress, finish
from regrow.editing.grow import grow as grow_latents
from regrow.editing.steps import with_own_settings
from regrow.media.audio.mel import MelSettings, from_unit, to_mel, to_unit
from regrow.media.image.distance import psnr, ssim
from regrow.media.image.picture import from_uint8
from regrow.models.codecs.mel import settings_of
from regrow.models.model import Model
from regrow.models.probes.attributes import AttributeClassifier
from regrow.prompts.expand_generate import condition_on_tunes, in_full
from regrow.requests.generate import Generate
from regrow.worlds.storybook.drawing import draw
from regrow.worlds.world import WORLDS, Language

FIRST_SEED = 9_000_000
"""First seed of the held-out scenes or phrases; training uses seeds far below."""

Batch = Float[Tensor, "b c h w"]
Losses = dict[str, list[float]]
"""Losses of a codec, one value per scene or phrase, by the name of the measure."""


def bench_world(
    model: Model,
    world: str,
    count: int,
    settings: Generate | None = None,
    languages: Sequence[Language] = get_args(Language),
    batch: int | None = None,
    judge: AttributeClassifier | None = None,
    shown: int | None = None,
) -> Generator[Progress, None, WorldFigures]:
    """Measure a model on held-out scenes or phrases of a world.

    Item i has seed 9,000,000 + i. The seed also selects its caption, the noise, and the attributes that prompt
    expansion adds to the caption, so `regrow generate CAPTION --seed SEED` repeats a result.

    Args:
        model: a model that takes prompts.
        world: storybook for picture models, or bandstand for sound models.
        count: number of scenes or phrases.
        settings: steps, guidance, its share, solver, eta, spacing, negative, prompt_expansion and size; the defaults of
            `regrow generate` when None. Other fields are ignored.
        languages: of the captions; results are generated for each of them.
        batch: results at a time; 16 pictures or 10 sounds when None.
        judge: the shipped one when None.
        shown: how many of each kind to keep for `contact_sheet`; 64 pictures or 16 mels when None.

    Raises:
        ValueError: the model takes no prompts or is of the wrong medium, or a number or the size is out of range.
    """
    started, settings = time.monotonic(), with_own_settings(settings or Generate(prompt=""), model)
    size = settings.size or model.size
    subject = _Pictures(model, size) if world == STORYBOOK else _Mels(model, settings_of(model))
    batch, shown = subject.batch if batch is None else batch, subject.shown if shown is None else shown
    if not model.takes_words:
        raise ValueError(f"{model.name} takes no prompts, which the {world} benchmark needs.")
    if count < 2 or batch < 1:
        raise ValueError(f"The number of things must be 2 or more and batch 1 or more; got {count} and {batch}.")
    model.latent_shape(*size)  # raises for an impossible size before the work begins
    source, judge = WORLDS[world], judge or load_judge(world)
    seeds = range(FIRST_SEED, FIRST_SEED + count)
    things = [source.random(seed) for seed in seeds]
    losses: Losses = {}
    features: dict[str, list[Tensor]] = {}
    samples: dict[str, list[Tensor]] = {}

    def judge_batch(kind: str, x: Batch, first: int) -> None:
        features.setdefault(kind, []).append(judge.features(x))
        samples.setdefault(kind, []).append(x[: max(0, shown - first)])

    for i in range(0, count, batch):
        part = things[i : i + batch]
        truth = subject.truth(part)
        judge_batch("truth", truth, i)
        for kind, x, lost in subject.coded(part, truth):
            judge_batch(kind, x, i)
            for name, values in lost.items():
                losses.setdefault(name, []).extend(values)
        yield Progress("codec", min(i + batch, count), count)
    named: dict[str, list[set[str]]] = {}
    for language in languages:
        kind = f"words {language}"
        prompts = [source.caption(thing, seed, language) for thing, seed in zip(things, seeds, strict=True)]
        named[kind] = [source.named_attributes(t, text, language) for t, text in zip(things, prompts, strict=True)]
        for i in range(0, count, batch):
            made = grow(model, prompts[i : i + batch], seeds[i : i + batch], settings)
            judge_batch(kind, subject.of_output(made), i)
            yield Progress(kind, min(i + batch, count), count)
    judgements: dict[str, Judged] = {}
    readings = {kind: judge.read_features(torch.cat(parts)) for kind, parts in features.items()}
    for kind, read in readings.items():
        apart = None
        if world == STORYBOOK and kind != "truth":
            apart = kernel_distance(torch.cat(features[kind]), torch.cat(features["truth"]))
        judgements[kind] = judged(world, things, read, named.get(kind), apart)
    fields = ("steps", "guidance", "guidance_share", "solver", "eta", "spacing", "negative", "prompt_expansion")
    return WorldFigures(
        model=model.name,
        world=world,
        count=count,
        settings={**{name: getattr(settings, name) for name in fields}, "size": list(size), "first_seed": FIRST_SEED},
        codec={name: mean(values) for name, values in losses.items()} or None,
        judged=judgements,
        judge=judge.facts["held_out"],
        seconds=round(time.monotonic() - started, 1),
        things=tuple(things[:shown]),
        samples={kind: torch.cat(parts) for kind, parts in samples.items()},
        readings={kind: tuple(read[:shown]) for kind, read in readings.items()},
    )


@dataclass(frozen=True)
class _Pictures:
    """Convert scenes to pictures `b 3 h w` in [-1, 1] for the judge; holds the defaults of `bench_world`."""

    model: Model
    size: tuple[int, int]
    batch: int = 16
    shown: int = 64

    def truth(self, things: Sequence[Any]) -> Batch:
        return from_uint8(np.stack([WORLDS[STORYBOOK].render(scene, self.size) for scene in things]))

    def coded(self, things: Sequence[Any], truth: Batch) -> Iterator[tuple[str, Batch, Losses]]:
        """Pass scenes through the codec; yield the kind, the reconstructions, and the losses."""
        if self.model.codec.part is None:
            return
        again = self.of_output(self.model.decode(self.model.encode(truth)))
        losses: Losses = {"psnr": [], "psnr_halved": [], "psnr_animal": [], "ssim": []}
        for scene, a, b in zip(things, again, truth, strict=True):
            losses["psnr"].append(psnr(a, b))
            losses["psnr_halved"].append(psnr(avg_pool2d(a, 2), avg_pool2d(b, 2)))
            losses["psnr_animal"].append(psnr(a, b, torch.from_numpy(draw(scene, self.size).mask > 127)))
            losses["ssim"].append(ssim(a, b))
        yield "codec", again, losses

    def of_output(self, output: Batch) -> Batch:
        return output.cpu().float()


@dataclass(frozen=True)
class _Mels:
    """The same for phrases: mels `b 1 bands frames` in dB."""

    model: Model
    mel: MelSettings
    batch: int = 10
    shown: int = 16

    def truth(self, things: Sequence[Any]) -> Batch:
        seconds = self.model.size[1] * self.mel.hop / self.mel.rate
        waves = np.stack([WORLDS["bandstand"].render(phrase, seconds) for phrase in things])
        return to_mel(torch.from_numpy(waves), self.mel)

    def coded(self, things: Sequence[Any], truth: Batch) -> Iterator[tuple[str, Batch, Losses]]:
        again = self.model.decode(self.model.encode(to_unit(truth, self.mel)))
        for kind, mels in (("codec", from_unit(again, self.mel)), ("codec and phase", self.of_output(again))):
            yield kind, mels, {kind: [float(error) for error in (mels - truth).abs().mean((1, 2, 3))]}

    def of_output(self, output: Batch) -> Batch:
        """Return the mel of the wave that is made from a model's mel, which is what a user hears."""
        return to_mel(self.model.sound.to_waves(output, output.shape[-1] * self.mel.hop), self.mel)


def grow(model: Model, prompts: Sequence[str], seeds: Sequence[int], settings: Generate) -> Batch:
    """Generate pictures in [-1, 1], or the model's mels, from prompts in one batch, as `regrow generate` does.

    The prompts are expanded first if the settings say so.

    Args:
        model: that generates.
        prompts: one per result.
        seeds: of the noise, one per result.
        settings: see `bench_world`.
    """
    each = [replace(settings, prompt=prompt, seed=seed) for prompt, seed in zip(prompts, seeds, strict=True)]
    full = [in_full(one, model) for one in each]
    extent = model.medium.extent(settings, model)
    things = [thing for one in full for thing in one.things]
    model = condition_on_tunes(model, things, extent.seconds, extent.shape[-1])
    latents, _ = finish(grow_latents(settings, model, [one.prompts[0] for one in full], extent.shape, seeds))
    return model.decode(latents).cpu().float()
