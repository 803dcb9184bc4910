"""A method written outside `core/methods/`, the example of docs/how-to/add-a-method.md, in use."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from regrow.benchmark.editors import own_editors
from regrow.core.methods.method import Method, Origin, PathSettings
from regrow.core.methods.registry import method, names, register, unregister
from regrow.core.progress import finish
from regrow.core.solvers import last, solve
from regrow.editing.edit import edit
from regrow.editing.invert import invert
from regrow.editing.replay import replay, request_from
from regrow.media.image.picture import read_recipe, save
from regrow.models.model import Model
from regrow.requests.edit import Edit
from regrow.requests.invert import Invert
from regrow.verification.forward import stable_diffusion
from regrow.verification.oracles import Gaussian, float64
from regrow.verification.orders import trajectory

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "add-a-method.md"


@pytest.fixture
def toy() -> Iterator[Method]:
    code = PAGE.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    namespace: dict[str, Any] = {}
    exec(compile(code, str(PAGE), "exec"), namespace)  # the page's own example, as a reader would type it
    register(namespace["METHOD"], namespace["__doc__"])
    yield namespace["METHOD"]
    unregister(namespace["METHOD"].name)


@pytest.mark.usefixtures("home")
def test_it_inverts_edits_and_is_replayed(toy: Method, model: Model, image: Path, tmp_path: Path) -> None:
    inverted = {
        name: finish(invert(Invert(image, "a cat", method=name, steps=6, reference=0), model))
        for name in ("naive", toy.name, "direct_inversion")
    }
    errors = [one.round_trip for one in inverted.values()]
    assert errors[0] > errors[1] > errors[2], "half of what is missed is between all of it and nothing"
    request = Edit(image, ("a dog",), "a cat", method=toy.name, steps=4, attention="p2p")
    edited = finish(edit(request, model))
    save(tmp_path / "edited.png", edited.items[0], edited.recipes[0])
    recipe = read_recipe(tmp_path / "edited.png")
    assert recipe is not None
    assert finish(replay(recipe, request_from(recipe, image.parent), model)).identical


def test_its_round_trip_is_between_the_plain_one_and_the_exact_one(toy: Method) -> None:
    denoise, x0 = Gaussian(float64(0.3), float64(0.6)), float64(-1.0, 0.5, 2.0)[:, None]
    up, errors = stable_diffusion().grid(10)[::-1], []
    for chosen in (method("naive"), toy, method("direct_inversion")):
        assert chosen.invert
        path = trajectory(chosen.invert(denoise, x0, up, PathSettings()))
        step = chosen.back(Origin(x0, [0], lambda: denoise, path))
        errors.append(float((last(solve(step, denoise, path.states[-1], up[::-1])) - x0).abs().max()))
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 1e-10


def test_it_is_found_wherever_methods_are_listed_and_its_data_are_read(toy: Method) -> None:
    assert names()[-1] == toy.name
    assert toy.name in {editor.name for editor in own_editors()}
    with pytest.raises(ValueError, match="and half_offsets is deterministic: set eta to 0, or use naive"):
        Edit(Path("a.png"), ("a dog",), method=toy.name, eta=0.5)
    with pytest.raises(ValueError, match="An editing method named 'half_offsets' exists already"):
        register(toy, "again")


def test_an_unknown_method_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="There is no editing method 'alchemy': use one of direct_inversion, "):
        Edit(Path("a.png"), ("a dog",), method="alchemy")
