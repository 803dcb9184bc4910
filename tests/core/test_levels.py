import math
from itertools import pairwise

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regrow.core.levels import SPACINGS, Level, Schedule
from regrow.core.schedules import Flow, VariancePreserving

BETAS = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
TABLE = torch.cumprod(1 - BETAS, dim=0)
ALPHA = TABLE.sqrt()
ZERO_SNR = ((ALPHA - ALPHA[-1]) * ALPHA[0] / (ALPHA[0] - ALPHA[-1])).square()


@st.composite
def schedules(draw: st.DrawFn) -> VariancePreserving | Flow:
    if draw(st.booleans()):
        return Flow(shift=draw(st.floats(0.05, 20)))
    table = draw(st.sampled_from([TABLE, ZERO_SNR]))
    clean = draw(st.sampled_from([1.0, float(table[0])]))  # set_alpha_to_one, or not
    return VariancePreserving(table, clean, draw(st.integers(0, 5)))


def most_steps(schedule: VariancePreserving | Flow) -> int:
    ends_in_table = isinstance(schedule, VariancePreserving) and schedule.level(0) == schedule.clean
    return schedule.labels - ends_in_table


@pytest.mark.usefixtures("unchecked")
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(schedules(), st.sampled_from(SPACINGS), st.data())
def test_any_number_of_steps_reaches_both_ends(schedule: VariancePreserving | Flow, spacing, data) -> None:
    most = most_steps(schedule)
    steps = data.draw(st.one_of(st.integers(1, most), st.integers(most - 5, most), st.integers(1, 5)))
    grid = schedule.grid(steps, spacing)
    assert len(grid) == steps + 1
    assert grid[0] == schedule.noisiest
    assert grid[-1] == schedule.clean
    assert all(noisier.log_snr < cleaner.log_snr for noisier, cleaner in pairwise(grid))


@settings(max_examples=100, deadline=None)
@given(schedules(), st.floats(0, 1))
def test_label_is_the_inverse_of_level(schedule: VariancePreserving | Flow, share: float) -> None:
    label = share * schedule.label(schedule.noisiest)
    assert schedule.label(schedule.level(label)) == pytest.approx(label, abs=1e-6)


@given(schedules(), st.integers(0, 998))
@settings(max_examples=50, deadline=None)
def test_whole_labels_are_the_table(schedule: VariancePreserving | Flow, label: int) -> None:
    level = schedule.level(label)
    assert schedule.level(label + 1).log_snr < schedule.level(label + 0.5).log_snr < level.log_snr
    if isinstance(schedule, VariancePreserving):
        assert level.alpha == math.sqrt(schedule.alphas_cumprod[label])


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("schedule", [VariancePreserving(TABLE), VariancePreserving(TABLE, float(TABLE[0])), Flow()])
@pytest.mark.parametrize("steps", [0, -1, 1001])
def test_impossible_numbers_of_steps(schedule: Schedule, spacing, steps: int) -> None:
    with pytest.raises(ValueError, match="steps must be between 1 and"):
        schedule.grid(steps, spacing)


def test_leading_counts_up_from_the_offset() -> None:
    schedule = VariancePreserving(TABLE, offset=1)
    told = [schedule.label(level) for level in schedule.grid(50, "leading")[1:-1]]
    assert told == pytest.approx([1000 * k / 50 + 1 for k in range(48, -1, -1)])


@pytest.mark.parametrize(("alpha", "sigma"), [(0, 0), (-0.1, 1), (1.1, 0), (0.5, math.nan), (math.inf, 0)])
def test_impossible_levels(alpha: float, sigma: float) -> None:
    with pytest.raises(ValueError, match=r"alpha and sigma of a noise level must be in \[0, 1\] and not both 0"):
        Level(alpha, sigma)


@pytest.mark.parametrize("label", [-1, 1000.5, math.nan])
@pytest.mark.parametrize("schedule", [VariancePreserving(TABLE), Flow()])
def test_unknown_labels(schedule: Schedule, label: float) -> None:
    with pytest.raises(ValueError, match="This noise schedule has labels from 0 to"):
        schedule.level(label)


@pytest.mark.parametrize("values", [[0.5], [0.4, 0.5], [0.5, 0.5], [1.0, 0.5], [0.5, -0.1]])
def test_impossible_tables(values: list[float]) -> None:
    with pytest.raises(ValueError, match="strictly falling"):
        VariancePreserving(torch.tensor(values, dtype=torch.float64))


@pytest.mark.parametrize("clean", [0.1, 1.1])
def test_impossible_clean_ends(clean: float) -> None:
    with pytest.raises(ValueError, match="clean_alpha_cumprod"):
        VariancePreserving(TABLE, clean)


def test_from_betas_takes_the_first_value_for_none() -> None:
    assert VariancePreserving.from_betas(BETAS, None).clean == VariancePreserving.from_betas(BETAS).level(0)


def test_levels_outside_the_table_get_its_ends() -> None:
    schedule = VariancePreserving(TABLE)
    assert schedule.label(schedule.clean) == 0
    assert schedule.label(Level(0, 1)) == 999
    assert (schedule.clean.log_snr, Level(0, 1).log_snr, Level(0, 1).ratio) == (math.inf, -math.inf, math.inf)
