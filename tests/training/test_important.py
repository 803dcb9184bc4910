"""Where the errors of a denoiser weigh more."""

import numpy as np
import torch

from regrow.core.progress import finish
from regrow.training.denoiser_stage import _important
from regrow.training.world_data import HELD_OUT, lesson, storybook_data
from regrow.worlds.storybook.drawing import Scene
from regrow.worlds.storybook.expression_mask import mood

CELLS, FACTOR = 16, 4


def test_an_error_weighs_three_times_in_an_animal_and_ten_in_its_face():
    data = finish(storybook_data(3, 1, CELLS * FACTOR))
    assert data.masks is not None
    assert data.focus is not None
    chosen = np.array([3, 0])
    found = _important(data.masks, data.focus, FACTOR)(chosen)[:, 0]
    assert found.shape == (2, CELLS, CELLS)
    for weights, scene, mask in zip(found, (Scene.random(HELD_OUT), lesson(0)), data.masks[chosen], strict=True):
        animal = torch.from_numpy(mask.reshape(CELLS, FACTOR, CELLS, FACTOR).mean((1, 3)) / 255).float()
        face = torch.from_numpy(mood(scene, CELLS)).float()
        torch.testing.assert_close(weights, 1 + 2 * animal + 7 * face)
        assert weights[(animal == 0) & (face == 0)].unique().tolist() == [1.0]
        assert weights.max() > 7


def test_without_a_face_the_animal_weighs_three_times_still():
    masks = np.full((1, 8, 8), 255, np.uint8)
    assert _important(masks, None, 4)(np.array([0])).unique().tolist() == [3.0]
