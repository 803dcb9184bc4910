"""Make the executors of a server from the options of `regrow serve`."""

import os
import re
import signal
from collections.abc import Callable, Mapping, Sequence

from regrow.interfaces.cluster.connect import connect
from regrow.interfaces.cluster.place import Place
from regrow.interfaces.server.jobs.executor import Executor
from regrow.interfaces.server.jobs.job import Work
from regrow.interfaces.server.jobs.local_executor import LocalExecutor
from regrow.interfaces.server.jobs.process_executor import ProcessExecutor
from regrow.interfaces.server.jobs.ray_executor import Crew, RayExecutor
from regrow.interfaces.server.places import page
from regrow.media.home import home
from regrow.messages.message import say

MOST = 64
"""Most workers of a server on its own machine, and most results of a batch."""
MOST_ON_CLUSTER = 1024
"""Most workers of a server on a cluster; each needs a thread of the server."""


def executors(
    works: Callable[[], Mapping[str, Work]], devices: Sequence[str], workers: int, together: int = 0, ray: str = ""
) -> Sequence[Executor]:
    """Return one executor per worker.

    A single worker runs in this process; each of several has its own process and model, here or on a cluster.

    Args:
        works: returns the implementation of each verb.
        devices: torch's names of devices, assigned to workers in turn; `cuda` means all GPUs of that kind.
        workers: number of workers; 0 for one per device, or on a cluster for as many as it has room for.
        together: most results of one batch; 0 for the default of `LocalExecutor`.
        ray: the address of a Ray cluster; "" computes on this machine.

    Raises:
        ValueError: a device is unknown, `workers` or `together` is out of range, or the cluster does not answer.
        OSError: the server's folder cannot be written.
    """
    most = MOST_ON_CLUSTER if ray else MOST
    if not 0 <= workers <= most:
        raise ValueError(say("serve_workers_out_of_range", workers=workers, most=most))
    if not 0 <= together <= MOST:
        raise ValueError(say("serve_together_out_of_range", together=together, most=MOST))
    if ray:
        return _on_cluster(works, devices, workers, together, ray)
    named = [one for device in devices for one in _each(device)]
    count = workers or len(named)
    if count == 1:
        return [LocalExecutor(works, named[0], together)]
    threads = max(1, (os.cpu_count() or 1) // count)
    return [ProcessExecutor(works, named[i % len(named)], threads, together) for i in range(count)]


def _on_cluster(
    works: Callable[[], Mapping[str, Work]], devices: Sequence[str], workers: int, together: int, address: str
) -> list[RayExecutor]:
    """Return executors on a cluster; each takes one core, or $OMP_NUM_THREADS cores, and a GPU for cuda."""
    kinds = {device.partition(":")[0] for device in devices}
    if kinds not in ({"cpu"}, {"cuda"}):
        raise ValueError(say("serve_ray_device", devices=" ".join(devices)))
    threads, (kind,) = os.environ.get("OMP_NUM_THREADS", ""), kinds
    on_term = signal.getsignal(signal.SIGTERM)
    cluster = connect(address, max(1, int(threads)) if threads.isdecimal() else 1, kind == "cuda")
    # Ray's handler exits with a status that service managers report as a failure
    signal.signal(signal.SIGTERM, on_term)
    count = workers or min(cluster.room, MOST_ON_CLUSTER)
    try:
        place = Place.of_driver(page().absolute(), home().absolute())
    except OSError:
        cluster.leave()
        raise
    crew = Crew(cluster, place, works, kind, together, count)
    return [RayExecutor(crew) for _ in range(count)]


def _each(device: str) -> list[str]:
    """Return the devices that a name means."""
    if not re.fullmatch(r"cpu|mps|cuda(:\d{1,3})?|xpu(:\d{1,3})?", device):
        raise ValueError(say("serve_device_unknown", device=device))
    if device != "cuda":
        return [device]
    import torch

    return [f"cuda:{i}" for i in range(torch.cuda.device_count())] or [device]
