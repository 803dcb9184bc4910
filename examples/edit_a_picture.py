"""Edit a picture from Python: several wishes share one inversion.

.venv/bin/python examples/edit_a_picture.py [OUT]
"""

import sys
from pathlib import Path

from regrow.core.progress import finish
from regrow.editing.edit import edit
from regrow.media.image.picture import save
from regrow.models.open import open_model
from regrow.requests.edit import Edit

out = Path(sys.argv[1] if len(sys.argv) > 1 else "out")
out.mkdir(exist_ok=True)
wish = Edit(
    image=Path(__file__).with_name("cat.png"),
    source="an orange cat on a beach",
    target=("an orange puppy on a beach", "a black cat on a beach"),
)
edited = finish(edit(wish, open_model(wish.model)))
for target, picture, recipe in zip(wish.target, edited.items, edited.recipes, strict=True):
    path = out / f"{target}.png"
    save(path, picture, recipe)
    print(path, recipe["figures"])
