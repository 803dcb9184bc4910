import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.worlds.storybook.drawing import Scene, draw
from regrow.worlds.storybook.expression_mask import mood
from regrow.worlds.storybook.scene import ANIMALS, EXPRESSIONS, POSES

CELLS, SIDE = 16, 256


def redrawn(scene: Scene) -> np.ndarray:
    """The share of each cell in which drawings of the scene itself differ by the expression."""
    drawings = np.stack([draw(scene.replace(expression=one), SIDE).picture.astype(int) for one in EXPRESSIONS])
    differs = (drawings.max(0) - drawings.min(0)).max(-1) > 40
    return differs.reshape(CELLS, SIDE // CELLS, CELLS, SIDE // CELLS).mean((1, 3))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**9))
def test_a_mood_is_where_another_expression_is_drawn_differently(seed):
    scene = Scene.random(seed).replace(colour="orange", accessory="none", place="snow", time="day", weather="clear")
    found, wanted = mood(scene, CELLS), redrawn(scene)
    assert np.abs(found - wanted).sum() < 0.35 * wanted.sum()
    assert np.corrcoef(found.ravel(), wanted.ravel())[0, 1] > 0.95


@pytest.mark.parametrize("animal", ANIMALS)
@pytest.mark.parametrize("pose", POSES)
def test_whoever_faces_the_other_way_has_its_face_on_the_other_side(animal, pose):
    scene = Scene(animal=animal, pose=pose, facing="right", x=0.45)
    other = scene.replace(facing="left", x=0.55)
    assert np.abs(mood(scene, CELLS) - mood(other, CELLS)[:, ::-1]).max() < 0.1


def test_an_animal_that_stands_half_outside_has_half_a_face():
    inside, outside = (mood(Scene(x=x), CELLS).sum() for x in (0.5, 0.0))
    assert 0.1 * inside < outside < 0.9 * inside
