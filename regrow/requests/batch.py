"""The request of `regrow batch`, as a frozen dataclass that imports nothing heavy."""

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from regrow.messages.message import say
from regrow.requests.ranges import check_types

MOST_HERE, MOST_ON_CLUSTER = 256, 4096
"""Workers of one driver."""


@dataclass(frozen=True)
class Batch:
    """Run many jobs, one per line of a file; a stopped run can be continued.

    Attributes:
        jobs: a file with one JSON object per line. For example {"verb": "edit", "image": "cat.png", "target": ["make it
            a dog"]}. Fields are those of `regrow VERB`, with _ for -; files are named from the folder of this file.
            Verbs are edit, generate, extend and interpolate.
        out: the folder for results and for the state of each job, KEY.json. KEY is a hash of the job's settings and of
            its files' content. Several drivers, on several machines, may share the folder.
        workers: number of processes; 0 = as many as there is room for. Each has its own model in memory. Room is one
            for each --threads cores of this machine or of the cluster, and with --device cuda on a cluster one for each
            GPU.
        ray: address of a Ray cluster for the workers: HOST:6379, auto, or local. auto is the cluster that this machine
            belongs to; local starts one here, which ends with the command. --out and the files that jobs name must be
            on storage that all machines of the cluster share.
        set: settings for all jobs that lack them, such as steps=20 model=bandstand.
    """

    jobs: Positional[Path]
    out: Path
    workers: int = 1
    ray: str = ""
    set: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_types(type(self), vars(self))
        most = MOST_ON_CLUSTER if self.ray else MOST_HERE
        if not 0 <= self.workers <= most:
            raise ValueError(say("workers_out_of_range", workers=self.workers, most=most))
        if wrong := [one for one in self.set if not one.partition("=")[0].isidentifier() or "=" not in one]:
            raise ValueError(say("set_malformed", given=wrong[0][:60]))
