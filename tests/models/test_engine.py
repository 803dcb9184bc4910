"""The network computed by OpenVINO, beside torch on the same tiny checkpoints."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from regrow.core.progress import finish
from regrow.editing.edit import edit
from regrow.editing.invert import invert
from regrow.editing.replay import replay, request_from
from regrow.editing.trajectories import save_trajectory
from regrow.media.image.picture import save
from regrow.models.attention import Shared
from regrow.models.engines import choose as engine
from regrow.models.engines import graph_files, openvino, openvino_graph, openvino_runtime
from regrow.models.engines.choose import as_recorded, with_engine
from regrow.models.engines.engine import Engine
from regrow.models.engines.traced import Traced
from regrow.models.errors import ModelError
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.requests.edit import Edit
from regrow.requests.invert import Invert

needs_openvino = pytest.mark.skipif(not openvino_runtime.installed(), reason="OpenVINO is not installed")


class Refusing(Engine):
    """An engine that must not be asked."""

    @property
    def name(self) -> str:
        return "openvino float32"

    def __call__(self, *_: object) -> torch.Tensor:
        raise AssertionError("the engine was asked")


@pytest.fixture(autouse=True, scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One for the module: what is converted once serves all."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGROW_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def model(checkpoint: Callable[[str], Path]) -> Model:
    return open_model(checkpoint("sd-tiny"))


@pytest.fixture(scope="module")
def compiled(model: Model) -> Model:
    """The model computed by OpenVINO, for tests that only ask it."""
    return with_engine(model, "openvino", "float32")


@pytest.fixture
def image(tmp_path: Path) -> Path:
    save(tmp_path / "in.png", torch.rand(3, 37, 53, generator=torch.Generator().manual_seed(2)) * 2 - 1, None)
    return tmp_path / "in.png"


def off(model: Model, other: Model, sides: tuple[int, int], prompts: list[str]) -> float:
    """RMS between the two on noise, relative."""
    x = torch.randn(len(prompts), model.latent_channels, *sides, generator=torch.Generator().manual_seed(1))
    condition, level = model.condition(prompts), model.schedule.grid(10)[4]
    found, expected = (m.denoiser(condition)(x, level).x0 for m in (other, model))
    return float((found - expected).norm() / expected.norm())


@needs_openvino
@pytest.mark.parametrize("prompts", [["a cat"], ["a cat", "a dog", "a"], ["a cat"] * 5])
def test_it_computes_what_torch_does_in_every_batch(model: Model, compiled: Model, prompts: list[str]) -> None:
    assert off(model, compiled, (8, 8), prompts) < 1e-5


@needs_openvino
@pytest.mark.parametrize("sides", [(8, 12), (7, 9)])
def test_in_sizes_that_were_not_traced_and_that_cannot_be_halved(
    model: Model, compiled: Model, sides: tuple[int, int]
) -> None:
    assert off(model, compiled, sides, ["a cat"]) < 1e-5


@needs_openvino
@pytest.mark.parametrize("sides", [(64, 64), (24, 40)])
def test_a_small_codec_is_computed_too(model: Model, compiled: Model, sides: tuple[int, int]) -> None:
    assert compiled.engine
    pictures = torch.rand(3, 3, *sides, generator=torch.Generator().manual_seed(4)) * 2 - 1
    latents = model.encode(pictures)
    assert compiled.engine.coded("encode", pictures) is not None
    assert (compiled.encode(pictures) - latents).norm() < 1e-5 * latents.norm()
    assert (compiled.decode(latents) - model.decode(latents)).abs().max() < 1e-4


@needs_openvino
def test_a_large_codec_is_left_to_torch(checkpoint: Callable[[str], Path]) -> None:
    model = open_model(checkpoint("sd1"))
    compiled = with_engine(model, "openvino", "float32")
    assert compiled.engine
    latents = torch.randn(1, model.latent_channels, 8, 8)
    assert compiled.engine.coded("decode", latents) is None
    assert torch.equal(compiled.decode(latents), model.decode(latents))


@needs_openvino
def test_a_network_without_words(checkpoint: Callable[[str], Path]) -> None:
    pixel = open_model(checkpoint("ddpm"))
    assert off(pixel, with_engine(pixel, "openvino", "float32"), pixel.size, ["", ""]) < 1e-5


def test_where_it_is_installed_and_broken_torch_computes(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ImportError("libopenvino.so.2640: cannot open shared object file")

    monkeypatch.setattr(engine, "PAYS_FROM", 0)
    monkeypatch.setattr(engine, "installed", lambda: True)
    monkeypatch.setattr(openvino_runtime, "library", broken)
    openvino_runtime.core.cache_clear()
    with pytest.warns(
        UserWarning, match="OpenVINO is installed but cannot be used \\(.*libopenvino.* computed by torch instead"
    ):
        assert with_engine(model, "auto").engine is None
    with pytest.raises(ModelError, match="use --engine torch"):
        with_engine(model, "openvino")


@needs_openvino
def test_a_sample_does_not_depend_on_its_batch(model: Model, compiled: Model) -> None:
    x = torch.randn(7, model.latent_channels, 8, 8, generator=torch.Generator().manual_seed(3))
    level = model.schedule.grid(10)[5]
    whole = compiled.denoiser(compiled.condition(["a cat"]))(x, level).eps
    for i in (0, 4, 6):
        assert torch.equal(compiled.denoiser(compiled.condition(["a cat"]))(x[i : i + 1], level).eps[0], whole[i])


@needs_openvino
def test_what_was_converted_and_compiled_is_kept_and_what_is_damaged_made_again(
    model: Model, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert off(model, with_engine(model, "openvino", "float32"), (8, 8), ["a cat"]) < 1e-5
    made: list[str] = []
    for name in ("_convert", "compile_for"):
        real = getattr(openvino_graph, name)
        monkeypatch.setattr(openvino_graph, name, lambda *given, _n=name, _r=real: (made.append(_n), _r(*given))[1])
    assert off(model, with_engine(model, "openvino", "float32"), (8, 8), ["a cat"]) < 1e-5
    assert made == [], "both were on disk"
    for blob in home.glob("cache/engine/*/*.blob"):
        blob.write_bytes(blob.read_bytes()[:-100] + bytes(100))
    assert off(model, with_engine(model, "openvino", "float32"), (8, 8), ["a cat"]) < 1e-5
    assert made == ["compile_for"]
    # those that were used just now, of all that the module made: the denoiser and both ways of the codec
    networks = sorted(home.glob("cache/engine/*/network.bin"), key=lambda file: file.parent.stat().st_mtime)[-3:]
    damages = (
        lambda data: bytes([data[0] ^ 64]) + data[1:],
        lambda data: data[:50],
        lambda data: networks[0].read_bytes() + b"0",
        lambda data: b"",
    )
    for first in (0, 2):  # another way at each network, and over both turns each way at one of them
        others = [*home.glob("cache/engine/*/*.blob"), *home.glob("cache/engine/*/traced.ts")]
        for turn, file in enumerate((*networks, *others), first):
            file.write_bytes(damages[turn % 4](file.read_bytes()))
        made.clear()
        assert off(model, with_engine(model, "openvino", "float32"), (8, 8), ["a cat"]) < 1e-5
        assert made.count("_convert") == 3, "the denoiser and both ways of the codec"
    assert not list(home.glob("cache/engine/.*")), "nothing half-written is left"


@needs_openvino
@pytest.mark.usefixtures("home")
def test_words_are_traced_at_their_length_also_where_something_is_kept(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trace of one token is not causal, so that longer prompts would mean something else."""
    lengths: list[int] = []

    def noted(file: Path, module: Callable[[], Any], examples: Callable[[], Any]) -> Traced:
        lengths.append(examples()[0][0].shape[1])
        return Traced(file, module, examples)

    monkeypatch.setattr(openvino, "Traced", noted)
    for _ in range(2):
        with_engine(model, "openvino", "float32")
    assert lengths == [model.condition(["a cat"]).tokens.shape[1]] * 2


