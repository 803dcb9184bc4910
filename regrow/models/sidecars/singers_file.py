"""The names of a singer model's voices, in its folder: `singers.json`, {"singers": ["mine", "low"]}.

Their order is that of the network's embedding; without the file they are the songbook's.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from regrow.messages.message import say
from regrow.models.errors import ModelError
from regrow.models.folder import read_json
from regrow.worlds.songbook.score import SINGERS

SINGERS_FILE = "singers.json"


def read_singers(folder: Path) -> tuple[str, ...]:
    """Return the names of a model's singers.

    Raises:
        ModelError: the file is damaged, or has a wrong number of names.
    """
    path = folder / SINGERS_FILE
    if not path.is_file():
        return SINGERS
    names = read_json(path).get("singers")
    if not isinstance(names, list) or len(names) != len(SINGERS) or not all(isinstance(name, str) for name in names):
        raise ModelError(say("sidecar_singers_wrong", path=path, count=len(SINGERS), names=names))
    return tuple(names)


def write_singers(folder: Path, names: Sequence[str]) -> None:
    """Write the names of a model's singers into its folder."""
    text = json.dumps({"singers": [*names]}, ensure_ascii=False)
    (folder / SINGERS_FILE).write_text(text + "\n", encoding="utf-8")
