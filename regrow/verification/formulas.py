"""`regrow verify`: check every formula of `core/` against an exact result."""

from collections.abc import Callable, Iterator

from regrow.verification.check import Check
from regrow.verification.conversions import conversions
from regrow.verification.editing import editing
from regrow.verification.forward import forward
from regrow.verification.inversions import inversions
from regrow.verification.masks import masks
from regrow.verification.noise_maps import noise_maps
from regrow.verification.orders import orders
from regrow.verification.steps import steps
from regrow.verification.two_states import two_states

SECTIONS: tuple[Callable[[], Iterator[Check]], ...] = (
    forward,
    conversions,
    steps,
    inversions,
    orders,
    two_states,
    noise_maps,
    editing,
    masks,
)


def verify() -> Iterator[Check]:
    """Yield all checks as they are done. A section that raises an exception is itself a failed check."""
    for section in SECTIONS:
        try:
            yield from section()
        except Exception as error:  # faulty maths may raise anything
            against = f"{type(error).__name__}: {error}"
            yield Check(f"{section.__name__} broke off", "", "", against, None, None, "fail")
