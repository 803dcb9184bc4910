"""The storybook bench on the embedded model in small, and on counterfeits whose figures are known beforehand."""

import io
import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from regrow.benchmark import storybook
from regrow.benchmark.estimates import kernel_distance, mean
from regrow.benchmark.storybook import FIRST_SEED, asked, bench_storybook, grow
from regrow.benchmark.storybook_figures import (
    StorybookFigures,
    as_dict,
    contact_sheet,
    print_table,
)
from regrow.core.progress import Progress, finish
from regrow.editing.generate import generate
from regrow.media.image.picture import from_uint8
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.requests.generate import Generate
from regrow.worlds.storybook.drawing import Scene, caption, captions, draw

QUICK = Generate("", steps=2)


@pytest.fixture(scope="module")
def model() -> Model:
    return open_model("storybook")


@pytest.fixture(scope="module")
def figures(model: Model) -> StorybookFigures:
    return finish(bench_storybook(model, 4, QUICK, batch=3, shown=3))


def test_figures_agree_with_each_other(figures: StorybookFigures) -> None:
    assert list(figures.judged) == ["drawn", "codec", "words en", "words zh"]
    for kind, found in figures.judged.items():
        assert {found.right[name].count for name in ("animal", "colour", "place", "all three")} == {4}
        assert found.right["all three"].value <= min(found.right[n].value for n in ("animal", "colour", "place"))
        assert all(e.low <= e.value <= e.high and 0 <= e.value <= 1 for e in found.right.values()), kind
        table = found.confusion
        assert sum(sum(row.values()) for row in table.values()) == 4
        assert sum(table[name][name] for name in table) / 4 == found.right["animal"].value
    assert figures.judged["drawn"].right["all three"].value == 1
    assert figures.judged["drawn"].distance is None
    assert all(figures.judged[kind].distance is not None for kind in ("codec", "words en", "words zh"))
    assert figures.codec is not None
    animal, whole, halved = (figures.codec[name].value for name in ("psnr_animal", "psnr", "psnr_halved"))
    assert 20 < animal < whole < halved < 40


def test_progress_counts_every_picture(model: Model) -> None:
    seen: list[Progress] = []
    finish(bench_storybook(model, 3, QUICK, ("en",), batch=2, shown=0), seen.append)
    assert [(p.part, p.index, p.steps) for p in seen] == [
        ("codec", 2, 3),
        ("codec", 3, 3),
        ("words en", 2, 3),
        ("words en", 3, 3),
    ]


def test_counterfeits_are_read_as_what_they_are(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    shift = 0

    def forge(model: Model, prompts: Sequence[str], seeds: Sequence[int], settings: Generate) -> Tensor:
        scenes = [Scene.random(seed + shift) for seed in seeds]
        return from_uint8(np.stack([draw(scene, model.size).picture for scene in scenes]))

    monkeypatch.setattr(storybook, "grow", forge)
    monkeypatch.setattr(model, "codec", None)  # as where latents are pixels; and quicker
    forged = finish(bench_storybook(model, 30, QUICK, ("en",)))
    assert forged.codec is None
    assert list(forged.judged) == ["drawn", "words en"]
    right = forged.judged["words en"]
    assert min(found.value for found in right.right.values()) >= 0.9
    assert right.right["all three"].value >= 0.95
    assert right.distance is not None
    assert abs(right.distance.value) < 1e-6
    shift = 1000  # drawings of other scenes: one animal in five is right by chance
    wrong = finish(bench_storybook(model, 30, QUICK, ("en",))).judged["words en"]
    assert wrong.right["animal"].value < 0.5
    assert wrong.right["all three"].value < 0.2


def test_what_grows_in_a_batch_is_what_generate_makes(model: Model) -> None:
    seeds, prompts = (FIRST_SEED, FIRST_SEED + 1), ("an orange cat on a beach", "a black fox in the snow")
    together = grow(model, prompts, seeds, QUICK)
    for picture, prompt, seed in zip(together, prompts, seeds, strict=True):
        alone = finish(generate(Generate(prompt, steps=2, seed=seed), model)).pictures[0]
        assert (picture - alone).abs().max() < 1e-3


def test_a_caption_asks_for_what_it_tells() -> None:
    scene = Scene(weather="rainy", accessory="blue hat", pose="standing")
    told = {text: asked(scene, text, "en") for text in captions(scene)}
    always = {"animal", "colour", "place"}
    assert told["an orange cat on a beach"] == always
    assert told["an orange cat with a blue hat on a beach"] == always | {"accessory"}
    assert told["an orange cat standing on a beach, facing right"] == always | {"pose", "facing"}
    assert told["a calm orange cat standing on a rainy beach"] == always | {"expression", "pose", "weather", "time"}
    city = Scene(place="night city", time="night")
    assert asked(city, captions(city)[0], "en") == always
    for seed in range(40):
        scene = Scene.random(seed)
        assert asked(scene, caption(scene, seed, "zh"), "zh") >= always


def test_an_interval_covers_the_truth_as_often_as_it_says() -> None:
    draws = np.random.default_rng(0).random((300, 80)) < 0.7
    found = [mean(row.astype(float).tolist()) for row in draws]
    assert 0.9 <= np.mean([e.low <= 0.7 <= e.high for e in found]) <= 0.98
    with pytest.raises(ValueError, match="nothing to estimate"):
        mean([])


def test_the_kernel_distance_is_zero_by_chance_and_grows() -> None:
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(2, 200, 16, generator=generator)
    same, shifted, far = (kernel_distance(5 * a + 3, 5 * y + 3) for a in (x, x + 0.5, x + 1))
    assert same.low < 0 < same.high
    assert 0.2 < shifted.low < shifted.value < far.low
    # pairs of one scene are never compared: a copy is at no distance, and not at a negative one
    assert kernel_distance(y, y).value == 0
    with pytest.raises(ValueError, match="2 or more"):
        kernel_distance(x[:1], y[:1])


def test_figures_are_data_a_table_and_a_sheet(figures: StorybookFigures) -> None:
    data = json.loads(json.dumps(as_dict(figures), allow_nan=False))
    assert data["judged"]["words en"]["right"]["animal"]["count"] == 4
    assert data["settings"]["steps"] == 2
    out = io.StringIO()
    print_table(figures, out)
    assert max(map(len, out.getvalue().splitlines())) <= 120
    assert "all three" in out.getvalue()
    page = contact_sheet(figures, "zh")
    assert page.shape[0] == 3
    assert page.abs().max() <= 1
    with pytest.raises(ValueError, match="hold no pictures"):
        contact_sheet(replace(figures, samples={}))


def test_what_cannot_be_measured_is_refused(model: Model) -> None:
    with pytest.raises(ValueError, match="2 or more"):
        next(bench_storybook(model, 1))
    with pytest.raises(ValueError, match="multiples of"):
        next(bench_storybook(model, 2, Generate("", size=(100, 100))))
