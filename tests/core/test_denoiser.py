import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import TypeCheckError

from regrow.core.denoiser import PREDICTION_TYPES, Counted, Prediction, predict, target
from regrow.core.guidance import classifier_free, mix
from regrow.core.levels import Level
from regrow.core.noise import derive_seed, noise

ENDS = [Level(1, 0), Level(0, 1)]
levels = st.one_of(
    st.sampled_from(ENDS),
    st.floats(0.02, 0.98).map(lambda s: Level(1 - s, s)),
    st.floats(0.02, 0.98).map(lambda s: Level((1 - s * s) ** 0.5, s)),
)


@pytest.mark.parametrize("kind", PREDICTION_TYPES)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 5e-5)])
@settings(max_examples=40, deadline=None)
@given(level=levels, seed=st.integers(0, 2**32))
def test_target_and_predict_undo_each_other(kind, dtype, tolerance, level, seed) -> None:
    x0, eps = noise((3, 4), [seed, seed + 1], dtype), noise((3, 4), [seed + 2, seed + 3], dtype)
    x_t = Prediction(x0, eps).at(level)
    found = predict(target(x0, eps, level.alpha, level.sigma, kind), x_t, level, kind)
    if not (kind == "epsilon" and level.alpha == 0):
        torch.testing.assert_close(found.x0, x0, rtol=0, atol=tolerance)
    if not (kind == "sample" and level.sigma == 0):
        torch.testing.assert_close(found.eps, eps, rtol=0, atol=tolerance)


def test_what_an_end_leaves_open_is_zeros() -> None:
    x = noise((3,), [1])
    assert not predict(x, x, Level(0, 1), "epsilon").x0.any()
    assert not predict(x, x, Level(1, 0), "sample").eps.any()


@pytest.mark.usefixtures("unchecked")
def test_unknown_kinds() -> None:
    x = noise((3,), [1])
    with pytest.raises(ValueError, match="There is no prediction type 'score'"):
        predict(x, x, ENDS[0], "score")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="There is no prediction type 'score'"):
        target(x, x, 1.0, 0.0, "score")  # pyright: ignore[reportArgumentType]


def test_target_takes_a_level_a_sample() -> None:
    x0, eps = noise((2, 3), [1, 2]), noise((2, 3), [3, 4])
    found = target(x0, eps, torch.tensor([0.6, 0.8]).view(2, 1, 1), torch.tensor([0.8, 0.6]).view(2, 1, 1), "v")
    torch.testing.assert_close(found[1], target(x0[1:], eps[1:], 0.8, 0.6, "v")[0])


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(TypeCheckError):
        Prediction(torch.zeros(2, 3), torch.zeros(2, 4))
    with pytest.raises(TypeCheckError):
        predict(torch.zeros(2, 3), torch.zeros(3, 3), ENDS[0], "v")
    with pytest.raises(TypeCheckError):
        predict(torch.zeros(2, 3, dtype=torch.int64), torch.zeros(2, 3), ENDS[0], "v")


def a_pair(x_t: torch.Tensor, level: Level) -> Prediction:
    return Prediction(x_t * torch.tensor([2.0, 3.0]).repeat_interleave(len(x_t) // 2)[:, None], x_t)


def test_guidance_1_is_the_positive_prediction() -> None:
    x = noise((4,), [1, 2, 3])
    assert torch.equal(classifier_free(a_pair, 1.0)(x, ENDS[0]).x0, 2 * x)
    torch.testing.assert_close(classifier_free(a_pair, 0.0)(x, ENDS[0]).x0, 3 * x)
    torch.testing.assert_close(classifier_free(a_pair, 4.0)(x, ENDS[0]).x0, -x)


@pytest.mark.parametrize("kind", PREDICTION_TYPES)
def test_mixing_predictions_is_mixing_outputs(kind) -> None:
    level, x_t = Level(0.6, 0.8), noise((4,), [1], torch.float64)
    outputs = noise((4,), [2], torch.float64), noise((4,), [3], torch.float64)
    mixed = mix(*(predict(output, x_t, level, kind) for output in outputs), 3.5)
    whole = predict(outputs[1] + 3.5 * (outputs[0] - outputs[1]), x_t, level, kind)
    torch.testing.assert_close(mixed.x0, whole.x0)
    torch.testing.assert_close(mixed.eps, whole.eps)


def test_counted_counts() -> None:
    counted = Counted(lambda x_t, level: Prediction(x_t, x_t), evaluations_per_call=2)
    for _ in range(3):
        counted(torch.zeros(4, 2), ENDS[0])
    assert counted.evaluations == 6


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(-(2**63), 2**64 - 1), min_size=1, max_size=5), st.sampled_from([torch.float32, torch.float64])
)
def test_noise_is_the_samples_own(seeds: list[int], dtype: torch.dtype) -> None:
    drawn = noise((2, 3), seeds, dtype)
    for i, seed in enumerate(seeds):
        assert torch.equal(drawn[i : i + 1], noise((2, 3), [seed], dtype))


def test_noise_is_drawn_as_diffusers_draws_it() -> None:
    from diffusers.utils.torch_utils import randn_tensor

    generators = [torch.Generator().manual_seed(seed) for seed in (7, 8)]
    assert torch.equal(noise((4, 8, 8), [7, 8]), randn_tensor((2, 4, 8, 8), generator=generators))


def test_derived_seeds_depend_on_every_part_and_its_type() -> None:
    seeds = {derive_seed(1, "a"), derive_seed("1", "a"), derive_seed(1, "b"), derive_seed("a", 1), derive_seed(1)}
    assert len(seeds) == 5
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert derive_seed(1, "a") == derive_seed(1, "a")
