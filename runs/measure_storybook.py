"""Measure the figures of a model's card on held-out scenes: codec, effect of words on the denoiser, and edits.

.venv/bin/python runs/measure_storybook.py [MODEL] [SCENES]
"""

import sys

import numpy as np
import torch

from regrow.core.methods.direct_inversion import direct_inversion
from regrow.core.noise import noise
from regrow.core.progress import finish
from regrow.core.solvers import ddim, last, solve
from regrow.editing.invert import watched
from regrow.media.image.distance import psnr
from regrow.media.image.picture import from_uint8
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.worlds.storybook.drawing import ANIMALS, COLOURS, EXPRESSIONS, PLACES, Scene, captions, draw
from regrow.worlds.storybook.expression_mask import mood

HELD_OUT = 9_000_000
LABELS = (99, 299, 499, 699, 899)


def other(scene: Scene, field: str) -> Scene:
    """Return the scene with the next value of one field."""
    values = {"animal": ANIMALS, "colour": COLOURS, "place": PLACES, "expression": EXPRESSIONS}[field]
    return scene.replace(**{field: values[(values.index(getattr(scene, field)) + 1) % len(values)]})


def v_error(model: Model, latents: torch.Tensor, prompts: list[str], weights: torch.Tensor) -> float:
    """Return the weighted mean squared error of v, over five levels with the same noise every time."""
    condition, total = model.condition(prompts), 0.0
    for label in LABELS:
        level = model.schedule.level(label)
        eps = noise(latents.shape[1:], [HELD_OUT + label + i for i in range(len(latents))])
        x_t = level.alpha * latents + level.sigma * eps
        found = model.denoiser(condition)(x_t, level)
        v = level.alpha * (found.eps - eps) - level.sigma * (found.x0 - latents)
        total += float((v.square() * weights).sum() / weights.sum() / latents.shape[1]) / len(LABELS)
    return total


def main(name: str = "storybook", count: int = 64) -> None:
    model = open_model(name)
    scenes = [Scene.random(HELD_OUT + i) for i in range(count)]
    drawings = [draw(scene, model.size) for scene in scenes]
    pictures = from_uint8(np.stack([drawing.picture for drawing in drawings]))
    masks = torch.from_numpy(np.stack([drawing.mask > 127 for drawing in drawings]))
    latents = model.encode(pictures)
    codec = model.decode(latents)
    whole = [float(psnr(a, b)) for a, b in zip(codec, pictures, strict=True)]
    inside = [float(psnr(a, b, m)) for a, b, m in zip(codec, pictures, masks, strict=True)]
    print(f"{name}, {count} held-out scenes")
    print(f"codec PSNR: {np.mean(whole):.2f} dB, within the animal {np.mean(inside):.2f} dB")
    cells = torch.nn.functional.adaptive_avg_pool2d(masks[:, None].float(), latents.shape[-2:])
    right = v_error(model, latents, [captions(scene)[0] for scene in scenes], cells)
    print(f"v error within the animal, right words: {right:.4f}")
    for field in ("place", "colour", "animal"):
        area = torch.ones_like(cells) - cells if field == "place" else cells
        prompts = [captions(other(scene, field))[0] for scene in scenes]
        base = v_error(model, latents, [captions(scene)[0] for scene in scenes], area)
        print(f"  wrong {field}: +{v_error(model, latents, prompts, area) - base:.4f}")
    faces = torch.from_numpy(np.stack([mood(scene, cells.shape[-1]) for scene in scenes]))[:, None].float()
    right = v_error(model, latents, [captions(scene)[-1] for scene in scenes], faces)
    wrong = v_error(model, latents, [captions(other(scene, "expression"))[-1] for scene in scenes], faces)
    print(f"v error within the face, told in full: {right:.4f}, wrong expression: +{wrong - right:.4f}")
    levels = model.schedule.grid(30)[::-1][:25]
    source = model.condition([captions(scene)[0] for scene in scenes[:16]])
    path = finish(watched(direct_inversion(model.denoiser(source), latents[:16], levels), "invert"))
    targets = [other(scene, "animal") for scene in scenes[:16]]
    condition = model.condition([captions(target)[0] for target in targets])
    x = last(solve(path.back(ddim), model.denoiser(condition, source, 3.0), path.states[-1], levels[::-1]))
    truth = from_uint8(np.stack([draw(target, model.size).picture for target in targets]))
    for what, edited in (("edited", model.decode(x)), ("unedited", pictures[:16])):
        inner = [
            float(psnr(a, b, m | torch.from_numpy(draw(t, model.size).mask > 127)))
            for a, b, m, t in zip(edited, truth, masks, targets, strict=False)
        ]
        print(f"another animal, {what}: PSNR to the counterfactual within both animals {np.mean(inner):.2f} dB")


if __name__ == "__main__":
    main(*sys.argv[1:2], *map(int, sys.argv[2:3]))
