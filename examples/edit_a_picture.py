"""Edit a picture from Python: several target prompts share one inversion.

.venv/bin/python examples/edit_a_picture.py [OUT]
"""

import sys
from pathlib import Path

import regrow

out = Path(sys.argv[1] if len(sys.argv) > 1 else "out")
out.mkdir(exist_ok=True)
edited = regrow.edit(
    Path(__file__).with_name("cat.png"),
    ("an orange puppy on a beach", "a black cat on a beach"),
    source="an orange cat on a beach",
)
for path, recipe in zip(edited.save(out / "edited.png"), edited.recipes, strict=True):
    print(path, recipe["figures"])
