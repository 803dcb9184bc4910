"""`make demo`: edit two pictures and a sound, compare with img2img, and change a word of a song."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from regrow.core.progress import finish
from regrow.editing.compare import compare
from regrow.editing.edit import edit
from regrow.editing.generate import generate
from regrow.media.image.picture import save
from regrow.media.image.sheet import sheet
from regrow.models.open import open_model
from regrow.requests.edit import Edit
from regrow.requests.generate import Generate

Say = Callable[[str], None]
SOURCE, TARGET = "an orange cat on a beach", "an orange puppy on a beach"
EXAMPLES = Path(__file__).parents[2] / "examples"
LINE, OTHER = "twinkle twinkle little star", "twinkle twinkle little car"
TUNE = "C4 C4 G4 G4 A4 A4 G4:2"
PIANO, VIOLIN, MARIMBA = "a slow sad piano melody", "a slow sad violin melody", "a fast happy marimba arpeggio"


def main(out: Path = Path("out")) -> None:
    """Write pictures, sounds and sheets to `out`, and print what was done."""
    started = last = time.monotonic()

    def say(what: str) -> None:
        nonlocal last
        now = time.monotonic()
        print(f"{now - last:5.1f} s  {what}", flush=True)
        last = now

    out.mkdir(exist_ok=True)
    grow(Generate(SOURCE, seed=28), out / "generated.png", say)
    files = {"generated": out / "generated.png", "shipped": EXAMPLES / "cat.png"}
    cats = {name: Edit(file, (TARGET,), SOURCE, cache=False) for name, file in files.items()}
    change(cats, "puppy", out / "comparison.png", "A cat becomes a puppy; the beach stays", say)
    grow(Generate(MARIMBA, model="bandstand", steps=20, seed=1), out / "marimba.wav", say)
    piano = {"piano": Edit(EXAMPLES / "piano.flac", (VIOLIN,), PIANO, "bandstand", steps=20, cache=False)}
    change(piano, "violin", out / "sounds.png", "A piano becomes a violin: low below, late to the right", say)
    sing(out, say)
    print(f"{time.monotonic() - started:5.1f} s  in all; the files are in {out.resolve()}")
    print("\nTry next:  .venv/bin/regrow edit examples/cat.png \\")
    print(f'             --source "{SOURCE}" --target "an orange fox on a beach" --sheet out/fox-sheet.png')
    print("           .venv/bin/regrow edit examples/piano.flac \\")
    print(f'             --source "{PIANO}" --target "a slow sad flute melody" --sheet out/flute-sheet.png')
    print('           .venv/bin/regrow sing "how I wonder what you are" --tune "F4 F4 E4 E4 D4 D4 C4:2"')


def sing(out: Path, say: Say) -> None:
    """Sing a line, and change a word of it."""
    request = Generate("", model="songbook", lyrics=LINE, tune=TUNE)
    model, song = open_model(request.model), out / "song.flac"
    made = finish(generate(request, model))
    model.medium.save(song, made.items[0], made.recipes[0], made.rate)
    say(f'sang "{LINE}" -> {song}')
    changed = finish(edit(Edit(song, model="songbook", to_lyrics=OTHER, cache=False), model))
    model.medium.save(out / "song-edited.flac", changed.items[0], changed.recipes[0], changed.rate)
    say(f'changed it to "{OTHER}", all else sample for sample -> {out / "song-edited.flac"}')


def grow(request: Generate, path: Path, say: Say) -> None:
    """Generate a picture or a sound."""
    model = open_model(request.model)
    made = finish(generate(request, model))
    model.medium.save(path, made.items[0], made.recipes[0], made.rate)
    say(f'opened {model.name} ({model.family}), generated "{request.prompt}" -> {path}')


def change(requests: Mapping[str, Edit], into: str, page: Path, title: str, say: Say) -> None:
    """Edit files, write each result beside its reconstruction and img2img, and all of them on a sheet."""
    rows = []
    for name, request in requests.items():
        model = open_model(request.model)
        medium, compared = model.medium, finish(compare(request, model))
        counted = compared.edited.recipes[0]["figures"]["evaluations"]
        say(
            f'{request.image}: inverted ({counted["inversion"]} evaluations), grown back as "{request.target[0]}" '
            f"({counted['regrowth']}), reconstructed, and img2img at the same strength"
        )
        parts = {into: compared.edited, "reconstructed": compared.reconstructed, "img2img": compared.img2img}
        for part, result in parts.items():
            path = page.with_name(f"{name}-{part}{medium.ending}")
            medium.save(path, result.items[0], result.recipes[0], result.rate)
            apart = medium.distance_text(result.recipes[0]["figures"]["to_source"])
            print(f"         {path.name}: {apart} to the source")
        rows += compared.rows
        save(page, sheet(rows, medium.layout.cell, title))
    say(f"comparison sheet -> {page}")


if __name__ == "__main__":
    main()
