"""Measure which strength each kind of edit needs with `direct_inversion`, for a model's `edit.json`.

.venv/bin/python runs/measure_strengths.py [TASKS] [STEPS] [NAME]

Edits TASKS tasks of each kind, after the 100 on which `regrow bench edit` chooses settings, at two strengths and the
default guidance. NAME is "direct_inversion", or "direct_inversion, masked" (--mask auto).
"""

import sys
from dataclasses import replace

from regrow.benchmark.edit_tasks import FIRST_TUNING_SEED, KINDS
from regrow.benchmark.editing import bench_editing
from regrow.benchmark.editors import MASKED, Setting, own_editors
from regrow.core.progress import finish
from regrow.models.open import open_model
from regrow.requests.edit import Edit

BEYOND = 100


def main(tasks: int = 64, steps: int = 6, name: str = "direct_inversion") -> None:
    model = open_model("storybook")
    model.edit_steps = steps
    editor = next(editor for editor in (*own_editors(), MASKED) if editor.name == name)
    editor = replace(editor, settings=(Setting(0.9, Edit.guidance), Setting(0.65, Edit.guidance)))
    tuning = BEYOND + len(KINDS) * tasks
    figures = finish(bench_editing(model, [editor], 1, tuning, 0, 0, costs=False))
    for setting, results in figures.measured[0].tuning:
        later = [result for result in results if result.seed >= FIRST_TUNING_SEED + BEYOND]
        print(f"{name}, {steps} steps, strength {setting.strength:g}: granted %, clean %")
        for kind in KINDS:
            own = [result for result in later if result.kind == kind]
            granted, clean = (sum(found) / len(own) for found in zip(*((o.granted, o.clean) for o in own), strict=True))
            print(f"  {kind:8} {100 * granted:5.1f} {100 * clean:5.1f} of {len(own)}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]), *sys.argv[3:])
