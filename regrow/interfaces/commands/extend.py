"""`regrow extend`."""

from pathlib import Path
from typing import Annotated

import tyro

from regrow.interfaces.commands import Command
from regrow.interfaces.run import MakingOptions
from regrow.messages.message import say
from regrow.requests.extend import Extend


def extend(request: Annotated[Extend, tyro.conf.arg(name="")], run: MakingOptions, out: Path | None = None) -> None:
    """Continue a sound after its end or before its beginning.

    Args:
        out: the file to write (wav, flac, ogg); if not given, named after the sound.
    """
    from regrow.editing.extend import extend as operation
    from regrow.interfaces.lyrics import with_lyrics
    from regrow.interfaces.reporting import engaged, for_song, replay_of, report, watched, write_results
    from regrow.media.audio.medium import MEDIUM as SOUND
    from regrow.media.files import readable
    from regrow.media.output import default_output

    request = with_lyrics(request)
    readable(request.sound)
    request = for_song(request, request.sound)
    first = out or default_output(f"{request.sound.stem}-extended", SOUND.ending)
    SOUND.check_savable(first)
    longer = watched(operation(request, engaged(request.model, run)), run)
    assert longer.rate
    paths, notes = write_results(longer, first, SOUND, run.keep_paths and request)
    figures = longer.recipes[0]["figures"]

    def what(path: Path) -> str:
        if "accompaniment" in figures:
            return say("file_voice")
        return say("file_exactly") if path.suffix == ".wav" else say("file_as_held", suffix=path.suffix)

    begin, end = (sample / longer.rate for sample in longer.known)
    report(
        run,
        {"files": paths, "known": [begin, end], "notes": notes, "recipes": longer.recipes},
        *notes,
        *(
            say(
                "wrote_extension",
                path=path,
                seconds=wave.shape[-1] / longer.rate,
                begin=begin,
                end=end,
                what=what(path),
            )
            for path, wave in zip(paths, longer.items, strict=True)
        ),
        say("making_cost", evaluations=figures["evaluations"], seconds=figures["seconds"], again=replay_of(paths[0])),
    )


COMMAND = Command("extend", 30, extend)
