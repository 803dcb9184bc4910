"""Steps found by themselves: a number for a request that leaves them open."""

from dataclasses import replace

from regrow.editing.trajectories import load_trajectory
from regrow.models.model import Model
from regrow.requests.edit import Edit


def with_steps(request: Edit, model: Model) -> tuple[Edit, int]:
    """A request that says its steps, and the number: its own, else its trajectory's, else the model's.

    Raises:
        MediaError: the trajectory cannot be used.
        ValueError: start_step is not among them.
    """
    if request.steps is not None:
        return request, request.steps
    steps = load_trajectory(request.trajectory)[1].get("steps") if request.trajectory else None
    steps = steps if isinstance(steps, int) else model.edit_steps
    return replace(request, steps=steps), steps
