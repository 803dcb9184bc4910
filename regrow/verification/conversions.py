"""Check the conversions of the four prediction types, and guidance."""

from collections.abc import Iterator

import torch
from torch import Tensor

from regrow.core import denoiser, guidance
from regrow.core.denoiser import Batch, Prediction, PredictionType
from regrow.core.levels import Level
from regrow.core.noise import noise
from regrow.verification.check import Check, apart, judge
from regrow.verification.forward import labelled_levels
from regrow.verification.oracles import raw_output

_FORMULAS: dict[PredictionType, tuple[str, str]] = {
    "epsilon": ("x0 = (x_t - sigma out) / alpha,  eps = out", "Ho et al. 2020, arXiv 2006.11239, eq. 14"),
    "sample": ("x0 = out,  eps = (x_t - alpha out) / sigma", "Ramesh et al. 2022, arXiv 2204.06125, section 2.2"),
    "v": (
        "out = alpha eps - sigma x0;  x0 = alpha x_t - sigma out,  eps = sigma x_t + alpha out",
        "Salimans & Ho 2022, arXiv 2202.00512, section 4, appendix D",
    ),
    "flow": (
        "out = eps - x0;  on alpha = 1 - sigma: x0 = x_t - sigma out,  eps = x_t + alpha out",
        "Lipman et al. 2022, arXiv 2210.02747; Esser et al. 2024, arXiv 2403.03206, eq. 2",
    ),
}


def conversions() -> Iterator[Check]:
    for kind, claim in _FORMULAS.items():
        yield judge(
            f"{kind} conversion",
            *claim,
            "known x0 and eps, at 16 levels with both ends, where the output determines both",
            _conversion_error(kind),
            1e-12,
        )
        yield judge(
            f"{kind} round trip",
            *claim,
            "any output -> (x0, eps) -> output, and alpha x0 + sigma eps = x_t; float64",
            _round_trip_error(kind, torch.float64),
            1e-12,
        )
        yield judge(
            f"{kind} round trip, float32",
            *claim,
            "the same in float32, relative",
            _round_trip_error(kind, torch.float32),
            1e-5,
        )
    yield from _guidance()


def _determined(kind: PredictionType, level: Level) -> bool:
    return not ((kind == "epsilon" and level.alpha == 0) or (kind == "sample" and level.sigma == 0))


def _conversion_error(kind: PredictionType) -> float:
    x0, eps = noise((2, 5), [1, 2], torch.float64), noise((2, 5), [3, 4], torch.float64)
    errors = [0.0]
    for level in labelled_levels():
        output = raw_output(Prediction(x0, eps), level, kind)
        errors.append(apart(output, denoiser.target(x0, eps, level.alpha, level.sigma, kind)))
        if _determined(kind, level):
            x_t = level.alpha * x0 + level.sigma * eps
            found = denoiser.predict(output, x_t, level, kind)
            errors += [apart(found.x0, x0), apart(found.eps, eps)]
    return max(errors)


def _round_trip_error(kind: PredictionType, dtype: torch.dtype) -> float:
    x_t, output = noise((2, 5), [5, 6], dtype), noise((2, 5), [7, 8], dtype)
    errors = [0.0]
    for level in labelled_levels():
        if _determined(kind, level):
            found = denoiser.predict(output, x_t, level, kind)
            again = denoiser.target(found.x0, found.eps, level.alpha, level.sigma, kind)
            scale = float(torch.stack([found.x0, found.eps, x_t]).abs().max())  # near the ends x0 or eps is large
            errors += [apart(again, output) / scale, apart(found.at(level), x_t) / scale]
    return max(errors)


def _guidance() -> Iterator[Check]:
    x0, eps = noise((3,), [1, 2], torch.float64), noise((3,), [3, 4], torch.float64)
    level = Level(0.6, 0.8)

    def pair(x_t: Batch, level: Level) -> Prediction:
        return Prediction(torch.cat([x0[:1], x0[1:]]), torch.cat([eps[:1], eps[1:]]))

    def guided(weight: float) -> Tensor:
        found = guidance.classifier_free(pair, weight)(x0[:1], level)
        return torch.cat([found.x0, found.eps])

    positive, negative = torch.cat([x0[:1], eps[:1]]), torch.cat([x0[1:], eps[1:]])
    formula = "guided = negative + guidance (positive - negative)"
    source = "Ho & Salimans 2022, arXiv 2207.12598, eq. 6 with w = guidance - 1"
    yield judge(
        "guidance 1 is off", formula, source, "the positive prediction itself", apart(guided(1.0), positive), 1e-15
    )
    yield judge(
        "guidance mixes",
        formula,
        source,
        "the negative prediction at 0, and the formula at 0.3, 3 and 7.5",
        max(apart(guided(w), negative + w * (positive - negative)) for w in (0.0, 0.3, 3.0, 7.5)),
        1e-14,
    )
