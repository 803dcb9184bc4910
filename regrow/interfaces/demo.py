"""`make demo`: the main job on a picture the model made, on one it never saw and on a sound, with img2img beside."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from regrow.core.progress import finish
from regrow.editing.compare import compare
from regrow.editing.edit_sounds import edit_sounds, mel_distance
from regrow.editing.generate import generate
from regrow.editing.generate_sounds import generate_sounds
from regrow.editing.sound_sheet import edit_row, mel_cell
from regrow.interfaces.reporting import distance_text
from regrow.media.audio.mel import to_mel, to_unit
from regrow.media.audio.sound import save as save_sound
from regrow.media.image.picture import save
from regrow.media.image.sheet import Row, sheet
from regrow.models.codecs.sound_codec import settings_of
from regrow.models.open import open_model
from regrow.requests.edit import Edit
from regrow.requests.generate import Generate

SOURCE, TARGET = "an orange cat on a beach", "an orange puppy on a beach"
EXAMPLES = Path(__file__).parents[2] / "examples"
PIANO, VIOLIN, MARIMBA = "a slow sad piano melody", "a slow sad violin melody", "a fast happy marimba arpeggio"


def main(out: Path = Path("out")) -> None:
    """Write the pictures and the sheet to `out` and say what was done."""
    started = last = time.monotonic()

    def say(what: str) -> None:
        nonlocal last
        now = time.monotonic()
        print(f"{now - last:5.1f} s  {what}", flush=True)
        last = now

    out.mkdir(exist_ok=True)
    model = open_model("storybook")
    say(f"opened the model {model.name}: {model.family}, {model.size[1]} x {model.size[0]} pixels")
    made = finish(generate(Generate(SOURCE, seed=28), model))
    save(out / "generated.png", made.pictures[0], made.recipes[0])
    say(f'generated "{SOURCE}" -> {out / "generated.png"}')
    rows = []
    for name, image in (("generated", out / "generated.png"), ("shipped", EXAMPLES / "cat.png")):
        compared = finish(compare(Edit(image, (TARGET,), SOURCE, cache=False), model))
        parts = (("puppy", compared.edited), ("reconstructed", compared.reconstructed), ("img2img", compared.img2img))
        for part, result in parts:
            save(out / f"{name}-{part}.png", result.pictures[0], result.recipes[0])
        rows.append(compared.row)
        counted = compared.edited.recipes[0]["figures"]["evaluations"]
        say(
            f'{image}: inverted ({counted["inversion"]} evaluations), grown back as "{TARGET}" '
            f"({counted['regrowth']}), reconstructed, and img2img at the same strength"
        )
        for part, result in parts:
            figures = result.recipes[0]["figures"]
            print(f"         {name}-{part}.png: {distance_text(figures['to_source'])} to the source")
    save(out / "comparison.png", sheet(rows, title="A cat becomes a puppy; the beach stays"))
    say(f"comparison sheet -> {out / 'comparison.png'}")
    sounds(out, say)
    print(f"{time.monotonic() - started:5.1f} s  in all; the files are in {out.resolve()}")
    print("\nTry next:  .venv/bin/regrow edit examples/cat.png \\")
    print(f'             --source "{SOURCE}" --target "an orange fox on a beach" --sheet out/fox-sheet.png')
    print("           .venv/bin/regrow edit examples/piano.flac \\")
    print(f'             --source "{PIANO}" --target "a slow sad flute melody" --sheet out/flute-sheet.png')


def sounds(out: Path, say: Callable[[str], None]) -> None:
    """The same with sounds: one from words, and a piano that becomes a violin."""
    model = open_model("bandstand")
    made = finish(generate_sounds(Generate(MARIMBA, model=model.name, steps=20, seed=1), model))
    save_sound(out / "marimba.wav", made.waves[0], made.rate, made.recipes[0])
    say(f'generated "{MARIMBA}" -> {out / "marimba.wav"}')
    piano = EXAMPLES / "piano.flac"
    request = Edit(piano, (VIOLIN,), PIANO, model.name, steps=20, cache=False)
    edited = finish(edit_sounds(request, model))
    plain = finish(edit_sounds(replace(request, method="img2img"), model))
    counted = edited.recipes[0]["figures"]["evaluations"]
    for part, result in (("violin", edited), ("img2img", plain)):
        save_sound(out / f"piano-{part}.wav", result.waves[0], result.rate, result.recipes[0])
    say(
        f'{piano}: inverted ({counted["inversion"]} evaluations), grown back as "{VIOLIN}" ({counted["regrowth"]}), '
        "and img2img at the same strength"
    )
    for part, result in (("violin", edited), ("img2img", plain)):
        far = result.recipes[0]["figures"]["to_source"]["mel"]
        print(f"         piano-{part}.wav: mel {far} dB from the source")
    cells = [
        *edit_row(request, edited, model).cells,
        mel_cell(
            plain.mels[0], ["img2img", f"{mel_distance(plain.mels[0], edited.heard.mel, model)} dB from the source"]
        ),
        mel_cell(to_unit(to_mel(made.waves, settings_of(model)), settings_of(model))[0], [f'generated: "{MARIMBA}"']),
    ]
    rows = [Row("", cells[i : i + 2]) for i in range(0, len(cells), 2)]
    save(out / "sounds.png", sheet(rows, cell=512, title="A piano becomes a violin: low below, late to the right"))
    say(f"spectrograms -> {out / 'sounds.png'}")


if __name__ == "__main__":
    main()
