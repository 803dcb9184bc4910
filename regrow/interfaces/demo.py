"""`make demo`: the main job on a picture the model made and on one it never saw, with img2img beside it."""

import time
from pathlib import Path

from regrow.families.registry import open_model
from regrow.interfaces.reporting import distance_text
from regrow.media.image import save
from regrow.media.sheet import sheet
from regrow.operations.compare import compare
from regrow.operations.generate import generate
from regrow.operations.progress import finish
from regrow.operations.requests import Edit, Generate

SOURCE, TARGET = "an orange cat on a beach", "an orange puppy on a beach"
SHIPPED = Path(__file__).parents[2] / "examples" / "cat.png"


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
    made = finish(generate(Generate(SOURCE, seed=7), model))
    save(out / "generated.png", made.pictures[0], made.recipes[0])
    say(f'generated "{SOURCE}" -> {out / "generated.png"}')
    rows = []
    for name, image in (("generated", out / "generated.png"), ("shipped", SHIPPED)):
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
    print(f"{time.monotonic() - started:5.1f} s  in all; the files are in {out.resolve()}")
    print("\nTry next:  .venv/bin/regrow edit examples/cat.png \\")
    print(f'             --source "{SOURCE}" --target "an orange fox on a beach" --sheet out/fox-sheet.png')


if __name__ == "__main__":
    main()
