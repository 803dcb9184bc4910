"""`regrow verify`."""

import sys
from collections.abc import Iterable
from typing import Any

from tyro.conf import Positional

from regrow.interfaces.commands import Command
from regrow.interfaces.run import OpeningOptions


def verify(run: OpeningOptions, model: Positional[str] = "") -> None:
    """Check the maths against exact solutions, or check a model.

    Args:
        model: a name, a folder, a weight file, or a hub id. A hub id is `user/repo`; `regrow models` lists the names.
    """
    from regrow.interfaces.reporting import opened, set_threads
    from regrow.verification import formulas, report
    from regrow.verification.model import verify_model

    set_threads(run)
    checks: Iterable[Any] = verify_model(opened(model, run)) if model else formulas.verify()
    if not report.run(checks, run.json, sys.stdout):
        sys.exit(1)


COMMAND = Command("verify", 80, verify)
