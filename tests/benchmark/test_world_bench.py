"""The bench of a world on the embedded models in small, and on counterfeits whose figures are known beforehand."""

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor

from regrow.benchmark import world_bench
from regrow.benchmark.world_bench import FIRST_SEED, bench_world, grow
from regrow.benchmark.world_figures import WorldFigures, as_dict, contact_sheet, print_table
from regrow.core.progress import Progress, finish
from regrow.editing.generate import generate
from regrow.media.audio.mel import from_unit, to_mel, to_unit
from regrow.media.image.picture import from_uint8
from regrow.models.codecs.mel import settings_of
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.requests.generate import Generate
from regrow.worlds.world import WORLDS

QUICK = Generate("", steps=2)
MODELS = sorted(WORLDS)


@pytest.fixture(scope="module")
def models() -> dict[str, Model]:
    return {name: open_model(name) for name in MODELS}


@pytest.fixture(scope="module")
def scenes(models: dict[str, Model]) -> WorldFigures:
    return finish(bench_world(models["storybook"], "storybook", 4, QUICK, batch=3, shown=3))


@pytest.fixture(scope="module")
def phrases(models: dict[str, Model]) -> WorldFigures:
    return finish(bench_world(models["bandstand"], "bandstand", 3, QUICK, ("zh",), batch=2, shown=2))


def test_figures_of_pictures_agree_with_each_other(scenes: WorldFigures) -> None:
    assert list(scenes.judged) == ["truth", "codec", "words en", "words zh"]
    for kind, found in scenes.judged.items():
        assert {found.right[name].count for name in ("animal", "colour", "place", "all three")} == {4}
        assert found.right["all three"].value <= min(found.right[n].value for n in ("animal", "colour", "place"))
        assert all(e.low <= e.value <= e.high and 0 <= e.value <= 1 for e in found.right.values()), kind
        table = found.confusion
        assert sum(sum(row.values()) for row in table.values()) == 4
        assert sum(table[name][name] for name in table) / 4 == found.right["animal"].value
    assert scenes.judged["truth"].right["all three"].value == 1
    assert scenes.judged["truth"].distance is None
    assert all(scenes.judged[kind].distance is not None for kind in ("codec", "words en", "words zh"))
    assert scenes.codec is not None
    animal, whole, halved = (scenes.codec[name].value for name in ("psnr_animal", "psnr", "psnr_halved"))
    assert 20 < animal < whole < halved < 40


def test_figures_of_sounds(phrases: WorldFigures) -> None:
    assert set(phrases.judged) == {"truth", "codec", "codec and phase", "words zh"}
    assert phrases.judged["truth"].right["instrument"].value == 1
    assert phrases.codec is not None
    assert set(phrases.codec) == {"codec", "codec and phase"}
    # phase adds to what the codec loses; in a few clips it may not
    assert all(0.5 < loss.value < 6 for loss in phrases.codec.values())
    assert all(found.distance is None for found in phrases.judged.values())


@pytest.mark.parametrize("world", MODELS)
def test_progress_counts_every_thing_and_no_more_is_kept_than_shown(models: dict[str, Model], world: str) -> None:
    seen: list[Progress] = []
    bench = bench_world(models[world], world, 3, QUICK, ("en",), batch=2, shown=2)
    figures: WorldFigures = finish(bench, seen.append)
    assert [(p.part, p.index, p.steps) for p in seen] == [
        ("codec", 2, 3), ("codec", 3, 3), ("words en", 2, 3), ("words en", 3, 3),
    ]  # fmt: skip
    assert {kind: len(samples) for kind, samples in figures.samples.items()} == dict.fromkeys(figures.judged, 2)


