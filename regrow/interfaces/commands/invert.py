"""`regrow invert`."""

from pathlib import Path
from typing import Annotated

import tyro

from regrow.interfaces.commands import Command
from regrow.interfaces.run import RunOptions
from regrow.messages.message import say
from regrow.requests.invert import Invert


def invert(request: Annotated[Invert, tyro.conf.arg(name="")], run: RunOptions, out: Path | None = None) -> None:
    """Invert a picture or a sound to noise, measure the error, and save the path.

    Args:
        out: the .safetensors file to write; if not given, named after the file. It is for `regrow edit --trajectory`.
    """
    from regrow.editing.invert import invert as operation
    from regrow.editing.trajectories import save_trajectory
    from regrow.interfaces.reporting import engaged, for_medium, for_song, free_paths, report, watched
    from regrow.media.medium import medium_of
    from regrow.media.output import check_output, default_output

    if out and out.suffix != ".safetensors":
        raise ValueError(say("path_is_safetensors", name=out.name))
    first = out or default_output(request.image.stem, ".safetensors")
    check_output(first)
    medium, request = medium_of(request.image), for_medium(for_song(request, request.image), request.image)
    model = engaged(request.model, run, lambda model: medium.check(request, model))
    inverted = watched(operation(request, model), run)
    (path,) = free_paths(first, 1)
    save_trajectory(path, inverted.trajectory, inverted.made_of)
    stuck = [c for c in inverted.trajectory.convergence if not c.converged]
    accuracy = inverted.latent_accuracy
    report(
        run,
        {
            "file": path,
            "notes": inverted.notes,
            "evaluations": inverted.evaluations,
            "seconds": inverted.seconds,
            "round_trip": inverted.round_trip,
            "latent_accuracy": accuracy,
            "convergence": [
                {"iterations": c.iterations, "residual": c.residual, "converged": c.converged}
                for c in inverted.trajectory.convergence
            ],
        },
        *inverted.notes,
        say("wrote", path=path),
        say("inversion_cost", evaluations=inverted.evaluations, seconds=inverted.seconds),
        say("round_trip", round_trip=inverted.round_trip),
        *([say("latent_accuracy", accuracy=accuracy, reference=request.reference)] if accuracy is not None else []),
        *([say("steps_not_converged", count=len(stuck), residual=max(c.residual for c in stuck))] if stuck else []),
    )


COMMAND = Command("invert", 50, invert)
