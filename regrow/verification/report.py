"""Print checks as lines for a terminal, or as one JSON object per line."""

import json
import math
import textwrap
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from typing import TextIO

from regrow.verification.check import Check

WIDTH = 100
_MARGIN = " " * 10
_STATES = ("pass", "fail", "undecided", "measured")


def run(checks: Iterable[Check], as_json: bool, out: TextIO) -> bool:
    """Print checks as they come.

    Args:
        checks: printed one by one, so that a generator's checks appear as they are done.
        as_json: print one object per line with the fields of `Check` (null for numbers that are not finite) instead of
            text.
        out: where to print.

    Returns:
        Whether no check failed.
    """
    counts: Counter[str] = Counter()
    failed = []
    heading = None
    for check in checks:
        counts[check.state] += 1
        if check.state == "fail":
            failed.append(check.name)
        if as_json:
            print(_json(check), file=out, flush=True)
            continue
        if heading != (check.formula, check.source):
            heading = (check.formula, check.source)
            print(*_heading(check), sep="\n", file=out)
        print(*_lines(check), sep="\n", file=out, flush=True)
    if not as_json:
        found = ", ".join(f"{counts[state]} {state}" for state in _STATES if counts[state])
        print(f"\n{sum(counts.values())} checks: {found}.", file=out)
        if failed:
            print(textwrap.fill(f"Failed: {'; '.join(failed)}.", WIDTH), file=out)
    return not failed


def _heading(check: Check) -> list[str]:
    """Return a blank line, the formula, and its source."""
    formula = textwrap.wrap(check.formula, WIDTH, subsequent_indent="  ")
    return ["", *formula, *textwrap.wrap(check.source, WIDTH, initial_indent="  ", subsequent_indent="  ")]


def _lines(check: Check) -> list[str]:
    """Return the verdict with its figures, then what it was checked against."""
    state = check.state if check.state in ("measured", "undecided") else check.state.upper()
    figures = "" if check.error is None else f"{check.error:.1e}"
    if check.tolerance is not None:
        figures += f" of {check.tolerance:.1e}"
    first = f"{state:>9} {check.name}"
    lines = [f"{first} {' ' + figures:.>{WIDTH - len(first) - 1}}" if figures else first]
    for text in (f"against {check.against}" if check.against else "", check.detail):
        lines += textwrap.wrap(text, WIDTH, initial_indent=_MARGIN, subsequent_indent=_MARGIN)
    return lines


def _json(check: Check) -> str:
    finite = {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in asdict(check).items()
    }
    return json.dumps(finite, ensure_ascii=False)
