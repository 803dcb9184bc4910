"""Measure `regrow extend` on played phrases: three seconds of each are given, and three are added.

    python runs/measure_extend.py [phrases] [steps] [repeat or free]

Counts how often the judge of `regrow bench bandstand` reads the phrase's own attributes, in the phrase's true
continuation and in the added part alone; and measures how much louder the added part is than the given one.
"""

import sys
import tempfile
from pathlib import Path
from typing import Literal

import torch

from regrow.benchmark.judges import load_judge
from regrow.core.progress import finish
from regrow.editing.extend import extend
from regrow.media.audio.mel import MelSettings, to_mel
from regrow.media.audio.sound import save
from regrow.models.open import open_model
from regrow.requests.extend import Extend
from regrow.worlds.bandstand.playing import MELODIC, Phrase, caption, play

FIRST_SEED, GIVEN, ADDED = 9_400_000, 3.0, 3.0
JUDGED = ("instrument", "register", "tempo", "scale")


def decibels(wave: torch.Tensor) -> float:
    return float(10 * wave.square().mean().log10())


def main(phrases: int, steps: int, notes: Literal["repeat", "free"]) -> None:
    settings, model, judge = MelSettings(), open_model("bandstand"), load_judge("bandstand")
    given, added = round(GIVEN * settings.rate), round(ADDED * settings.rate)
    right = {part: dict.fromkeys(JUDGED, 0) for part in ("played", "grown")}
    louder, seed = [], FIRST_SEED
    while len(louder) < phrases:
        phrase, seed = Phrase.random(seed), seed + 1
        if phrase.instrument not in MELODIC:
            continue
        played = torch.from_numpy(play(phrase, GIVEN + ADDED).wave)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "given.wav"
            save(path, played[:, :given], settings.rate)
            request = Extend(path, caption(phrase, 0, "en"), ADDED, steps=steps, notes=notes)
            (wave,) = finish(extend(request, model)).items
        new = [part[:, given : given + added] for part in (played, wave)]
        for counts, heard in zip(right.values(), judge.read(to_mel(torch.stack(new), settings)), strict=True):
            for name in JUDGED:
                counts[name] += heard[name] == getattr(phrase, name)
        louder.append(decibels(new[1]) - decibels(wave[:, :given]))
    for part, counts in right.items():
        print(f"{part}: {', '.join(f'{name} {count}' for name, count in counts.items())} of {phrases}")
    print(f"louder by {sum(louder) / phrases:.1f} dB, {sum(map(abs, louder)) / phrases:.1f} dB apart")


if __name__ == "__main__":
    numbers = [int(value) for value in sys.argv[1:] if value.isdecimal()]
    main((numbers or [24])[0], (numbers[1:] or [20])[0], "free" if "free" in sys.argv else "repeat")
