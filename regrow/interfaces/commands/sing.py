"""`regrow sing`."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import tyro

from regrow.interfaces.commands import Command
from regrow.interfaces.run import MakingOptions
from regrow.requests.sing import Sing


def sing(request: Annotated[Sing, tyro.conf.arg(name="")], run: MakingOptions, out: Path | None = None) -> None:
    """Sing lyrics on given notes, or in a style with a large model.

    Args:
        out: the file to write (wav, flac, ogg); if not given, named after the style.
    """
    from regrow.interfaces.commands.generate import generate
    from regrow.interfaces.lyrics import lyrics_of
    from regrow.interfaces.reporting import slug
    from regrow.interfaces.singers import named_singer
    from regrow.media.output import default_output

    request = replace(request, lyrics=lyrics_of(request.lyrics))
    made = request.as_generate(named_singer(request.model, request.has_notes, request.has_style))
    generate(made, run, out or default_output(slug(made.prompt or " ".join(made.lyrics.split()[:4])), ".wav"))


COMMAND = Command("sing", 15, sing)
