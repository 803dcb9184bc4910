"""Measure the effect of options of `regrow edit` on tasks with a known answer.

    python runs/measure_edit_options.py 12 plain= auto=strength=auto masked=mask=auto p2p=attention=p2p

The number is that of tuning tasks, whose six kinds take turns. Each option is NAME= and settings of `regrow edit`,
separated by commas; `mask=exact` uses the true mask. Figures: share granted, share of other fields spoiled (by an
independent judge), PSNR in dB to the counterfactual inside the exact mask and to the scene outside it; and for found
masks, their overlap with the exact one (intersection over union) and the share of it that they cover.
"""

import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import mean
from typing import get_args, get_type_hints

from regrow.benchmark.edit_tasks import FIRST_TUNING_SEED, Drawn, edit_tasks
from regrow.benchmark.judges import load_judge
from regrow.core.progress import finish
from regrow.editing.edit import edit
from regrow.media.image.distance import psnr
from regrow.media.image.picture import save
from regrow.models.open import open_model
from regrow.requests.edit import Edit

PLAIN = {"strength": 0.8, "guidance": 4.0, "steps": 20}


def settings_of(text: str, exact: Path) -> dict[str, object]:
    """Return the settings of an option, in the types of the request's fields."""
    found: dict[str, object] = dict(PLAIN)
    for part in filter(None, text.split(",")):
        name, _, value = part.partition("=")
        kind = get_type_hints(Edit)[name]
        kinds = (kind, *get_args(kind))  # both parts of "int | None"
        if int in kinds:
            found[name] = int(value)
        elif float in kinds and value != "auto":
            found[name] = float(value)
        else:
            found[name] = exact if value == "exact" else value
    return found


def main(count: int, options: dict[str, str]) -> None:
    model, judge, folder = open_model("storybook"), load_judge("storybook"), Path(tempfile.mkdtemp())
    exact, figures = folder / "exact.png", defaultdict(lambda: defaultdict(list))
    for task in edit_tasks(count, FIRST_TUNING_SEED):
        drawn = Drawn(task, model.size[0])
        save(folder / "in.png", drawn.before)
        save(exact, drawn.changed.float().expand(3, -1, -1) * 2 - 1)
        for name, text in options.items():
            request = Edit(folder / "in.png", (task.target,), task.source, **settings_of(text, exact))  # type: ignore
            made = finish(edit(request, model))
            codec, read = judge.read(made.codec[None])[0], judge.read(made.items[0][None])[0]
            sure = [field for field in task.kept if codec[field] == getattr(task.scene, field)]
            row = {
                "granted": read[task.field] == getattr(task.counterfactual, task.field),
                "spoiled": mean([read[field] != getattr(task.scene, field) for field in sure] or [0]),
                "inside": psnr(made.items[0], drawn.truth, drawn.changed),
                "outside": min(psnr(made.items[0], drawn.before, ~drawn.changed), 90.0),
                "strength": made.recipes[0]["settings"]["strength"],
            }
            if made.region and text != "mask=exact":
                found = made.region.pixels[0, 0] > 0
                both = float((found & drawn.changed).sum())
                row["overlap"] = both / float((found | drawn.changed).sum())
                row["covered"] = both / float(drawn.changed.sum())
            for figure, value in row.items():
                figures[name][figure].append(value)
                figures[f"{name}, {task.kind}"][figure].append(value)
        for name, row in figures.items():
            print(f"{name:24}" + "  ".join(f"{figure} {mean(found):.3f}" for figure, found in row.items()))
        print(flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), dict(option.split("=", 1) for option in sys.argv[2:]))  # type: ignore[arg-type]
