"""A worker of a batch: runs jobs one after the other, with one model in memory."""

import os
import shutil
import time
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regrow.interfaces.batch.attempts import beating, begin, withdraw
from regrow.interfaces.batch.jobs import BatchJob
from regrow.interfaces.batch.records import Record, read_record
from regrow.messages.message import say, sentence_of

if TYPE_CHECKING:
    from regrow.interfaces.run import Making
    from regrow.models.model import Model


class Worker:
    """Runs jobs in this process.

    Args:
        out: the folder for results.
        run: how models are opened and computed.
    """

    def __init__(self, out: Path, run: "Making") -> None:
        self.out, self.run = out, run
        self._model: tuple[str, Model] | None = None

    def do(self, job: BatchJob) -> Record | None:
        """Run a job and write its record.

        Returns:
            The record; None if another process runs the job, or it has ended too many processes.

        Raises:
            MediaError: the record cannot be written.
        """
        number = begin(self.out, job.key)
        if number is None:
            return None
        if record := read_record(self.out, job.key):  # a worker of another driver has done it in the meantime
            withdraw(self.out, job.key, number)
            return record
        began = time.monotonic()
        with beating(self.out, job.key, number):
            try:
                record = self._made(job, began)
            except Exception as problem:
                record = Record("failed", job.verb, given(job), reason=_reason(problem), seconds=_since(began))
            except BaseException:  # stopped from outside, which is not the job's fault
                withdraw(self.out, job.key, number)
                raise
            record.write(self.out, job.key)
        withdraw(self.out, job.key, number)
        return record

    def _made(self, job: BatchJob, began: float) -> Record:
        from regrow.core.progress import finish
        from regrow.editing.replay import operation_named
        from regrow.interfaces.reporting import slug, write_results

        model = self._opened(job.request.model)
        result = finish(operation_named(job.verb).run(job.request, model))
        aside = self.out / f".part-{job.key}-{os.getpid()}"
        aside.mkdir(parents=True, exist_ok=True)
        try:
            first = aside / f"{slug(job.words)[:40]}-{job.key[:8]}{model.medium.ending}"
            paths, notes = write_results(result, first, model.medium, self.run.keep_paths and job.request)
            for path in paths:
                os.replace(path, self.out / path.name)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        counted = result.recipes[0]["figures"]["evaluations"]
        calls = sum(counted.values()) if isinstance(counted, dict) else counted
        names = tuple(path.name for path in paths)
        return Record("done", job.verb, given(job), names, tuple(notes), "", _since(began), calls)

    def _opened(self, name: str) -> "Model":
        from regrow.interfaces.reporting import engaged

        if self._model is None or self._model[0] != name:
            self._model = None  # frees memory first: two large models may not fit
            self._model = (name, engaged(name, self.run))
        return self._model[1]


def given(job: BatchJob) -> dict[str, Any]:
    """Return the settings of a job that differ from the verb's defaults."""
    known = {field.name: field.default for field in fields(job.request)}
    return {name: value for name, value in vars(job.request).items() if name in known and value != known[name]}


def _reason(problem: Exception) -> str:
    """Return the sentence of an error in the job, or for a fault in regrow one that names it."""
    if isinstance(problem, ValueError | OSError):
        return sentence_of(problem)
    return say("fault_in_regrow", kind=type(problem).__name__, problem=problem)


def _since(began: float) -> float:
    return round(time.monotonic() - began, 2)
