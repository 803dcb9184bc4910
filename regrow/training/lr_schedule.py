"""When the learning rate rises and falls: a plan by steps, or one by time that is made once and kept."""

import math
from dataclasses import dataclass

from regrow.core.names import Decline


@dataclass(frozen=True)
class Plan:
    """The rate falls from step `falls_from` on, and step `ends_at` is not made any more."""

    falls_from: int
    ends_at: int


def plan_of_steps(steps: int, flat: float) -> Plan:
    """The plan of a run of so many steps whose rate is flat for this share of them."""
    return Plan(int(steps * flat), steps)


def plan_of_time(step: int, seconds: float, limit: float, flat: float) -> Plan | None:
    """The plan of a run by time, made when its flat part is over, at the speed so far; None before.

    Made late, it is right on a machine whose speed changes, and it ends near its time; made once, a killed run
    keeps it.
    """
    if seconds < flat * limit:
        return None
    return Plan(step, step + max(1, round((limit - seconds) * step / seconds)))


def factor(step: int, plan: Plan | None, warm_up: int, decline: Decline) -> float:
    """The share of the peak rate at a step."""
    rise = min(1.0, (step + 1) / max(1, warm_up))
    if plan is None or step < plan.falls_from or decline == "constant":
        return rise
    left = (plan.ends_at - step) / max(1, plan.ends_at - plan.falls_from)
    return min(rise, left if decline == "linear" else (1 - math.cos(math.pi * left)) / 2)


def late(step: int, plan: Plan | None) -> float:
    """0 while the rate is flat, then rising to 1 at the end."""
    if plan is None or step < plan.falls_from:
        return 0.0
    return (step - plan.falls_from) / max(1, plan.ends_at - plan.falls_from)
