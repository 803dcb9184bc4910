"""Invert: invert a file to noise, and measure the error."""

from collections.abc import Generator

from regrow.editing.invert import invert as operation
from regrow.editing.trajectories import save_trajectory
from regrow.interfaces.server.jobs.job import At, Job
from regrow.interfaces.server.jobs.previews import steps_of
from regrow.interfaces.server.verbs.making import Open, summary_of
from regrow.interfaces.server.verbs.requests import request_of
from regrow.requests.invert import Invert

PATH = "path.safetensors"
"""The file of the path, in `beside/`; an edit can take JOB/beside/path.safetensors as its trajectory."""


def invert(job: Job, opened: Open) -> Generator[At, None, None]:
    """Save the inverted path as a file, and its noise as a picture."""
    request = request_of("invert", Invert, job.settings)
    model = opened(request.model)
    inverted = yield from steps_of(operation(request, model), model)
    (job.folder / "beside").mkdir(exist_ok=True)
    save_trajectory(job.folder / "beside" / PATH, inverted.trajectory, inverted.made_of)
    job.beside["path"] = f"beside/{PATH}"
    noise = model.decode(inverted.trajectory.states[-1])
    job.lay_beside("noise", model.medium.pictures(noise, model)[0])
    job.tell(inverted.notes)
    stuck = [step for step in inverted.trajectory.convergence if not step.converged]
    job.facts |= {
        "file": f"{job.id}/beside/{PATH}",
        "round_trip": inverted.round_trip,
        "latent_accuracy": inverted.latent_accuracy,
        "unconverged": len(stuck),
        "figures": {"evaluations": inverted.evaluations, "seconds": inverted.seconds},
    }
    job.summary = summary_of(job.facts["figures"])


WORK = invert
