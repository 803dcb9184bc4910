"""The request of `regrow serve`, as a frozen dataclass that imports nothing heavy."""

from dataclasses import dataclass
from pathlib import Path

from regrow.messages.message import say
from regrow.requests.ranges import check_types


@dataclass(frozen=True)
class Serve:
    """Open the page in a browser; its HTTP API is described at /docs.

    Attributes:
        host: address to listen on. Any other than this computer's own needs a password in $REGROW_PASSWORD.
        port: port; 0 = the first free one from 7860 on.
        browser: open the page in the browser.
        mcp: also offer the verbs as tools to assistants, at /mcp. Model Context Protocol. Assistants on this computer
            may name your files by their paths.
        devices: what computes jobs: cpu, cuda:0, or cuda for all GPUs. With --ray either cpu or cuda, which gives each
            worker a GPU of its own.
        workers: number of jobs at the same time; 0 = one for each device. Each worker is a process with its own model
            in memory; workers take the devices in turn. A single worker takes no process of its own. With --ray, 0
            means as many as the cluster has room for.
        ray: compute jobs on a Ray cluster: HOST:6379, auto, or local. auto is the cluster that this machine belongs to;
            local starts one here, which ends with the server. $REGROW_HOME must be on storage that all machines of the
            cluster share. Each worker takes one core, or as many as $OMP_NUM_THREADS says.
        together: largest batch of waiting jobs, in results; 0 = by device. Jobs of one batch differ only in prompt,
            seed and file. 1 = no batches. With a password, 0 means 8 on a graphics card and with OpenVINO. Without
            one, and where torch computes on the CPU, it means no batches.
        limits: a TOML file with the limits of each user. The page "The web page" describes it. If not given, the limits
            are generous without a password, and lower with one.
        certificate: a certificate file (PEM) with which the connection is encrypted.
        key: the private key of the certificate, if it is in a file of its own.
    """

    host: str = "127.0.0.1"
    port: int = 0
    browser: bool = True
    mcp: bool = False
    devices: tuple[str, ...] = ("cpu",)
    workers: int = 0
    ray: str = ""
    together: int = 0
    limits: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def __post_init__(self) -> None:
        check_types(type(self), vars(self))
        if not 0 <= self.port <= 65_535:
            raise ValueError(say("port_out_of_range", port=self.port))
