"""Read jobs from their records on disk: unfinished jobs of a killed server, and older jobs."""

from collections.abc import Iterator

from regrow.interfaces.server.history.record import read_job
from regrow.interfaces.server.jobs.job import Job
from regrow.interfaces.server.places import made


def job_on_disk(job_id: str) -> Job | None:
    """Return a job from its record; None if there is none, or it is damaged and thus set aside."""
    record = read_job(job_id)
    return Job.of(record) if record else None


def newest() -> Iterator[Job]:
    """Yield all jobs on disk, the newest first."""
    for folder in sorted(made().glob("*"), reverse=True):
        job = job_on_disk(folder.name)
        if job is not None:
            yield job


def unfinished(before: str) -> list[Job]:
    """Return the unfinished jobs of earlier servers, the oldest first.

    Args:
        before: only jobs with smaller ids are returned; later ones belong to this server.
    """
    folders = sorted(folder.name for folder in made().glob("*") if folder.name < before)
    return [job for name in folders if (job := job_on_disk(name)) and not job.over]
