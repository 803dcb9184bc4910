"""Save pictures beside results; if a file is edited repeatedly, its pictures are encoded only once."""

import hashlib
import shutil
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from regrow.interfaces.server.jobs.job import Job

KEPT = 16
"""Number of files whose pictures are cached; the least recently used is dropped."""
_files: OrderedDict[str, Path] = OrderedDict()


def lay_beside(job: Job, what: str, picture: Float[Tensor, "3 h w"]) -> None:
    """Save a picture that is shown with a job's results; if an earlier job has the same picture, copy its file.

    Args:
        job: the job.
        what: kind of the picture, such as "original".
        picture: in [-1, 1].
    """
    key = hashlib.blake2b(picture.cpu().contiguous().numpy().tobytes(), digest_size=16).hexdigest()
    key, file = f"{key} {tuple(picture.shape)}", job.folder / f"beside/{what}.png"
    file.parent.mkdir(exist_ok=True)
    with suppress(OSError, KeyError):  # the earlier file was deleted
        shutil.copyfile(_files[key], file)
        job.beside[what] = f"beside/{what}.png"
        _files.move_to_end(key)
        return
    job.lay_beside(what, picture)
    _files[key] = file
    while len(_files) > KEPT:
        _files.popitem(last=False)
