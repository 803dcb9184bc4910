"""`regrow sing`."""

from pathlib import Path

from tyro.conf import Positional

from regrow.core.names import SolverName
from regrow.interfaces.commands import Command
from regrow.interfaces.run import MakingOptions
from regrow.requests.generate import Generate


def sing(
    lyrics: Positional[str],
    run: MakingOptions,
    style: str = "",
    model: str = "",
    out: Path | None = None,
    language: str = "",
    bpm: int = 0,
    key: str = "",
    time_signature: str = "",
    duration: float | None = None,
    reference_sound: Path | None = None,
    melody: Path | None = None,
    negative: str = "",
    steps: int | None = None,
    guidance: float | None = None,
    guidance_share: float = 1.0,
    solver: SolverName | None = None,
    seed: int = 0,
    count: int = 1,
) -> None:
    """Sing given lyrics, with a model that can.

    Args:
        lyrics: the text, with [verse] and [chorus] on lines of their own where the parts begin, or a text file.
        style: what it sounds like: "warm pop ballad, female voice".
        model: name of an installed model, a folder, or a hub id; if not given, the first one here that sings.
        out: the file to write (wav, flac or ogg); named after the style if not given.
        language: of the lyrics, a code such as en or zh; if not given, that of their script, or en.
        bpm: beats a minute; 0 leaves it to the model.
        key: such as "A minor"; if not given, the model's choice.
        time_signature: such as 4/4 or 3/4; if not given, the model's choice.
        duration: in seconds; the model's own if not given.
        reference_sound: a sound file whose timbre and style the song shall have.
        melody: a sound file that the song is a cover of, as long as it is.
        negative: what is not heard, of models that are guided.
        steps: levels walked from noise; if not given, the model's own.
        guidance: how much the words are exaggerated, 1 = off; if not given, the model's own.
        guidance_share: of the steps in which guidance is on, the first ones, 0 to 1.
        solver: ddim, heun, dpmpp_2m or ping_pong; if not given, the model's own.
        seed: of the first result; result i has seed + i.
        count: how many.
    """
    from regrow.interfaces.commands.generate import generate
    from regrow.interfaces.lyrics import lyrics_of
    from regrow.interfaces.reporting import slug
    from regrow.interfaces.singers import singer
    from regrow.media.output import default_output

    text = lyrics_of(lyrics)
    if not text:
        raise ValueError("there are no lyrics: give the text, or a text file that holds it.")
    request = Generate(
        style, negative=negative, model=singer(model), steps=steps, guidance=guidance, guidance_share=guidance_share,
        seed=seed, count=count, solver=solver, duration=duration, melody=melody,
        reference_sound=reference_sound, lyrics=text, language=language, bpm=bpm, key=key,
        time_signature=time_signature,
    )  # fmt: skip
    generate(request, run, out or default_output(slug(style or "song"), ".wav"))


COMMAND = Command("sing", 15, sing)
