"""How well a model knows the storybook: what its codec loses, and how often it grows what the words ask for.

The scenes are held out (seeds 9,000,000 and up) and a judge reads what the pictures show. It reads three kinds of
the same scenes: as drawn, which is the judge's own accuracy; through the codec, which is what softness costs; and as
the model grew them from words. What separates the last two is the denoiser's.

The judge chooses among five animals and finds the right one in pictures that are far from well drawn. So beside the
share of right readings stands how far the pictures are from drawings, in what the judge makes its choices from.
"""

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d

from regrow.benchmark.estimates import Estimate, kernel_distance, mean
from regrow.benchmark.judge import ATTRIBUTES, Judge, load_judge
from regrow.benchmark.storybook_figures import Samples, StorybookFigures, judged
from regrow.core.noise import noise
from regrow.core.progress import Progress
from regrow.core.solvers import last, make_step, solve
from regrow.editing.generate import guided
from regrow.media.image.distance import psnr, ssim
from regrow.media.image.picture import from_uint8
from regrow.models.model import Model
from regrow.prompts.expand_generate import condition_on_tunes, in_full
from regrow.requests.generate import Generate
from regrow.worlds.storybook.drawing import TIMES, WEATHERS, Language, Scene, caption, captions, draw

FIRST_SEED = 9_000_000
"""Of the held-out scenes; models learn from seeds far below."""


def bench_storybook(
    model: Model,
    scenes: int = 500,
    settings: Generate | None = None,
    languages: Sequence[Language] = get_args(Language),
    batch: int = 16,
    judge: Judge | None = None,
    shown: int = 64,
) -> Generator[Progress, None, StorybookFigures]:
    """Measure a model on held-out scenes.

    Scene i has seed 9,000,000 + i, which also chooses its caption, draws its noise and, with other random numbers than
    the scene's, what the caption leaves open, so that `regrow generate CAPTION --seed SEED` makes its picture again.

    Args:
        model: one that takes words.
        scenes: how many.
        settings: steps, guidance, its share, solver, eta, spacing, negative, prompt_expansion and size, which are
            `regrow generate`'s own defaults when None; the other fields are not heeded.
        languages: of the captions; each is generated on its own.
        batch: pictures at a time.
        judge: the shipped one when None.
        shown: how many pictures are kept for `contact_sheet`.

    Raises:
        ValueError: the model takes no words, or a number or the size does not fit.
    """
    started = time.monotonic()
    if model.text_encoder is None:
        raise ValueError(f"{model.name} takes no words, so the storybook bench cannot ask it for anything.")
    if scenes < 2 or batch < 1:
        raise ValueError(f"scenes must be 2 or more and batch 1 or more; got {scenes} and {batch}.")
    settings = settings or Generate(prompt="")
    size = settings.size or model.size
    model.latent_shape(*size)  # refuses a size that does not fit before the work begins
    judge = judge or load_judge()
    seeds = range(FIRST_SEED, FIRST_SEED + scenes)
    book = [Scene.random(seed) for seed in seeds]
    drawn = yield from _draw_and_code(model, judge, book, size, batch, shown)
    found = {"drawn": judged(book, judge.read_features(drawn.features))}
    if drawn.coded is not None:
        apart = kernel_distance(drawn.coded, drawn.features)
        found["codec"] = judged(book, judge.read_features(drawn.coded), distance=apart)
    samples: dict[Language, Samples] = {}
    for language in languages:
        prompts = [caption(scene, seed, language) for scene, seed in zip(book, seeds, strict=True)]
        grown, parts = [], []
        for i in range(0, scenes, batch):
            pictures = grow(model, prompts[i : i + batch], seeds[i : i + batch], settings)
            grown.append(pictures[: max(0, shown - i)])
            parts.append(judge.features(pictures))
            yield Progress(f"words {language}", min(i + batch, scenes), scenes)
        features = torch.cat(parts)
        read = judge.read_features(features)
        wanted = [asked(scene, text, language) for scene, text in zip(book, prompts, strict=True)]
        found[f"words {language}"] = judged(book, read, wanted, kernel_distance(features, drawn.features))
        samples[language] = Samples(tuple(book[:shown]), drawn.first, torch.cat(grown), tuple(read[:shown]))
    named = {
        name: getattr(settings, name)
        for name in ("steps", "guidance", "guidance_share", "solver", "eta", "spacing", "negative", "prompt_expansion")
    }
    return StorybookFigures(
        model=model.name,
        scenes=scenes,
        settings={**named, "size": list(size), "first_seed": FIRST_SEED},
        codec=drawn.codec,
        judged=found,
        judge=judge.facts["held_out"],
        seconds=round(time.monotonic() - started, 1),
        samples=samples,
    )


