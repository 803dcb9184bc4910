import pytest
import torch

from regrow.core.denoiser import Denoiser
from regrow.core.levels import Level
from regrow.core.noise import noise
from regrow.core.solvers import last, make_step, solve
from regrow.verification.oracles import FiniteData, Gaussian, GaussianMixture, float64, level_of, path
from regrow.verification.orders import two_clouds

X = noise((2, 3), [1, 2, 3, 4], torch.float64)
LEVELS = [level_of(log_snr, flow) for log_snr in (5, 0, -5) for flow in (False, True)] + [Level(0, 1)]
POINTS = noise((2, 3), [7, 8, 9], torch.float64)
CLOUDS = GaussianMixture(POINTS, float64(0.5, 1.0, 0.2), float64(0.2, 0.5, 0.3))
ORACLES = [Gaussian(float64(0.3), float64(0.7)), CLOUDS, FiniteData(POINTS)]


@pytest.mark.parametrize("oracle", ORACLES)
@pytest.mark.parametrize("level", LEVELS)
def test_x0_and_eps_add_up_to_x_t(oracle: Denoiser, level: Level) -> None:
    torch.testing.assert_close(oracle(X, level).at(level), X)


@pytest.mark.parametrize("level", LEVELS)
def test_one_cloud_is_a_gaussian(level: Level) -> None:
    cloud = GaussianMixture(POINTS[:1], float64(0.6)[None], float64(1.0)[None])
    torch.testing.assert_close(cloud(X, level).x0, Gaussian(POINTS[0], float64(0.6))(X, level).x0)


@pytest.mark.parametrize("level", LEVELS)
def test_eps_is_the_score(level: Level) -> None:
    """`eps = -sigma * grad log p(x_t)`, the density written out and differentiated by torch."""
    x = X.clone().requires_grad_()
    density = 0.0
    for mean, std, weight in zip(CLOUDS.means, CLOUDS.std, CLOUDS.weights, strict=True):
        spread = (level.alpha**2 * std**2 + level.sigma**2).sqrt()
        normal = torch.distributions.Normal(level.alpha * mean, spread)
        density = density + weight * normal.log_prob(x).flatten(1).sum(1).exp()
    (score,) = torch.autograd.grad(density.log().sum(), x)
    torch.testing.assert_close(CLOUDS(X, level).eps, -level.sigma * score)


def test_finite_data_is_the_weighted_mean_of_its_points() -> None:
    level = level_of(0.5)
    distances = (X[:, None] - level.alpha * POINTS).flatten(2).square().sum(2)
    weights = (-distances / (2 * level.sigma**2)).exp()
    mean = torch.einsum("bk,kij->bij", weights / weights.sum(1, keepdim=True), POINTS)
    torch.testing.assert_close(FiniteData(POINTS)(X, level).x0, mean)


def test_finite_data_at_the_ends() -> None:
    data = FiniteData(POINTS)
    torch.testing.assert_close(data(POINTS + 0.01, Level(1, 0)).x0, POINTS)
    torch.testing.assert_close(data(X, Level(0, 1)).x0, POINTS.mean(0).expand_as(X))


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("oracle", [two_clouds(), Gaussian(float64(0.3), float64(0.7))])
@pytest.mark.parametrize(("first", "final"), [(4, -4), (-4, 4)])
def test_exact_flows_are_what_a_fine_solver_finds(oracle, first: float, final: float) -> None:
    x = torch.linspace(-2, 2, 7).double()[:, None]
    levels = path(first, final, 1500)
    found = last(solve(make_step("heun"), oracle, x, levels))
    exact = oracle.exact_flow(x, levels[0], levels[-1])
    torch.testing.assert_close(exact, found, rtol=0, atol=1e-5)
    torch.testing.assert_close(oracle.exact_flow(exact, levels[-1], levels[0]), x, rtol=0, atol=1e-12)


def test_paths_have_intervals_of_1_and_2() -> None:
    snr = [level.log_snr for level in path(3, -3, 4)]
    assert snr == pytest.approx([3, 2, 0, -1, -3])
    assert all(level.alpha + level.sigma == pytest.approx(1) for level in path(3, -3, 4, flow=True))
