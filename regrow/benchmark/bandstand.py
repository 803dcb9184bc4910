"""How well a model knows the bandstand: what its codec and phase lose, and whether it plays what the words ask for.

The phrases are held out (seeds 9,000,000 and up) and a judge hears what is played. It hears the same phrases as they
were played, which is the judge's own accuracy; through the codec; through codec and phase, which is what a user
hears; and as the model grew them from words, as waves, too.
"""

import time
from collections.abc import Generator, Mapping, Sequence
from typing import get_args

import numpy as np
import torch

from regrow.benchmark.bandstand_figures import BandstandFigures, Mels
from regrow.benchmark.estimates import Estimate, mean
from regrow.benchmark.sound_judge import ATTRIBUTES, SoundJudge, load_sound_judge
from regrow.benchmark.storybook import grow
from regrow.core.progress import Progress
from regrow.media.audio.mel import MelSettings, from_unit, to_mel, to_unit
from regrow.models.codecs.sound_codec import settings_of, sounded
from regrow.models.model import Model
from regrow.requests.generate import Generate
from regrow.worlds.bandstand.playing import Phrase, caption, captions, play
from regrow.worlds.bandstand.wording import Language

FIRST_SEED = 9_000_000
"""Of the held-out phrases; models learn from seeds far below."""


def bench_bandstand(
    model: Model,
    phrases: int = 300,
    settings: Generate | None = None,
    languages: Sequence[Language] = get_args(Language),
    batch: int = 10,
    judge: SoundJudge | None = None,
    shown: int = 16,
) -> Generator[Progress, None, BandstandFigures]:
    """Measure a model of sounds on held-out phrases.

    Phrase i has seed 9,000,000 + i, which also chooses its caption, draws its noise and, with other random
    numbers than the phrase's, what the caption leaves open, so that `regrow generate CAPTION --seed SEED` makes its
    sound again.

    Args:
        model: of sounds, one that takes words.
        phrases: how many.
        settings: see `bench_storybook`.
        languages: of the captions; each is generated on its own.
        batch: clips at a time.
        judge: the shipped one when None.
        shown: how many mels are kept of each kind.

    Raises:
        ValueError: the model takes no words or makes no sounds, or a number does not fit.
    """
    started = time.monotonic()
    mel = settings_of(model)
    if model.text_encoder is None:
        raise ValueError(f"{model.name} takes no words, so the bandstand bench cannot ask it for anything.")
    if phrases < 2 or batch < 1:
        raise ValueError(f"phrases must be 2 or more and batch 1 or more; got {phrases} and {batch}.")
    settings, judge = settings or Generate(prompt=""), judge or load_sound_judge()
    seeds = range(FIRST_SEED, FIRST_SEED + phrases)
    concert = [Phrase.random(seed) for seed in seeds]
    lost: dict[str, list[float]] = {"codec": [], "codec and phase": []}
    read: dict[str, list[dict[str, str]]] = {}
    samples: dict[str, list[Mels]] = {}

    def hear(kind: str, mels: Mels) -> None:
        read.setdefault(kind, []).extend(judge.read(mels))
        samples.setdefault(kind, []).append(mels[: max(0, shown - len(read[kind]) + len(mels))])

    for i in range(0, phrases, batch):
        played = _played(concert[i : i + batch], model, mel)
        coded = model.decode(model.encode(to_unit(played, mel)))
        for kind, mels in (("codec", from_unit(coded, mel)), ("codec and phase", _again(coded, model, mel))):
            lost[kind] += [float(error) for error in (mels - played).abs().mean((1, 2, 3))]
            hear(kind, mels)
        hear("played", played)
        yield Progress("codec", min(i + batch, phrases), phrases)
    wanted: dict[str, list[set[str]]] = {}
    for language in languages:
        kind = f"words {language}"
        prompts = [caption(phrase, seed, language) for phrase, seed in zip(concert, seeds, strict=True)]
        wanted[kind] = [asked(p, text, language) for p, text in zip(concert, prompts, strict=True)]
        for i in range(0, phrases, batch):
            hear(kind, _again(grow(model, prompts[i : i + batch], seeds[i : i + batch], settings), model, mel))
            yield Progress(kind, min(i + batch, phrases), phrases)
    names = ("steps", "guidance", "guidance_share", "solver", "eta", "spacing", "negative", "prompt_expansion")
    named = {name: getattr(settings, name) for name in names}
    return BandstandFigures(
        model=model.name,
        phrases=phrases,
        settings={**named, "first_seed": FIRST_SEED},
        lost={kind: mean(values) for kind, values in lost.items()},
        heard={kind: _right(concert, found, wanted.get(kind)) for kind, found in read.items()},
        confusion=_confusion(concert, read.get("words en", [])),
        judge=judge.facts["held_out"],
        seconds=round(time.monotonic() - started, 1),
        samples={kind: torch.cat(parts) for kind, parts in samples.items()},
        captions=tuple(captions(phrase)[0] for phrase in concert[:shown]),
    )


def _played(concert: Sequence[Phrase], model: Model, mel: MelSettings) -> Mels:
    duration = model.size[1] * mel.hop / mel.rate
    return to_mel(torch.from_numpy(np.stack([play(phrase, duration).wave for phrase in concert])), mel)


def _again(mels: Mels, model: Model, mel: MelSettings) -> Mels:
    """The mel, in dB, of the wave that a model's mel becomes: what a user hears and not what the model meant."""
    return to_mel(sounded(mels, model, mels.shape[-1] * mel.hop), mel)


def asked(phrase: Phrase, text: str, language: Language) -> set[str]:
    """The attributes that a caption tells: where any other value would make it a caption of the phrase no more."""
    named = set()
    for name, values in ATTRIBUTES.items():
        others = []
        for value in values:
            try:
                others.append(phrase.replace(**{name: value}))
            except ValueError:  # what this pattern does not have
                continue
        others = [other for other in others if getattr(other, name) != getattr(phrase, name)]
        if others and not any(text in captions(other, language) for other in others):
            named.add(name)
    return named


def _right(
    concert: Sequence[Phrase], read: Sequence[Mapping[str, str]], wanted: Sequence[set[str]] | None
) -> dict[str, Estimate]:
    names = wanted or [set(ATTRIBUTES)] * len(concert)
    found = {}
    for name in ATTRIBUTES:
        hits = [
            float(r[name] == getattr(phrase, name))
            for phrase, r, named in zip(concert, read, names, strict=True)
            if name in named
        ]
        if hits:
            found[name] = mean(hits)
    return found


def _confusion(concert: Sequence[Phrase], read: Sequence[Mapping[str, str]]) -> dict[str, dict[str, int]]:
    names = ATTRIBUTES["instrument"]
    counts = {true: dict.fromkeys(names, 0) for true in names}
    for phrase, r in zip(concert, read, strict=False):
        counts[phrase.instrument][r["instrument"]] += 1
    return counts
