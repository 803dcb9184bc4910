"""Print how well notes are detected in played phrases with known scores: F1 by pattern and by instrument.

.venv/bin/python runs/measure_notes.py [PHRASES]
"""

import sys
from collections import defaultdict

from regrow.benchmark.notes import Kept, kept
from regrow.worlds.bandstand.playing import INSTRUMENTS, PATTERNS, Phrase, play

FIRST_SEED = 9_200_000


def together(several: list[Kept]) -> Kept:
    """Return the sums of the counts, as if all notes were of one score."""
    return Kept(sum(k.detected for k in several), sum(k.expected for k in several), sum(k.matched for k in several))


def main(phrases: int = 300) -> None:
    found: dict[tuple[str, str], list[Kept]] = defaultdict(list)
    for seed in range(FIRST_SEED, FIRST_SEED + phrases):
        phrase = Phrase.random(seed)
        played = play(phrase)
        found[phrase.instrument, phrase.pattern].append(kept(played.wave, played.notes, phrase.instrument))
    print(f"{phrases} phrases from seed {FIRST_SEED} on; F1 (precision, recall)")
    for place, names in ((1, PATTERNS), (0, INSTRUMENTS)):
        for name in names:
            several = [k for key, some in found.items() if key[place] == name for k in some]
            if several:
                total = together(several)
                precision, recall = total.matched / max(1, total.detected), total.matched / total.expected
                print(f"{name:<16} {total.f1:.3f} ({precision:.3f}, {recall:.3f}), {len(several)} phrases")
    for name in INSTRUMENTS:
        chords = found.get((name, "chords"))
        if chords:
            print(f"chords on {name:<16} {together(chords).f1:.3f}, {len(chords)} phrases")
    print(f"all              {together([k for some in found.values() for k in some]).f1:.3f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