def test_auto_leaves_small_networks_other_devices_and_other_precisions_to_torch(
    model: Model, checkpoint: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert with_engine(model, "auto").engine is None
    monkeypatch.setattr(engine, "PAYS_FROM", 0)
    monkeypatch.setattr(engine, "OpenVino", lambda *_: Refusing())
    monkeypatch.setattr(engine, "installed", lambda: True)
    monkeypatch.setattr(engine, "fastest", lambda: "float32")
    assert with_engine(model, "auto").computed_by == "openvino float32"
    half = open_model(checkpoint("sd-tiny"), dtype=torch.bfloat16)
    assert with_engine(half, "auto").computed_by == "torch bfloat16"
    with pytest.raises(
        ModelError, match=r"OpenVINO needs a model on the CPU in float32.* is on cpu in bfloat16: [^\n]+"
    ):
        with_engine(half, "openvino")


def test_what_cannot_be_converted_is_computed_by_torch_with_a_warning(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise ModelError("OpenVINO cannot compute the network of it (no such layer): use --engine torch.")

    monkeypatch.setattr(engine, "PAYS_FROM", 0)
    monkeypatch.setattr(engine, "OpenVino", fails)
    monkeypatch.setattr(engine, "installed", lambda: True)
    with pytest.warns(UserWarning, match="computed by torch instead"):
        assert with_engine(model, "auto", "float32").engine is None
    with pytest.raises(ModelError, match="use --engine torch"):
        with_engine(model, "openvino", "float32")
    monkeypatch.setattr(engine, "installed", lambda: False)
    with pytest.raises(ModelError, match="OpenVINO is not installed: pip install openvino"):
        with_engine(model, "openvino")


@needs_openvino
def test_a_conversion_that_computes_something_else_is_refused(
    checkpoint: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REGROW_HOME", str(tmp_path))
    model = open_model(checkpoint("sd-tiny"))
    monkeypatch.setattr(openvino_graph, "TOLERANCE", {"float32": 0.0})
    with pytest.raises(ModelError, match=r"cannot compute the network of .* \(its output in float32 is .* off"):
        with_engine(model, "openvino", "float32")
    assert not list(tmp_path.glob("cache/engine/*"))


def test_what_needs_torch_gets_it(model: Model, image: Path) -> None:
    """Changed attention and gradients: an engine would not see the one and not give the other."""
    refusing, levels = model.using(Refusing()), model.schedule.grid(4)
    x = torch.randn(1, model.latent_channels, 8, 8, generator=torch.Generator().manual_seed(1))
    shared = Shared(refusing, "p2p", 1.0, "a cat", ["a dog"], None, 1.0, lambda _: x, levels, {})
    assert shared(x, levels[1]).x0.isfinite().all()
    words = model.condition(["a cat"])
    words.tokens.requires_grad_(True)
    refusing.denoiser(words)(x, levels[1]).x0.sum().backward()
    assert words.tokens.grad is not None
    words.tokens.requires_grad_(False)
    with pytest.raises(AssertionError, match="was asked"):
        refusing.denoiser(words)(x, levels[1])
    assert model.using(Refusing()).to(torch.device("cpu")).engine is None


@needs_openvino
def test_a_recipe_names_the_engine_and_a_replay_uses_it(
    model: Model, compiled: Model, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = Edit(image, ("a dog", "a bird"), "a cat", model=str(model.folder), steps=5, cache=False)
    recipe = finish(edit(request, compiled)).recipes[1]
    assert recipe["engine"] == "openvino float32"
    assert "openvino" in recipe["versions"]
    assert finish(edit(request, model)).recipes[1]["engine"] == "torch float32"
    replayed = finish(replay(recipe, request_from(recipe, image.parent), model))
    assert replayed.identical
    assert replayed.recipe["engine"] == "openvino float32"
    in_torch = finish(replay(recipe, request_from(recipe, image.parent), model, "torch"))
    assert in_torch.recipe["engine"] == "torch float32"
    assert (in_torch.item - replayed.item).abs().max() < 1e-3
    monkeypatch.setattr(engine, "installed", lambda: False)
    with pytest.raises(ModelError, match="OpenVINO is not installed here: add --engine torch"):
        finish(replay(recipe, request_from(recipe, image.parent), model))


@needs_openvino
def test_a_precision_that_the_cpu_lacks_and_an_unknown_engine_are_refused(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "computes", lambda precision: precision == "float32")
    with pytest.raises(ModelError, match="this CPU has no bfloat16: add --engine torch"):
        as_recorded(model, "openvino bfloat16")
    with pytest.raises(ModelError, match="computed by 'abacus', which regrow does not know"):
        as_recorded(model, "abacus")
    assert as_recorded(model.using(Refusing()), "torch float32").engine is None


def test_paths_of_another_engine_are_not_taken_up(model: Model, image: Path, tmp_path: Path) -> None:
    inverted = finish(invert(Invert(image, "a cat", steps=4, reference=0), model))
    save_trajectory(
        tmp_path / "path.safetensors", inverted.trajectory, inverted.made_of | {"engine": "openvino float32"}
    )
    request = Edit(image, ("a dog",), "a cat", steps=4, trajectory=tmp_path / "path.safetensors")
    with pytest.raises(ValueError, match="inverted with another engine"):
        finish(edit(request, model))


@needs_openvino
def test_the_networks_unused_for_longest_are_dropped(home: Path, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last of the module, for what the others use has to be made again after it."""
    with_engine(model, "openvino", "float32")
    for name, used in (("0ld", 0), (".abandoned.part", 0), (".growing.part", time.time())):
        folder = home / "cache" / "engine" / name
        folder.mkdir()
        (folder / "network.bin").write_bytes(b"1")
        os.utime(folder, (used, used))
    monkeypatch.setattr(graph_files, "CACHE_BYTES", 0)
    (newest,) = (path.parent for path in list(home.glob("cache/engine/*/network.xml"))[:1])
    graph_files.drop_old(newest)
    assert {path.name for path in newest.parent.iterdir()} == {newest.name, ".growing.part"}
    shutil.rmtree(newest.parent / ".growing.part")
