"""Verify: compare every formula with a closed form."""

from collections.abc import Generator

from regrow.interfaces.server.jobs.job import At, Job
from regrow.interfaces.server.verbs.making import Open
from regrow.messages.message import say
from regrow.verification.formulas import SECTIONS
from regrow.verification.formulas import verify as checks


def verify(job: Job, opened: Open) -> Generator[At, None, None]:
    """Run `regrow verify`; each row has state, name, error, tolerance, formula, source and reference."""
    rows = job.facts["rows"] = []
    for check in checks():
        figures = ["" if value is None else f"{value:.1e}" for value in (check.error, check.tolerance)]
        rows.append([check.state, check.name, *figures, check.formula, check.source, check.against])
        yield At("verify", len(rows), 0)
    job.facts["sections"] = len(SECTIONS)
    passed = sum(row[0] == "pass" for row in rows)
    job.summary = say("checks_passed", passed=passed, count=len(rows))


WORK = verify
