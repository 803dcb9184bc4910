"""Connect to a Ray cluster."""

import logging
import os
import shutil
import socket
import warnings
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from regrow.media.files import reason
from regrow.messages.message import say

ANSWER = 10.0
"""Seconds to wait for the cluster's head node; Ray itself waits for more than two minutes."""
PATIENCE = 30.0
"""Seconds without a running worker after which the user is warned that the cluster is full."""
MOST_STARTS = 3
"""Most actors in a row that may end before they begin."""
OBJECTS = 128 * 2**20
"""Bytes of the object store of a cluster started here; jobs and records are small."""
SHARED_MEMORY = Path("/dev/shm")


class ClusterError(ValueError):
    """A cluster cannot be used; the message is a sentence for users."""


@dataclass(frozen=True)
class Cluster:
    """A cluster that this process is connected to.

    Attributes:
        ray: the library.
        address: as given by the user.
        cores: CPU cores per worker, and its number of threads.
        gpus: GPUs per worker.
    """

    ray: ModuleType
    address: str
    cores: int
    gpus: int

    @property
    def room(self) -> int:
        """The number of workers for which its machines have room when idle; at least one, as machines may join."""
        return max(1, sum(self._rooms().values()))

    def machines(self) -> set[str]:
        """Return Ray's ids of the machines that are large enough for a worker."""
        return {node for node, room in self._rooms().items() if room}

    def leave(self) -> None:
        """Disconnect from the cluster; one that was started here ends."""
        self.ray.shutdown()

    def _rooms(self) -> dict[str, int]:
        """Return the number of workers for which each machine has room when idle, by Ray's ids."""
        alive = {node["NodeID"]: node["Resources"] for node in self.ray.nodes() if node["Alive"]}
        return {
            node: int(min(has.get("CPU", 0) // self.cores, has.get("GPU", 0) if self.gpus else self.cores * 1e9))
            for node, has in alive.items()
        }


def connect(address: str, cores: int, gpu: bool) -> Cluster:
    """Return the cluster at an address.

    Args:
        address: HOST:PORT, auto or local, as for `ray.init`.
        cores: CPU cores per worker; at least one.
        gpu: whether each worker takes a GPU.

    Raises:
        ClusterError: Ray is not installed, the cluster does not answer, or it has no GPU although `gpu` is set.
    """
    ray = _library()
    _init(ray, address)
    cluster = Cluster(ray, address, cores, int(gpu))
    gpus = int(sum(node["Resources"].get("GPU", 0) for node in ray.nodes() if node["Alive"]))
    if gpu and not gpus:
        ray.shutdown()
        raise ClusterError(say("cluster_without_gpus", address=address))
    if gpus and not gpu:
        warnings.warn(say("cluster_gpus_idle", count=gpus), stacklevel=2)
    return cluster


def last_line(problem: Exception) -> str:
    """Return the last line of Ray's error about an ended actor, which names the cause."""
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    return lines[-1][:300].rstrip(".") if lines else type(problem).__name__


def _library() -> ModuleType:
    """Return Ray.

    Raises:
        ClusterError: it is not installed, or does not work here.
    """
    # Ray reads this on import; a user who wants to send statistics has set it
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # likewise; a thread that calls Ray after `leave` must not start another cluster
    os.environ.setdefault("RAY_ENABLE_AUTO_CONNECT", "0")
    try:
        import ray  # pyright: ignore[reportMissingImports] (an extra)
    except ModuleNotFoundError as problem:
        raise ClusterError(say("ray_missing")) from problem
    except (ImportError, OSError) as problem:
        raise ClusterError(say("ray_unusable", reason=reason(problem))) from problem
    return ray


def _init(ray: ModuleType, address: str) -> None:
    """Connect this process.

    Raises:
        ClusterError: nothing answers there, or it is not an address.
    """
    host, colon, port = address.rpartition(":")
    if colon and port.isdecimal() and "/" not in host:
        try:
            socket.create_connection((host, int(port)), ANSWER).close()
        except (OSError, OverflowError) as problem:
            raise ClusterError(say("cluster_silent", address=address, reason=reason(problem))) from problem
    own = {"object_store_memory": OBJECTS, "include_dashboard": False} if address == "local" else {}
    if own:  # the priority of worker processes without Ray; Ray's default is 15
        os.environ.setdefault("RAY_worker_niceness", "0")
    if own and SHARED_MEMORY.is_dir() and (free := shutil.disk_usage(SHARED_MEMORY).free) < OBJECTS:
        warnings.warn(say("shared_memory_small", free=free // 2**20), stacklevel=3)
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **own)
    except Exception as problem:  # of many types: no cluster, another version of Ray or Python, another token
        raise ClusterError(say("cluster_silent", address=address, reason=_first_line(problem))) from problem


def _first_line(problem: Exception) -> str:
    """Return the first line of an error of Ray, which may be a page long."""
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    return (lines or [type(problem).__name__])[0][:300].rstrip(".")
