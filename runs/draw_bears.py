"""Draw pictures of an animal that is new to the storybook model, with captions, to train the model on.

.venv/bin/python runs/draw_bears.py FOLDER [HOW MANY]
"""

import sys
from pathlib import Path

from PIL import Image

from regrow.worlds.storybook import heads
from regrow.worlds.storybook.canvas import Pen
from regrow.worlds.storybook.coats import INK, WHITE, Coat
from regrow.worlds.storybook.drawing import Scene, caption, draw
from regrow.worlds.storybook.faces import TURN, Gaze, Head, eyes, mouth

FIRST_SEED = 8_800_000
"""First seed of scenes that neither the model nor a benchmark has seen."""


def bear(pen: Pen, head: Head, coat: Coat, expression: str) -> None:
    """Draw a bear's head: small round ears, a broad round face, a short pale muzzle."""
    ears = [head.oval(s * 0.78, 0.82, 0.36, 0.38) for s in (-1, 1)]
    pen.fill([*ears, head.oval(0, -0.02, 1.06, 0.98)], coat.fur, coat.line)
    for s in (-1, 1):
        pen.paint(head.oval(s * 0.8, 0.86, 0.19, 0.2), coat.light)
    u = TURN * 1.3
    pen.fill([head.oval(u, -0.46, 0.46, 0.4)], coat.light, coat.shade)
    eyes(pen, head, coat, expression, Gaze(WHITE, (60, 40, 30), height=0.08))
    mouth(pen, head, expression, -0.52, 0.24)
    pen.fill([head.oval(u, -0.28, 0.2, 0.14)], INK, INK)


def main(folder: Path, count: int) -> None:
    """Draw bears: the puppy's body with a bear's head."""
    heads.FACES["puppy"] = bear
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(FIRST_SEED, FIRST_SEED + count):
        scene = Scene.random(seed).replace(animal="puppy")
        Image.fromarray(draw(scene, 256).picture).save(folder / f"{seed}.png")
        words = caption(scene, seed).replace("puppy", "bear").replace("dog", "bear")
        (folder / f"{seed}.txt").write_text(words + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 50)
