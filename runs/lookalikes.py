"""Write the English words that are never corrected as misspelt: `regrow/prompts/lookalikes.txt`.

    apt-get install wamerican-small
    .venv/bin/python runs/lookalikes.py /usr/share/dict/american-english-small

Run it again after adding words to a `words.toml` or to `grammar.toml`.
"""

import re
import sys
import textwrap
from pathlib import Path

from regrow.prompts.word_index import LOOKALIKES, index_of, is_near
from regrow.worlds.world import WORLDS


def main() -> None:
    """Write the words of a list that are one letter from a known word and that some world does not have itself."""
    lines = Path(sys.argv[1]).read_text(encoding="utf-8").split()
    words = {line.lower() for line in lines if re.fullmatch("[a-z]+", line)}
    indices = [index_of(world.lexicon) for world in WORLDS.values()]
    spellings = {spelling for index in indices for spelling in index.spellings if spelling.isascii()}
    kept = [
        word
        for word in sorted(words)
        if any(word not in index.words for index in indices) and any(is_near(word, known) for known in spellings)
    ]
    LOOKALIKES.write_text(textwrap.fill(" ".join(kept), 160) + "\n", encoding="utf-8")
    print(f"{len(kept)} words")


if __name__ == "__main__":
    main()
