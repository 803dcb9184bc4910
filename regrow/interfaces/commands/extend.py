"""`regrow extend`."""

from pathlib import Path
from typing import Annotated

import tyro

from regrow.interfaces.commands import Command
from regrow.interfaces.run import MakingOptions
from regrow.requests.extend import Extend


def extend(request: Annotated[Extend, tyro.conf.arg(name="")], run: MakingOptions, out: Path | None = None) -> None:
    """Let a sound go on after its end, or begin before its beginning, and keep every sample of it.

    Args:
        out: the file to write (wav, flac or ogg); named after the sound if not given.
    """
    from regrow.editing.extend import extend as operation
    from regrow.interfaces.lyrics import with_lyrics
    from regrow.interfaces.reporting import engaged, replay_of, say, watched, write_results
    from regrow.media.audio.medium import MEDIUM as SOUND
    from regrow.media.files import readable
    from regrow.media.output import default_output

    request = with_lyrics(request)
    readable(request.sound)
    first = out or default_output(f"{request.sound.stem}-extended", SOUND.ending)
    SOUND.check_savable(first)
    longer = watched(operation(request, engaged(request.model, run)), run)
    assert longer.rate
    paths, notes = write_results(longer, first, SOUND, run.keep_paths and request)
    figures = longer.recipes[0]["figures"]
    begin, end = (sample / longer.rate for sample in longer.known)
    say(
        run,
        {"files": paths, "known": [begin, end], "notes": notes, "recipes": longer.recipes},
        *notes,
        *(
            f"wrote {path}: {wave.shape[-1] / longer.rate:.2f} s, from {begin:.2f} to {end:.2f} s "
            + ("the file itself" if path.suffix == ".wav" else f"the file, as {path.suffix} holds it")
            for path, wave in zip(paths, longer.items, strict=True)
        ),
        f"{figures['evaluations']} evaluations, {figures['seconds']} s; again with: {replay_of(paths[0])}",
    )


COMMAND = Command("extend", 30, extend)
