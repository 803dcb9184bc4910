"""The speed benchmark on tiny checkpoints: what it counts and compares, never how long it took."""

import io
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from homes import sharing_engines

from regrow.benchmark import speed, speed_ways
from regrow.benchmark.peak import fastest_of, flops_of, matrix_peak, share_of
from regrow.benchmark.speed import as_dict, bench_speed, print_table
from regrow.benchmark.speed_ways import TOGETHER, Way, ways_to_edit
from regrow.core.progress import finish
from regrow.editing.strength import USUAL
from regrow.media.image.distance import psnr
from regrow.models.engines.engine import Engine
from regrow.models.engines.network import network_of
from regrow.models.engines.openvino import OpenVino
from regrow.models.engines.openvino_runtime import installed
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.models.shapes import filled
from regrow.requests.edit import Edit


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGROW_HOME", str(sharing_engines(tmp_path / "home")))


def few_steps(folder: Path) -> Model:
    model = open_model(folder)
    model.edit_steps = 10
    return model


def test_every_way_makes_the_edit_and_the_levers_leave_it_alike(
    checkpoint: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speed_ways, "OTHER_STEPS", (20,))
    model = few_steps(checkpoint("sd-tiny"))
    engines: dict[str, Engine] = {"openvino": OpenVino(network_of(model), "float32")} if installed() else {}
    made = {way.name: way.run() for way in ways_to_edit(model, engines, False, tmp_path)}
    steps_back = round(USUAL * model.edit_steps)
    assert made["course"].evaluations == 2 * (48 + 40), "guided both ways; its loop misses the first and last step"
    back = steps_back + math.ceil(Edit.guidance_share * steps_back)
    assert made["torch"].evaluations == steps_back + 1 + back, "one a level to invert, two a guided step to regrow"
    assert made["torch, several targets"].evaluations == (steps_back + 1) / TOGETHER + back
    alike = [made[f"torch, {lever}"] for lever in ("one by one", "channels last", "several targets", "second edit")]
    if installed():
        assert made["openvino, 20 steps"].evaluations == 18 + 1 + 27
        alike += [made["openvino"], made["openvino, several targets"]]
    for found in alike:
        assert psnr(found.picture, made["torch"].picture) > 60


def test_figures_are_ratios_to_the_first_way(
    checkpoint: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def few(*given: Any) -> list[Way]:
        return [way for way in ways_to_edit(*given) if way.name in ("torch", "torch, second edit")]

    monkeypatch.setattr(speed, "ways_to_edit", few)
    figures = finish(bench_speed(few_steps(checkpoint("sd-tiny")), turns=1, tasks=0))
    first, second = figures.speeds
    assert second.evaluations / first.evaluations == pytest.approx(14 / 24), "no inversion once the path is kept"
    facts = json.loads(json.dumps(as_dict(figures)))
    assert facts["speeds"][0]["times"] == {"seconds": 1, "processor": 1}
    assert facts["speeds"][1]["times"]["seconds"] == pytest.approx(first.seconds / second.seconds)
    if installed():
        assert figures.once is not None
        rounded = {"torch bfloat16"} if figures.precision == "bfloat16" else set()
        assert set(facts["shares"][0]["shares"]) == {"torch", "openvino", *rounded}
    else:
        assert any("openvino" in why for why in figures.missing)
    out = io.StringIO()
    print_table(figures, out)
    assert all(found.way in out.getvalue() for found in figures.speeds)
    assert max(map(len, out.getvalue().splitlines())) <= 120


def test_edits_of_a_model_without_words_are_refused(checkpoint: Callable[[str], Path]) -> None:
    with pytest.raises(ValueError, match="does not make pictures from prompts"):
        finish(bench_speed(open_model(checkpoint("ddpm"))))


def test_flops_are_those_of_the_layers(checkpoint: Callable[[str], Path]) -> None:
    """A network twice as high and wide has four times the convolutions, and 16 times the attention among places."""
    network = network_of(open_model(checkpoint("sd-tiny")))
    small, large = (flops_of(replace(network, sides=sides)) for sides in ((8, 8), (16, 16)))
    first = network.module().get_submodule("network.conv_in")
    assert small > 2 * first.weight.numel() * 64
    assert 4 < large / small < 16


def test_a_share_of_the_peak_is_flops_by_seconds_by_peak(checkpoint: Callable[[str], Path]) -> None:
    network = network_of(open_model(checkpoint("sd-tiny")))
    share = finish(share_of(network, {}, peak=1e9, times=1, bfloat16=True))
    assert set(share.seconds) == {"torch", "torch bfloat16"}
    assert next(network.module().parameters()).dtype == torch.float32, "a copy of it is rounded"
    assert share.shares["torch"] == pytest.approx(share.flops / share.seconds["torch"] / 1e9)
    assert matrix_peak(times=1) > 1e8
    assert fastest_of(lambda: torch.randn(200_000).sort(), 3) > 0


def test_random_weights_keep_the_size_of_what_passes_through(checkpoint: Callable[[str], Path]) -> None:
    unet = open_model(checkpoint("sd-tiny")).network
    with torch.device("meta"):
        empty = type(unet).from_config(unet.config)
    made = filled(empty, 3)
    with torch.no_grad():
        x = torch.randn(1, unet.config.in_channels, 8, 8, generator=torch.Generator().manual_seed(0))
        out = made(x, torch.tensor([500.0]), torch.randn(1, 12, 16)).sample
    assert 0.05 < float(out.std()) < 20
