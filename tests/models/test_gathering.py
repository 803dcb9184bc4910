"""Requests whose network is called in common batches: each with its own result, as alone."""

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch

from regrow.core.progress import finish
from regrow.editing.edit import edit
from regrow.editing.generate import generate
from regrow.editing.result import Result
from regrow.models.engines.choose import with_engine
from regrow.models.engines.gathering import Gathering, gathered_by
from regrow.models.engines.openvino_runtime import installed
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.requests.edit import Edit
from regrow.requests.generate import Generate

CAT = Path(__file__).parents[2] / "examples" / "cat.png"
ROUNDED = 2e-4
"""How far a picture may be from the same one computed alone, by torch in float32, in [-1, 1]: measured 6e-5."""
ENGINES = ["torch", *(["openvino"] if installed() else [])]


@pytest.fixture(scope="module", params=ENGINES)
def model(request: pytest.FixtureRequest) -> Model:
    return with_engine(open_model("storybook"), request.param)


def compared(alone: list[Result], together: list[Result], model: Model) -> None:
    for one, other in zip(alone, together, strict=True):
        if model.engine:
            assert torch.equal(one.frames, other.frames)
        assert (one.frames - other.frames).abs().max() < ROUNDED
        for recipe, same in zip(one.recipes, other.recipes, strict=True):
            assert recipe["settings"] == same["settings"]
            assert recipe["figures"]["evaluations"] == same["figures"]["evaluations"]
            assert recipe["model"] == same["model"]
        assert one.notes == other.notes


def test_pictures_are_as_alone_whatever_is_made_beside_them(model: Model) -> None:
    requests = [
        Generate("a cat on a beach", steps=4, seed=1),
        Generate("a white rabbit in the snow", steps=4, seed=2, count=2),
        Generate("an orange dog", negative="a beach", steps=7, seed=3),  # goes on alone when the others have ended
    ]
    alone = [finish(generate(one, model)) for one in requests]
    gathering = Gathering()
    own = gathered_by(model, gathering)
    together = gathering.run([partial(lambda one: finish(generate(one, own)), one) for one in requests])
    compared(alone, together, model)
    assert gathering.shared >= 4
    assert model.gathering is None


def test_edits_of_one_picture_are_as_alone(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGROW_HOME", str(tmp_path))
    requests = [
        Edit(CAT, ("an orange puppy on a beach",), source="an orange cat on a beach", cache=False),
        Edit(CAT, ("an orange cat in the snow", "a white cat"), source="an orange cat on a beach", cache=False),
    ]
    alone = [finish(edit(one, model)) for one in requests]
    gathering = Gathering()
    own = gathered_by(model, gathering)
    together = gathering.run([partial(lambda one: finish(edit(one, own)), one) for one in requests])
    compared(alone, together, model)
    assert gathering.shared


def test_only_one_goes_on_at_a_time_and_each_has_its_own_failure(model: Model) -> None:
    at_once, most = threading.Semaphore(1), []

    def asking(prompt: str, own: Model) -> str:
        assert at_once.acquire(blocking=False)
        try:
            condition = model.condition([prompt])
        finally:
            at_once.release()
        x = torch.zeros(1, *model.latent_shape(*model.extent))
        level = model.grid(2, shape=x.shape[1:])[0]
        denoise = own.denoiser(condition)
        for _ in range(3):
            denoise(x, level)
            assert at_once.acquire(blocking=False)
            most.append(prompt)
            at_once.release()
        if prompt == "bad":
            raise ValueError(prompt)
        return prompt

    gathering = Gathering()
    own = gathered_by(model, gathering)
    functions: list[Callable[[], str]] = [partial(asking, prompt, own) for prompt in ("a", "bad", "c")]
    with pytest.raises(ValueError, match="bad"):
        gathering.run(functions)
    assert sorted(most) == sorted(["a", "bad", "c"] * 3)
    assert gathering.shared == 3


def test_what_cannot_be_computed_together_is_computed_alone(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that memory does not hold, and latents of two sizes."""
    from regrow.models.engines import gathering as module

    sizes, compute = [], module.compute

    def small(model: Model, x: torch.Tensor, labels: torch.Tensor, condition: object) -> torch.Tensor:
        sizes.append((len(x), *x.shape[2:]))
        if len(x) > 1:
            raise MemoryError
        return compute(model, x, labels, condition)  # pyright: ignore

    monkeypatch.setattr(module, "compute", small)
    gathering = Gathering()
    own, (y, x) = gathered_by(model, gathering), model.extent

    def predicted(height: int) -> torch.Tensor:
        latents = torch.ones(1, *model.latent_shape(height, x))
        return own.denoiser(model.condition(["a cat"]))(latents, model.grid(2, shape=latents.shape[1:])[0]).eps

    first, second, other = gathering.run([partial(predicted, side) for side in (y, y, y * 2)])
    assert torch.equal(first, second)
    assert other.shape[2] == 2 * first.shape[2]
    cells = first.shape[2:]
    assert sorted(sizes) == sorted([(2, *cells), (1, *cells), (1, *cells), (1, *other.shape[2:])])
    assert gathering.shared == 0
