"""`regrow train`: its signature; the work is done in `interfaces.train_verb`."""

from typing import Annotated

import tyro

from regrow.interfaces.commands import Command
from regrow.interfaces.run import ReportOptions
from regrow.requests.train import Train


def train(request: Annotated[Train, tyro.conf.arg(name="")], run: ReportOptions) -> None:
    """Train a model on captioned pictures or sounds; a stopped run can be continued."""
    from regrow.interfaces import train_verb

    train_verb.train(request, run)


COMMAND = Command("train", 70, train)
