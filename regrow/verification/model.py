"""Check a checkpoint for `regrow verify MODEL`.

A network is only an estimate, so theory fixes few of these figures. A check passes or fails where a checkpoint can
contradict its own config. It is `undecided` if the network is too inaccurate to tell, such as an untrained one, and
`measured` if no value is right or wrong.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.core import solvers
from regrow.core.denoiser import PREDICTION_TYPES, predict, target
from regrow.core.levels import Level, Schedule
from regrow.core.methods import direct_inversion, fixed_point, naive
from regrow.core.noise import noise
from regrow.media.image.medium import MEDIUM as PICTURE
from regrow.models.condition import Condition
from regrow.models.model import Model
from regrow.verification.check import Check, judge, rms
from regrow.verification.orders import trajectory
from regrow.worlds.storybook.drawing import Scene, draw

_FITS = 0.8
"""If the relative squared error of v is above this for every prediction type, the output says nothing about v."""


def verify_model(
    model: Model,
    pictures: Float[Tensor, "b 3 h w"] | None = None,
    prompts: Sequence[str] = (),
    steps: int = 50,
    reference: int = 1000,
) -> Iterator[Check]:
    """Check an opened checkpoint, one check at a time.

    Args:
        model: the checkpoint.
        pictures: pictures in [-1, 1] to noise and invert; four drawn ones if not given.
        prompts: one per picture; the empty prompt if not given. An unconditional network gets none.
        steps: steps of the measured inversions.
        reference: steps of the fine inversion that is taken as the true path; limited to the model's number of labels.

    Raises:
        ValueError: it is not a picture model.
    """
    PICTURE.require(model)
    yield from _schedule(model.schedule)
    if pictures is None:
        pictures, prompts = _drawn(model.size)
    words = prompts if prompts and model.takes_words else [""] * len(pictures)
    condition = model.condition(words)
    latents = model.encode(pictures.to(model.device, model.dtype)).float()
    kind = _prediction_type(model, latents, condition)
    yield kind
    yield _label_convention(model, latents, condition, kind.state != "undecided")
    yield from _inversions(model, latents[:2], condition.tokens[:2], steps, reference)


def _schedule(schedule: Schedule) -> Iterator[Check]:
    noisiest, clean = schedule.noisiest, schedule.clean
    zero = "is zero" if noisiest.alpha == 0 else "is not zero, so the noisiest level still shows the picture a little"
    yield judge(
        "schedule, noisy end",
        "alpha at the noisiest level is small: sampling starts from what training ended at",
        "Lin et al. 2023, arXiv 2305.08891, section 3.1",
        "alpha of pure noise, 0",
        noisiest.alpha,
        0.2,
        f"terminal signal-to-noise ratio {(noisiest.alpha / noisiest.sigma) ** 2:.1e}: it {zero}",
    )
    yield judge(
        "schedule, clean end",
        "sigma at the clean level is small: inversion treats its input as clean",
        "Song et al. 2021, arXiv 2010.02502, eq. 12 (alpha_0 = 1)",
        "sigma of an undisturbed sample, 0",
        clean.sigma,
        0.1,
    )
    top = schedule.label(schedule.noisiest)
    labels = [top * k / 100 for k in range(101)]
    levels = [schedule.level(label) for label in labels]
    rising = all(cleaner.log_snr > noisier.log_snr for cleaner, noisier in pairwise(levels))
    yield judge(
        "schedule, labels",
        "label(level(l)) = l, and noise grows with the label",
        "Kingma et al. 2021, arXiv 2107.00630, section 3.1",
        "101 labels from end to end",
        max(abs(schedule.label(s) - label) for s, label in zip(levels, labels, strict=True)) if rising else 1.0,
        1e-6,
    )


def _drawn(size: tuple[int, int], count: int = 4) -> tuple[Float[Tensor, "b 3 h w"], list[str]]:
    drawings = [draw(Scene.random(seed=seed), size) for seed in range(count)]
    pixels = torch.stack([torch.tensor(drawing.picture) for drawing in drawings]).permute(0, 3, 1, 2)
    return pixels / 127.5 - 1, [drawing.caption for drawing in drawings]


def _noised(model: Model, latents: Tensor, share: float) -> tuple[Tensor, Tensor, float, Level]:
    """Noise latents to a fraction of the labels; return `x_t`, its noise, the label and the level."""
    label = float(round(share * model.schedule.label(model.schedule.noisiest)))
    level = model.schedule.level(label)
    seeds = [int(1000 * share) + 1_000_000 * i for i in range(len(latents))]
    eps = noise(tuple(latents.shape[1:]), seeds).to(latents)
    return level.alpha * latents + level.sigma * eps, eps, label, level


@torch.no_grad()
def _output(model: Model, x_t: Tensor, label: float, condition: Condition) -> Tensor:
    labels = torch.full((len(x_t),), label, dtype=torch.float32, device=x_t.device)
    return model.forward(x_t.to(model.dtype), labels, condition).float()


def _prediction_type(model: Model, latents: Tensor, condition: Condition) -> Check:
    """Read the raw output as each prediction type, from low to high noise.

    All types are compared by the same v, so its unpredictable part counts equally for all, and the right type always
    has the smallest error for an ideal network.
    """
    errors = dict.fromkeys(PREDICTION_TYPES, 0.0)
    shares = (0.2, 0.35, 0.5, 0.65, 0.8)
    for share in shares:
        x_t, eps, label, level = _noised(model, latents, share)
        output = _output(model, x_t, label, condition)
        wanted = target(latents, eps, level.alpha, level.sigma, "v")
        for kind in PREDICTION_TYPES:
            found = predict(output, x_t, level, kind)
            guess = target(found.x0, found.eps, level.alpha, level.sigma, "v")
            errors[kind] += (rms(guess - wanted) / rms(wanted)) ** 2 / len(shares)
    declared = errors[model.prediction_type]
    other = min(error for kind, error in errors.items() if kind != model.prediction_type)
    best = min(errors.values())
    state = "undecided" if not best <= _FITS else "pass" if declared <= other else "fail"
    detail = ", ".join(f"{kind} {error:.2f}" for kind, error in errors.items())
    return Check(
        "prediction type",
        f"the network returns {model.prediction_type}, as its config says",
        "Salimans & Ho 2022, arXiv 2202.00512, section 4",
        "the output read as each of the four types at 5 levels; squared error of v over its power, best other type",
        declared,
        other,
        state,
        f"{'output fits none' if state == 'undecided' else 'error as'}: {detail}",
    )


def _label_convention(model: Model, latents: Tensor, condition: Condition, trained: bool) -> Check:
    """Check whether the network's error is smallest under the label of x_t's level, with the same noise for all."""
    top = model.schedule.label(model.schedule.noisiest)
    shifts = {"-T/20": -top / 20, "-1": -1.0, "+1": 1.0, "+T/20": top / 20}
    gains: dict[str, list[Tensor]] = {name: [] for name in shifts}
    own: list[Tensor] = []
    for share in (0.15, 0.3, 0.45, 0.6, 0.75, 0.9):
        x_t, eps, label, level = _noised(model, latents, share)
        wanted = target(latents, eps, level.alpha, level.sigma, model.prediction_type)
        own.append(_squares(_output(model, x_t, label, condition) - wanted))
        for name, shift in shifts.items():
            gains[name].append(_squares(_output(model, x_t, label + shift, condition) - wanted) - own[-1])
    right = float(torch.cat(own).mean())
    worse = {name: torch.cat(gain) for name, gain in gains.items()}
    # a shifted label must be significantly better: paired differences, two standard errors
    doubt = {name: 2 * float(w.std()) / len(w) ** 0.5 for name, w in worse.items()}
    far = ("-T/20", "+T/20")
    if not trained:
        state = "undecided"
    elif any(float(worse[name].mean()) < -doubt[name] for name in far):
        state = "fail"
    else:
        state = "pass" if all(float(worse[name].mean()) > 0 for name in far) else "undecided"
    figures = ", ".join(f"{name} {float(w.mean()) / right:+.1e}" for name, w in worse.items())
    return Check(
        "label convention",
        "the error is smallest under the label of x_t's own level",
        "Ho et al. 2020, arXiv 2006.11239, algorithm 1",
        "the network's squared error at 6 levels, under labels a twentieth of the path off; same noise",
        right,
        None,
        state,
        f"relative change of the error under shifted labels: {figures}",
    )


def _squares(difference: Tensor) -> Tensor:
    """Return the mean square per sample."""
    return difference.square().flatten(1).mean(1)


def _inversions(model: Model, latents: Tensor, tokens: Tensor, steps: int, reference: int) -> Iterator[Check]:
    schedule, denoise = model.schedule, model.denoiser(Condition(tokens))
    most = int(schedule.label(schedule.noisiest))  # every schedule has a grid of this many steps
    fine, steps = min(reference, most), min(steps, most)
    truth = trajectory(naive.naive(denoise, latents, model.grid(fine, shape=latents.shape[1:])[::-1])).states[-1]
    up = model.grid(steps, shape=latents.shape[1:])[::-1]
    for name, walk in (
        ("naive", naive.naive(denoise, latents, up)),
        ("fixed_point", fixed_point.fixed_point(denoise, latents, up)),
        ("direct_inversion", direct_inversion.direct_inversion(denoise, latents, up)),
    ):
        found = trajectory(walk)
        stuck = sum(not report.converged for report in found.convergence)
        back = solvers.last(solvers.solve(found.back(), denoise, found.states[-1], up[::-1]))
        round_trip = rms(back - latents) / rms(latents)
        accuracy = rms(found.states[-1] - truth) / rms(truth)
        formula = f"{name} inversion, {steps} steps from end to end"
        source = "round-trip error and latent accuracy are independent: one can be small without the other"
        against = "the latent that was inverted, relative RMS"
        if found.offsets:  # offsets make the round trip exact by construction
            yield judge(f"{name} round trip", formula, source, against, round_trip, 1e-3)
        else:
            detail = f"{stuck} of {steps} steps did not converge" if stuck else ""
            yield Check(f"{name} round trip", formula, source, against, round_trip, None, "measured", detail)
        against = f"the noise that {fine} naive steps find, relative RMS"
        yield Check(f"{name} latent", formula, source, against, accuracy, None, "measured")
