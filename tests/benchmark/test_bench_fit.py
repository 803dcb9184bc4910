"""What full-size checkpoints take: counted on tiny ones of the same classes, and what is said of cards."""

import io
import json
from dataclasses import replace
from typing import Any

import pytest
import torch
from diffusers import AceStepTransformer1DModel, AutoencoderOobleck, StableAudioDiTModel

from regrow.benchmark import peak
from regrow.benchmark.cost import Cost
from regrow.benchmark.fit import Fit, bench_fit, card_for, print_table
from regrow.core.progress import finish
from regrow.interfaces.cli import main
from regrow.models.engines.network import example_inputs
from regrow.models.engines.openvino_runtime import installed
from regrow.models.full_size import pictures
from regrow.models.full_size.pictures import PICTURES
from regrow.models.single_files.layouts import Layout, layout
from regrow.models.sound_shapes import SHAPES

GB = 10**9


def small(kind: Any, **smaller: Any) -> Any:
    return lambda **settings: kind(**{**settings, **smaller})


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same classes with few layers, where `sound_shapes` looks for them."""
    from diffusers.models.autoencoders import autoencoder_oobleck
    from diffusers.models.transformers import ace_step_transformer, stable_audio_transformer

    dit = small(
        StableAudioDiTModel, num_layers=1, num_attention_heads=2, num_key_value_attention_heads=1,
        attention_head_dim=32, cross_attention_dim=32,
    )  # fmt: skip
    ace = small(
        AceStepTransformer1DModel, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, head_dim=16,
    )  # fmt: skip
    oobleck = small(AutoencoderOobleck, encoder_hidden_size=8, decoder_channels=4, channel_multiples=[1, 1, 1, 1, 1])
    monkeypatch.setattr(stable_audio_transformer, "StableAudioDiTModel", dit)
    monkeypatch.setattr(ace_step_transformer, "AceStepTransformer1DModel", ace)
    monkeypatch.setattr(autoencoder_oobleck, "AutoencoderOobleck", oobleck)
    others = {name: replace(shape, others=lambda: {"text_encoder": 1000}) for name, shape in SHAPES.items()}
    for name, shape in others.items():
        monkeypatch.setitem(SHAPES, name, shape)


@pytest.mark.usefixtures("tiny")
def test_a_call_and_a_decoding_of_each_are_measured_in_each_precision() -> None:
    found = finish(bench_fit(tuple(SHAPES), ("float32", "bfloat16"), 0.5))
    assert [(one.shape, one.precision) for one in found] == [
        (name, precision) for name in SHAPES for precision in ("float32", "bfloat16")
    ]
    for whole, half in zip(found[::2], found[1::2], strict=True):
        assert (whole.network, whole.codec, whole.words) == (2 * half.network, 2 * half.codec, 2 * half.words)
        assert whole.flops == half.flops > 1e6
        assert whole.words == 4000
        assert whole.call.processor >= 0
        assert whole.decode.processor > 0
    out = io.StringIO()
    print_table(found, out)
    assert max(map(len, out.getvalue().splitlines())) <= 120
    assert "0.5 s of ace-step-1.5 in bfloat16, parts in turn: a card of 8 GB" in out.getvalue()


@pytest.mark.usefixtures("tiny")
def test_the_networks_answer_in_the_shape_of_their_latents_and_stay_finite() -> None:
    for name, shape in SHAPES.items():
        network = shape.network(torch.float32, 50)
        with torch.no_grad():
            made = network.module()(torch.randn(1, 64, 50), torch.tensor([0.5]), *network.condition())
            wave = shape.codec(torch.float32).decode(torch.randn(1, 64, 50)).sample
        assert made.shape == (1, 64, 50), name
        assert made.isfinite().all(), name
        assert wave.shape == (1, 2, 50 * shape.factor), name


def test_full_sizes_are_those_of_the_published_checkpoints() -> None:
    """Weights by the classes' defaults on the meta device: 1.06 and 1.58 billion that denoise."""
    kinds = StableAudioDiTModel, AceStepTransformer1DModel
    with torch.device("meta"):
        counts = [sum(p.numel() for p in kind().parameters()) for kind in kinds]
    assert counts == [1_056_939_136, 1_575_458_880]
    others = {name: shape.others() for name, shape in SHAPES.items()}
    assert others["stable-audio-open"]["text_encoder"] == pytest.approx(110e6, rel=0.01)
    assert others["ace-step-1.5"]["text_encoder"] == pytest.approx(0.6e9, rel=0.01)
    assert SHAPES["ace-step-1.5"].cells(30) == 750, "25 latents a second"
    assert SHAPES["stable-audio-open"].cells(SHAPES["stable-audio-open"].longest) == 1024