@dataclass(frozen=True, eq=False)
class _Drawn:
    """Features of the drawings and of what the codec makes of them, the codec's figures, and the first drawings."""

    features: Float[Tensor, "n features"]
    coded: Float[Tensor, "n features"] | None
    codec: dict[str, Estimate] | None
    first: Float[Tensor, "b 3 h w"]


def _draw_and_code(
    model: Model, judge: Judge, book: Sequence[Scene], size: tuple[int, int], batch: int, shown: int
) -> Generator[Progress, None, _Drawn]:
    first, plain, coded = [], [], []
    distances: dict[str, list[float]] = {"psnr": [], "psnr_halved": [], "psnr_animal": [], "ssim": []}
    for i in range(0, len(book), batch):
        drawings = [draw(scene, size) for scene in book[i : i + batch]]
        pictures = from_uint8(np.stack([drawing.picture for drawing in drawings]))
        first.append(pictures[: max(0, shown - i)])
        plain.append(judge.features(pictures))
        if model.codec is not None:
            again = model.decode(model.encode(pictures)).cpu().float()
            coded.append(judge.features(again))
            for a, b, drawing in zip(again, pictures, drawings, strict=True):
                distances["psnr"].append(psnr(a, b))
                distances["psnr_halved"].append(psnr(avg_pool2d(a, 2), avg_pool2d(b, 2)))
                distances["psnr_animal"].append(psnr(a, b, torch.from_numpy(drawing.mask > 127)))
                distances["ssim"].append(ssim(a, b))
        yield Progress("codec", min(i + batch, len(book)), len(book))
    codec = {name: mean(values) for name, values in distances.items()} if coded else None
    return _Drawn(torch.cat(plain), torch.cat(coded) if coded else None, codec, torch.cat(first))


def grow(model: Model, prompts: Sequence[str], seeds: Sequence[int], settings: Generate) -> Float[Tensor, "b 3 h w"]:
    """Pictures in [-1, 1] from prompts, one each and in one batch, as `operations.generate` grows them.

    Told in full first, where the settings say so.

    Args:
        model: that grows them.
        prompts: one a picture.
        seeds: of the noise, one a picture.
        settings: see `bench_storybook`.
    """
    each = [replace(settings, prompt=prompt, seed=seed) for prompt, seed in zip(prompts, seeds, strict=True)]
    full = [in_full(one, model) for one in each]
    if model.mel is not None:
        cells = model.size[1] // model.factor
        things = [thing for one in full for thing in one.things]
        model = condition_on_tunes(model, things, model.size[1] * model.mel.hop / model.mel.rate, cells)
    # noise of standard deviation 1 whatever the last level's sigma, as there
    x = noise(model.latent_shape(*(settings.size or model.size)), seeds)
    levels = model.schedule.grid(settings.steps, settings.spacing)
    denoise = guided(settings, model, model.condition([one.prompts[0] for one in full]), levels)
    return model.decode(last(solve(make_step(settings.solver, settings.eta, seeds), denoise, x, levels))).cpu().float()


def asked(scene: Scene, text: str, language: Language) -> set[str]:
    """The attributes that a caption tells: where any other value would make it a caption of the scene no more."""
    allowed = {**ATTRIBUTES, "weather": WEATHERS[scene.place], "time": TIMES[scene.place]}
    named = set()
    for name, values in allowed.items():
        others = [scene.replace(**{name: value}) for value in values if value != getattr(scene, name)]
        if others and not any(text in captions(other, language) for other in others):
            named.add(name)
    return named
