"""Draw the same prompts and the same noise with several models, one row per model, to see what they know.

.venv/bin/python runs/compare_words.py SHEET MODEL MODEL ...
"""

import sys
from pathlib import Path

from regrow.benchmark.world_bench import grow
from regrow.media.image.picture import save
from regrow.media.image.sheet import Cell, Row, sheet
from regrow.models.open import open_model
from regrow.requests.generate import Generate

PROMPTS = (
    "a brown bear on a beach",
    "a white bear in the snow",
    "an orange bear in a meadow",
    "a black bear in a living room",
    "an orange cat on a beach",
    "a white puppy in a meadow",
    "a black penguin in the snow",
    "a grey rabbit in a living room",
    "an orange fox in a city at night",
)
SEEDS = tuple(range(7, 7 + len(PROMPTS)))


def main(path: Path, names: list[str]) -> None:
    rows = []
    for name in names:
        pictures = grow(open_model(name), PROMPTS, SEEDS, Generate(PROMPTS[0]))
        cells = [Cell(p, (words,)) for p, words in zip(pictures, PROMPTS, strict=True)]
        rows.append(Row(name, cells))
    save(path, sheet(rows, cell=160))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
