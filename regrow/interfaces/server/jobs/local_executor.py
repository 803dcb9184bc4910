"""An executor in this process, used by a server with one worker and by each worker process."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache, partial
from importlib.util import find_spec
from typing import TYPE_CHECKING

from regrow.interfaces.server.jobs.cancelling import Cancelled, Stop
from regrow.interfaces.server.jobs.executor import Outcome
from regrow.interfaces.server.jobs.job import Job, Work
from regrow.interfaces.server.jobs.models import OpenModel
from regrow.interfaces.server.jobs.previews import Previews
from regrow.messages.message import say, sentence_of

if TYPE_CHECKING:
    from regrow.models.model import Model


LAST_STEP = 5.0
"""Most seconds that an ending process waits for the function at work in its jobs."""
TOGETHER = 8
"""Most results of a batch by default."""


@lru_cache(256)
def batch_of(model: str, device: str, together: int) -> int:
    """Return the largest number of results of a model in one batch; 1 if it is not batched.

    Sounds are computed alone. Pictures are batched by default on a GPU, and on the CPU with OpenVINO, whose results do
    not depend on the batch. With torch on the CPU they are batched only on request.

    Args:
        model: its name.
        device: that it is opened on.
        together: requested number of results; 0 for the default.
    """
    from regrow.models.open import list_models
    from regrow.models.registry import family_named, split_name

    listed = next((one for one in list_models() if one.name == split_name(model)[1]), None)
    if listed is None or listed.family is None or not listed.medium.sized:
        return 1
    same = device != "cpu" or (find_spec("openvino") and family_named(listed.family).kind.engine_graph)
    return together or (TOGETHER if same else 1)


class LocalExecutor:
    """Computes jobs in the calling thread.

    Args:
        works: returns the implementation of each verb; called by `start`, as it may import torch.
        device: torch's name of the device for models.
        together: most results of one batch; 1 for no batches, 0 for the default of `batch_of`.
    """

    def __init__(self, works: Callable[[], Mapping[str, Work]], device: str = "cpu", together: int = 0) -> None:
        self._device, self._together = device, together
        self._list_works, self._works = works, dict[str, Work]()
        self._open_model = OpenModel(device)
        self._stop = Stop()

    def start(self, first: str) -> None:
        """Import the modules that jobs need, and open a model; see `executor`."""
        if self._works:
            return
        self._works = dict(self._list_works())
        if first:
            with suppress(ValueError, OSError):
                self._open_model(first)

    def together(self, job: Job) -> int:
        """Return how many results a batch with this job may have."""
        return batch_of(str(job.settings.get("model") or ""), self._device, self._together)

    def run(self, jobs: Sequence[Job], tell: Callable[[Job], None]) -> list[Outcome]:
        """Compute jobs, several of them in one batch; see `executor`."""
        if len(jobs) == 1 or not self._pays(jobs[0]):
            return [self._outcome(job, tell, self._open_model) for job in jobs]
        from regrow.models.engines.gathering import Gathering, gathered_by

        gathering = Gathering(partial(self._stop.reaching, *(job.id for job in jobs)))

        def opened(name: str) -> "Model":
            return gathered_by(self._open_model(name), gathering)

        for job in jobs:
            job.facts["together"] = len(jobs)
        return gathering.run([partial(self._outcome, job, tell, opened) for job in jobs])

    def drop(self, job_id: str) -> None:
        """Stop a job before its next torch function."""
        self._stop.drop(job_id)

    def end(self) -> None:
        """Halt its jobs, as the process itself is about to end."""
        self._stop.end(LAST_STEP)

    def _pays(self, job: Job) -> bool:
        """Whether the opened model of a job can be batched, as `batch_of` assumed before it was opened."""
        try:
            model = self._open_model(job.settings["model"])
        except (ValueError, OSError, KeyError):  # the job itself reports it
            return False
        return not model.one_by_one and (self._together > 1 or model.engine is not None or model.device.type != "cpu")

    def _outcome(self, job: Job, tell: Callable[[Job], None], opened: Callable[[str], "Model"]) -> Outcome:
        try:
            with self._stop.reaching(job.id):
                self._do(job, tell, opened)
        except Cancelled:
            return Outcome("cancelled")
        except (ValueError, OSError) as problem:
            return Outcome("failed", sentence_of(problem))
        except Exception as problem:  # any other error; the next job must not wait forever
            return Outcome("failed", say("fault_in_regrow", kind=type(problem).__name__, problem=str(problem)))
        finally:
            self._stop.forget(job.id)
        return Outcome("done")

    def _do(self, job: Job, tell: Callable[[Job], None], opened: Callable[[str], "Model"]) -> None:
        steps = self._works[job.verb](job, opened)
        previews = Previews()
        try:
            for at in steps:
                previews.draw(job, at)
                job.progress = (at.part, at.index, at.steps)
                tell(job)
                self._stop.check(job.id)
        finally:
            steps.close()
