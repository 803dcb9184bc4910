"""`regrow train`: its signature; `interfaces.train_verb` does it."""

from typing import Annotated

import tyro

from regrow.interfaces.commands import Command
from regrow.interfaces.run import ReportOptions
from regrow.requests.train import Train


def train(request: Annotated[Train, tyro.conf.arg(name="")], run: ReportOptions) -> None:
    """Train a model on a folder of pictures or sounds, or on a world drawn or played by rule.

    Killed at any moment, the same command goes on.
    """
    from regrow.interfaces import train_verb

    train_verb.train(request, run)


COMMAND = Command("train", 70, train)