SMALL: dict[str, dict[str, dict[str, Any]]] = {
    "sd-1": {
        "unet": {"block_out_channels": [64, 64, 64, 64], "attention_head_dim": 2, "cross_attention_dim": 16},
        "text_encoder": {"hidden_size": 16, "num_attention_heads": 2},
    },
    "sd3.5-medium": {
        "transformer": {
            "num_layers": 2, "num_attention_heads": 2, "attention_head_dim": 16, "caption_projection_dim": 32,
            "joint_attention_dim": 16, "pooled_projection_dim": 16, "dual_attention_layers": [0],
        },
        "text_encoder_3": {"d_model": 16, "num_layers": 1, "d_ff": 16, "num_heads": 2},
    },
    "flux-dev": {
        "transformer": {
            "num_layers": 1, "num_single_layers": 1, "num_attention_heads": 2, "attention_head_dim": 32,
            "axes_dims_rope": [8, 12, 12], "joint_attention_dim": 32, "pooled_projection_dim": 32,
        },
    },
}  # fmt: skip
"""Of the parts of layouts: what is smaller than in their configs."""
CODEC = {"block_out_channels": [32, 32, 32, 32], "sample_size": 64, "layers_per_block": 1}


@pytest.fixture
def small_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """The layouts with small networks and codecs."""

    def smaller(name: str) -> Layout:
        made = layout(name)
        changes: dict[str, dict[str, Any]] = {"vae": CODEC, **SMALL[name]}
        return replace(made, configs={part: {**c, **changes.get(part, {})} for part, c in made.configs.items()})

    monkeypatch.setattr(pictures, "layout", smaller)


@pytest.mark.usefixtures("small_pictures")
@pytest.mark.parametrize("name", ["sd-1.5", "sd3.5-medium", "flux.1-q4"])
def test_a_call_of_a_picture_checkpoint_is_measured(name: str) -> None:
    shape = PICTURES[name]
    network = shape.network(torch.float32, 8)
    x_t, labels, *condition = example_inputs(network, network.sides, 1)
    with torch.no_grad():
        made = network.module()(x_t, labels, *condition)
        assert shape.codec(torch.float32).decode(x_t).sample.shape == (1, 3, 64, 64)
    assert made.shape == x_t.shape == (1, *shape.latents(0))
    assert made.isfinite().all()
    assert made.std() > 0
    (one,) = finish(bench_fit((name,), ("float32",), 1.0))
    assert (one.about, one.shape) == ("64 x 64 pixels", name)
    assert one.share > 0
    bits = 8 * one.network / network.weights
    assert bits == pytest.approx(32) if name != "flux.1-q4" else 4.5 < bits < 8  # norms and biases are not packed


def test_full_size_pictures_are_the_published_ones() -> None:
    counted = {name: shape.plain(torch.bfloat16, 8).weights for name, shape in PICTURES.items()}
    assert counted == {
        "sd-1.5": 859_520_964, "sdxl": 2_567_463_684, "sd3.5-medium": 2_243_171_520, "flux.1-q4": 11_901_408_320
    }  # fmt: skip
    assert PICTURES["flux.1-q4"].others()["text_encoder_2"] == 4_762_310_656  # T5 XXL
    assert PICTURES["sdxl"].about(0) == "1024 x 1024 pixels"


@pytest.mark.skipif(not installed(), reason="OpenVINO is not installed")
@pytest.mark.usefixtures("small_pictures")
def test_openvino_is_measured_where_it_is_asked_for() -> None:
    (one,) = finish(bench_fit(("sd-1.5",), ("float32",), 1.0, openvino=True))
    assert one.compiled is not None
    assert one.compiled.elapsed >= 0
    out = io.StringIO()
    print_table((one,), out)
    assert "by OpenVINO a call takes 0." in out.getvalue()


def test_a_product_that_takes_long_is_not_made_larger(monkeypatch: pytest.MonkeyPatch) -> None:
    sides: list[int] = []

    def slow(run: Any, times: int) -> float:
        sides.append(len(run.args[0]))
        return 0.01 if sides[-1] == 256 else 0.1

    monkeypatch.setattr(peak, "fastest_of", slow)
    assert peak.matrix_peak() == 2 * 512**3 / 0.1
    assert sides == [256, 512]


def test_a_card_holds_nine_tenths_of_its_memory() -> None:
    one = Fit("a", "bfloat16", "30 s", 1.0, 1.0, 2 * GB, 3 * GB, GB, Cost(1, 1, GB), Cost(1, 1, 2 * GB))
    assert one.together == 8 * GB
    assert one.in_turn == 4 * GB
    assert card_for(one.in_turn) == 8
    assert card_for(one.together) == 12
    assert card_for(int(0.9 * 8 * 2**30)) == 8
    assert card_for(100 * GB) is None


def test_what_is_not_there_or_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no full-size shape named 'bark'; there are sd-1.5, sdxl, .*, ace-step-1.5"):
        finish(bench_fit(("bark",), ("float32",), 2.0))
    with pytest.raises(ValueError, match=r"--seconds must be above 0, and at most the 47.6 s that stable-audio-open"):
        finish(bench_fit(("stable-audio-open",), ("float32",), 60.0))


@pytest.mark.usefixtures("tiny")
def test_the_command_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    main(["bench", "fit", "--shapes", "stable-audio-open", "--seconds", "1", "--json"])
    (facts,) = json.loads(capsys.readouterr().out)
    assert facts["shape"] == "stable-audio-open"
    assert facts["in_turn"] <= facts["together"]
