"""What the command line's verbs that look inside do: paths to noise, pages of a file, proofs of the maths."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regrow.editing import inspect as inspecting
from regrow.editing import invert as inverting
from regrow.editing.trajectories import save_trajectory
from regrow.interfaces.reporting import engaged, for_medium, free_paths, lines, opened, say, set_threads, watched
from regrow.media.files import check_folder
from regrow.media.image.picture import check_savable, save
from regrow.media.medium import medium_of
from regrow.requests.invert import Invert

if TYPE_CHECKING:
    from regrow.interfaces.run import Opening, Run


def invert(request: Invert, run: "Run", out: Path | None) -> None:
    if out and out.suffix != ".safetensors":
        raise ValueError(f"A path is saved as .safetensors, so --out cannot be {out.name}.")
    first = out or Path(f"{request.image.stem}.safetensors")
    check_folder(first)
    medium, request = medium_of(request.image), for_medium(request, request.image)
    model = engaged(request.model, run, lambda model: medium.check(request, model))
    inverted = watched(inverting.invert(request, model), run)
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


def verify(name: str, run: "Opening") -> None:
    from regrow.verification import formulas, model, report

    set_threads(run)
    checks: Iterable[Any] = model.verify_model(opened(name, run)) if name else formulas.verify()
    if not report.run(checks, run.json, sys.stdout):
        sys.exit(1)


def inspect(file: Path, run: "Opening", model: str, source: str, steps: int, out: Path | None) -> None:
    first = out or Path(f"{file.stem}-inspected.png")
    if out:
        check_savable(first)
    inspected = watched(inspecting.inspect(file, source, steps, opened(model, run) if model else None), run)
    if inspected.page is None and (out or source) and file.suffix != ".safetensors":  # what only a model can show
        embedded = opened(medium_of(file).embedded, run)
        inspected = watched(inspecting.inspect(file, source, steps, embedded), run)
    facts = inspected.facts
    if inspected.page is None:
        strange = "recipe" in facts and not facts["recipe"]
        say(run, facts, *lines(facts), *(["It has no recipe: regrow did not make it."] if strange else []))
        return
    check_savable(first)
    (path,) = free_paths(first, 1)
    save(path, inspected.page)
    say(run, facts | {"page": path}, *lines(facts), f"wrote {path}")
