"""`verify_model` on models whose network is an oracle, right or with one thing wrong, and on an untrained one."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from regrow.core.denoiser import PREDICTION_TYPES, PredictionType
from regrow.core.levels import Schedule
from regrow.core.noise import noise
from regrow.core.schedules import Flow, VariancePreserving
from regrow.models.codecs.codec import Identity
from regrow.models.condition import Condition
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.models.parts import Parts
from regrow.verification.check import Check
from regrow.verification.model import verify_model
from regrow.verification.oracles import Gaussian, raw_output

pytestmark = pytest.mark.usefixtures("unchecked")
BETAS = torch.linspace(0.00085**0.5, 0.012**0.5, 1000).double() ** 2
DATA = Gaussian(torch.tensor(0.4), torch.tensor(0.5))


class Perfect(Model):
    """A model of normal latents whose network returns the posterior mean, under labels that may be off."""

    returns: PredictionType
    off = 0.0

    takes_words = False

    @classmethod
    def open(cls, source) -> Model:
        raise NotImplementedError

    def encode(self, frames: Tensor) -> Tensor:
        return 0.4 + 0.5 * noise((4, 8, 8), range(50, 50 + len(frames)))

    def tokenize(self, prompts) -> Tensor:
        raise NotImplementedError

    def encode_tokens(self, ids: Tensor) -> Condition:
        raise NotImplementedError

    def condition(self, prompts) -> Condition:
        return Condition(torch.zeros(len(prompts), 0, 0))

    def forward(self, x_t: Tensor, labels: Tensor, condition: Condition) -> Tensor:
        top = self.schedule.label(self.schedule.noisiest)
        level = self.schedule.level(min(max(float(labels[0]) + self.off, 0), top))
        return raw_output(DATA(x_t, level), level, self.returns)


def perfect(
    declares: PredictionType, returns: PredictionType, schedule: Schedule | None = None, off: float = 0
) -> Model:
    model = Perfect(
        name="perfect",
        folder=Path(),
        family="pixel-unet",
        schedule=schedule or VariancePreserving.from_betas(BETAS),
        prediction_type=declares,
        size=(64, 64),
        multiple=8,
        parts=Parts({}),
        codec=Identity(4),
        files=(),
    )
    model.returns, model.off = returns, off
    return model


def checks_of(model: Model) -> dict[str, Check]:
    return {check.name: check for check in verify_model(model, steps=10, reference=100)}


@pytest.mark.parametrize(
    ("kind", "schedule"),
    # no epsilon on the flow schedule: at its pure noise such a network says nothing of x0
    [*((kind, None) for kind in PREDICTION_TYPES), *((kind, Flow()) for kind in PREDICTION_TYPES if kind != "epsilon")],
)
def test_a_perfect_model_passes(kind: PredictionType, schedule: Schedule | None) -> None:
    checks = checks_of(perfect(kind, kind, schedule))
    assert {check.state for check in checks.values()} == {"pass", "measured"}
    assert [checks[name].state for name in ("prediction type", "label convention", "direct_inversion round trip")] == [
        "pass"
    ] * 3


@pytest.mark.parametrize(("declares", "returns"), [("epsilon", "v"), ("v", "epsilon"), ("v", "sample"), ("flow", "v")])
def test_the_wrong_prediction_type_fails(declares: PredictionType, returns: PredictionType) -> None:
    assert checks_of(perfect(declares, returns))["prediction type"].state == "fail"


@pytest.mark.parametrize("off", [60.0, -60.0])
def test_labels_that_are_off_fail(off: float) -> None:
    assert checks_of(perfect("v", "v", off=off))["label convention"].state == "fail"


def test_a_schedule_that_stops_short_of_noise_fails() -> None:
    short = VariancePreserving.from_betas(BETAS[:300])
    assert checks_of(perfect("v", "v", short))["schedule, noisy end"].state == "fail"


def test_zero_terminal_snr_is_said() -> None:
    assert "it is zero" in checks_of(perfect("flow", "flow", Flow()))["schedule, noisy end"].detail
    assert "it is not zero" in checks_of(perfect("v", "v"))["schedule, noisy end"].detail


@pytest.mark.parametrize("name", ["sd2", "ddpm"])
def test_an_untrained_network_is_undecided(name: str, checkpoint: Callable[[str], Path]) -> None:
    checks = {c.name: c for c in verify_model(open_model(str(checkpoint(name))), steps=4, reference=8)}
    assert checks["prediction type"].state == "undecided"
    assert checks["prediction type"].detail.startswith("output fits none")
    assert checks["label convention"].state == "undecided"
    assert "fail" not in {check.state for check in checks.values()}


def test_pictures_of_ones_own(checkpoint: Callable[[str], Path]) -> None:
    model = open_model(str(checkpoint("sd2")))
    checks = list(verify_model(model, torch.zeros(1, 3, 16, 16), ["a cat"], steps=2, reference=3))
    assert len(checks) == 11
