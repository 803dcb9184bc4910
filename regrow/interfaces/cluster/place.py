"""Check that a machine of the cluster can work for the driver: it needs the same regrow and the driver's folder."""

import os
import socket
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from regrow import __version__
from regrow.interfaces.cluster.connect import ClusterError
from regrow.messages.message import say


@dataclass(frozen=True)
class Place:
    """Facts about the driver's machine that an actor needs.

    Attributes:
        called_in: the driver's working directory.
        folder: that the driver and its actors write into.
        mark: content of a file in this folder, by which a machine recognises the folder.
        home: that actors use as `$REGROW_HOME`; None leaves each machine its own.
        version: of regrow.
    """

    called_in: Path
    folder: Path
    mark: str
    home: Path | None
    version: str

    @classmethod
    def of_driver(cls, folder: Path, home: Path | None) -> Self:
        """Return the facts about this machine; write the mark into the folder if there is none.

        Args:
            folder: that the driver and its actors write into; absolute.
            home: for the actors; absolute.

        Raises:
            OSError: the folder cannot be written.
        """
        with suppress(FileExistsError), (folder / ".shared").open("x", encoding="ascii") as file:
            file.write(uuid.uuid4().hex)
        return cls(Path.cwd(), folder, _mark(folder), home, __version__)

    def enter(self, threads: int) -> None:
        """Set this process up to work for the driver: home, threads and working directory.

        Args:
            threads: CPU threads of torch, if it is not imported yet.

        Raises:
            ClusterError: this machine cannot work for the driver.
        """
        machine = socket.gethostname()
        if __version__ != self.version:
            raise ClusterError(say("machine_has_other_version", machine=machine, here=__version__, driver=self.version))
        if _mark(self.folder) != self.mark:
            raise ClusterError(say("machine_lacks_folder", machine=machine, folder=self.folder))
        if self.home:
            os.environ["REGROW_HOME"] = str(self.home)
        # torch reads this on import; Ray sets it from num_cpus only if it is not set
        os.environ["OMP_NUM_THREADS"] = str(threads)
        with suppress(OSError):  # then a model with a relative path is not found, and its job reports it
            os.chdir(self.called_in)


def _mark(folder: Path) -> str:
    try:
        return (folder / ".shared").read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""