def test_counterfeit_pictures_are_read_as_what_they_are(
    models: dict[str, Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, book, shift = models["storybook"], WORLDS["storybook"], 0

    def forge(model: Model, prompts: Sequence[str], seeds: Sequence[int], settings: Generate) -> Tensor:
        return from_uint8(np.stack([book.render(book.random(seed + shift), model.size) for seed in seeds]))

    monkeypatch.setattr(world_bench, "grow", forge)
    pixels = SimpleNamespace(part=None, latent_channels=model.latent_channels, factor=model.factor)
    monkeypatch.setattr(model, "codec", pixels)  # as where latents are pixels; and quicker
    forged = finish(bench_world(model, "storybook", 30, QUICK, ("en",)))
    assert forged.codec is None
    assert list(forged.judged) == ["truth", "words en"]
    right = forged.judged["words en"]
    assert min(share.value for share in right.right.values()) >= 0.9
    assert right.right["all three"].value >= 0.95
    assert right.distance is not None
    assert abs(right.distance.value) < 1e-6
    shift = 1000  # drawings of other scenes: one animal in five is right by chance
    wrong = finish(bench_world(model, "storybook", 30, QUICK, ("en",))).judged["words en"]
    assert wrong.right["animal"].value < 0.5
    assert wrong.right["all three"].value < 0.2


def test_counterfeit_sounds_are_read_as_what_they_are(
    models: dict[str, Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Phrases played by rule in the place of generated ones: those that were asked for, and others."""
    model, stand, shift = models["bandstand"], WORLDS["bandstand"], 0
    mel = settings_of(model)

    def forge(model: Model, prompts: Sequence[str], seeds: Sequence[int], settings: Generate) -> Tensor:
        seconds = model.size[1] * mel.hop / mel.rate
        waves = np.stack([stand.render(stand.random(seed + shift), seconds) for seed in seeds])
        return to_unit(to_mel(torch.from_numpy(waves), mel), mel)

    monkeypatch.setattr(world_bench, "grow", forge)
    without_phase = lambda mels, output: from_unit(output, mels.mel)  # noqa: E731  # which is slow
    monkeypatch.setattr(world_bench._Mels, "of_output", without_phase)
    right = finish(bench_world(model, "bandstand", 6, QUICK, ("en",))).judged["words en"].right
    assert right["instrument"].value == 1
    assert right["pattern"].value >= 0.9
    shift = 1000
    wrong = finish(bench_world(model, "bandstand", 6, QUICK, ("en",))).judged["words en"]
    assert wrong.right["instrument"].value < 0.5
    missed = sum(n for true, row in wrong.confusion.items() for name, n in row.items() if name != true)
    assert missed == round(6 * (1 - wrong.right["instrument"].value))


def test_what_grows_in_a_batch_is_what_generate_makes(models: dict[str, Model]) -> None:
    model = models["storybook"]
    seeds, prompts = (FIRST_SEED, FIRST_SEED + 1), ("an orange cat on a beach", "a black fox in the snow")
    together = grow(model, prompts, seeds, QUICK)
    for picture, prompt, seed in zip(together, prompts, seeds, strict=True):
        alone = finish(generate(Generate(prompt, steps=2, seed=seed), model)).items[0]
        assert (picture - alone).abs().max() < 1e-3


def test_figures_of_pictures_are_data_a_table_and_a_sheet(scenes: WorldFigures) -> None:
    data = json.loads(json.dumps(as_dict(scenes), allow_nan=False))
    assert set(data) == {"model", "scenes", "settings", "codec", "judged", "judge", "seconds"}
    assert list(data["judged"]) == ["drawn", "codec", "words en", "words zh"]
    assert data["judged"]["words en"]["right"]["animal"]["count"] == 4
    assert data["settings"]["steps"] == 2
    out = io.StringIO()
    print_table(scenes, out)
    assert max(map(len, out.getvalue().splitlines())) <= 120
    assert "all three" in out.getvalue()
    page = contact_sheet(scenes, "zh")
    assert page.shape[0] == 3
    assert page.abs().max() <= 1


def test_figures_of_sounds_are_data_a_table_and_a_sheet(phrases: WorldFigures) -> None:
    data = json.loads(json.dumps(as_dict(phrases), allow_nan=False))
    kept = {"model", "phrases", "settings", "lost", "heard", "confusion", "captions", "judge", "seconds"}
    assert set(data) == kept
    assert data["heard"]["played"]["instrument"]["count"] == 3
    assert (data["settings"]["first_seed"], data["settings"]["prompt_expansion"]) == (FIRST_SEED, "on")
    out = io.StringIO()
    print_table(phrases, out)
    assert "3 phrases from seed 9000000; 2 steps" in out.getvalue()
    assert max(map(len, out.getvalue().splitlines())) <= 170
    assert contact_sheet(phrases, "zh").isfinite().all()


def test_a_sheet_of_what_was_not_made_is_refused(scenes: WorldFigures, phrases: WorldFigures) -> None:
    with pytest.raises(ValueError, match="hold no scenes generated from captions in 'en'"):
        contact_sheet(replace(scenes, samples={}))
    with pytest.raises(ValueError, match="hold no phrases generated from captions in 'en'"):
        contact_sheet(phrases)


@pytest.mark.parametrize("world", MODELS)
@pytest.mark.parametrize(("count", "batch"), [(1, 4), (4, 0)])
def test_numbers_that_do_not_fit_are_refused(models: dict[str, Model], world: str, count: int, batch: int) -> None:
    with pytest.raises(ValueError, match="must be 2 or more and batch 1 or more"):
        next(bench_world(models[world], world, count, batch=batch))


def test_a_size_that_does_not_fit_is_refused(models: dict[str, Model]) -> None:
    with pytest.raises(ValueError, match="multiples of"):
        next(bench_world(models["storybook"], "storybook", 2, Generate("", size=(100, 100))))
