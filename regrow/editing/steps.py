"""Settings that a request leaves open, filled in from its model."""

from dataclasses import replace
from typing import TypeVar

from regrow.core.methods.registry import method
from regrow.editing.source_picture import with_needed_method
from regrow.editing.trajectories import load_trajectory
from regrow.messages.message import say
from regrow.models.model import Model
from regrow.requests.edit import Edit
from regrow.requests.extend import Extend
from regrow.requests.generate import Generate

Guided = TypeVar("Guided", Generate, Edit, Extend)
Open = TypeVar("Open", Generate, Extend)


def with_steps(request: Edit, model: Model) -> tuple[Edit, int]:
    """Return a request that says its steps, and the number: its own, else its trajectory's, else the model's.

    A method that needs an ability of the model walks as its makers sample it, in their steps.

    Raises:
        MediaError: the trajectory cannot be used.
        ValueError: start_step is not among them.
    """
    if request.steps is not None:
        return request, request.steps
    steps = load_trajectory(request.trajectory)[1].get("steps") if request.trajectory else None
    usual = model.own.steps if method(request.method).needs else model.edit_steps
    steps = steps if isinstance(steps, int) else usual
    return replace(request, steps=steps), steps


def with_own_settings(request: Open, model: Model) -> Open:
    """Return a request that says its steps, its guidance and its solver: its own, else the model's."""
    own = model.own
    return replace(
        request,
        steps=own.steps if request.steps is None else request.steps,
        guidance=own.guidance if request.guidance is None else request.guidance,
        solver=request.solver or own.solver,
    )


def with_own_method(request: Edit, model: Model) -> tuple[Edit, tuple[str, ...]]:
    """Return a request by another method where the default cannot edit with its model, or another is better with it.

    A sentence says so. What follows a trajectory keeps to it.

    Raises:
        ValueError: the method is not the default, and inverts along a path that the model does not have, or needs an
            ability that it has not.
    """
    request, notes = with_needed_method(request, model)
    chosen = method(request.method)
    if model.own.edit_method and chosen.without_path and not request.trajectory:  # it is the default
        other = model.own.edit_method
        note = say("edited_by_own_method", name=model.name, method=chosen.name, other=other)
        return replace(request, method=other), (*notes, note)
    if model.deterministic_path or not chosen.follows_path:
        return request, notes
    if not chosen.without_path:
        model.require_path(chosen.name)
    note = say("edited_without_path", name=model.name, method=chosen.name, other=chosen.without_path)
    return replace(request, method=chosen.without_path), (note,)


def without_guidance(request: Guided, model: Model) -> tuple[Guided, tuple[str, ...]]:
    """Return a request at guidance 1 for a model that has guidance in its weights, and a sentence that says so.

    Raises:
        ValueError: its method needs guidance.
    """
    if model.own.is_guided or request.guidance == 1:
        return request, ()
    if isinstance(request, Edit) and method(request.method).tune:
        raise ValueError(say("guidance_in_weights_tuned", name=model.name, method=request.method))
    note = say("sampled_unguided", name=model.name)
    return replace(request, guidance=1.0), (note,)
