"""`regrow invert`."""

from pathlib import Path
from typing import Annotated

import tyro

from regrow.interfaces.commands import Command
from regrow.interfaces.run import RunOptions
from regrow.requests.invert import Invert


def invert(request: Annotated[Invert, tyro.conf.arg(name="")], run: RunOptions, out: Path | None = None) -> None:
    """Rewind a picture or a sound to noise, measure how well that worked, and save the path.

    Args:
        out: the .safetensors file to write, for `regrow edit --trajectory`; named after the file if not given.
    """
    from regrow.editing.invert import invert as operation
    from regrow.editing.trajectories import save_trajectory
    from regrow.interfaces.reporting import engaged, for_medium, free_paths, say, watched
    from regrow.media.medium import medium_of
    from regrow.media.output import check_output, default_output

    if out and out.suffix != ".safetensors":
        raise ValueError(f"A path is saved as .safetensors, so --out cannot be {out.name}.")
    first = out or default_output(request.image.stem, ".safetensors")
    check_output(first)
    medium, request = medium_of(request.image), for_medium(request, request.image)
    model = engaged(request.model, run, lambda model: medium.check(request, model))
    inverted = watched(operation(request, model), run)
    (path,) = free_paths(first, 1)
    save_trajectory(path, inverted.trajectory, inverted.made_of)
    stuck = [c for c in inverted.trajectory.convergence if not c.converged]
    accuracy = inverted.latent_accuracy
    say(
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
        f"wrote {path}",
        f"{inverted.evaluations} evaluations, {inverted.seconds} s",
        f"round trip: RMS {inverted.round_trip:.2e} in the latent (0 = the way back ends where it began)",
        *(
            [f"latent accuracy: {accuracy:.2e} of the noise is off, against {request.reference} steps"]
            if accuracy is not None
            else []
        ),
        *([f"{len(stuck)} steps did not converge, the worst to {max(c.residual for c in stuck):.1e}"] if stuck else []),
    )


COMMAND = Command("invert", 50, invert)
