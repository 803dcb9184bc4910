import io
import json
import math

import pytest

from regrow.interfaces.cli import main
from regrow.verification.check import Check, judge, judge_order, slope
from regrow.verification.report import WIDTH, run


@pytest.mark.usefixtures("unchecked")  # of every shape in the core; it would take three times as long
def test_everything_passes_and_the_report_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    main(["verify", "--json"])
    checks = [Check(**json.loads(line)) for line in capsys.readouterr().out.splitlines()]
    assert len(checks) > 90
    assert [check.name for check in checks if check.state not in ("pass", "measured")] == []
    assert len({check.name for check in checks}) == len(checks)
    assert all(check.formula and check.source and check.against for check in checks)
    out = io.StringIO()
    assert run(iter(checks), False, out)
    text = out.getvalue()
    assert max(map(len, text.splitlines())) <= WIDTH
    assert text.count(" PASS ") + text.count(" measured ") == len(checks)
    assert text.endswith(" measured.\n")


def test_failures_are_named_at_the_end() -> None:
    out = io.StringIO()
    checks = [judge("one", "f", "s", "a", 1.0, 2.0), judge("two", "f", "s", "a", 3.0, 2.0)]
    assert not run(checks, False, out)
    assert "FAIL two" in out.getvalue()
    assert out.getvalue().endswith("2 checks: 1 pass, 1 fail.\nFailed: two.\n")


def test_json_is_one_object_a_line() -> None:
    out = io.StringIO()
    assert not run(
        [judge("one", "f", "s", "a", math.nan, 2.0), Check("b", "", "", "", None, None, "undecided")], True, out
    )
    first, second = map(json.loads, out.getvalue().splitlines())
    assert (first["name"], first["error"], first["tolerance"], first["state"]) == ("one", None, 2.0, "fail")
    assert second["state"] == "undecided"


def test_the_report_prints_while_checks_are_made() -> None:
    out = io.StringIO()

    def checks():
        yield judge("one", "f", "s", "a", 1.0, 2.0)
        assert "PASS one" in out.getvalue()

    assert run(checks(), False, out)


def test_slope_is_the_order() -> None:
    steps = [1 / 16, 1 / 32, 1 / 64]
    assert slope(steps, [3 * h**2 for h in steps]) == pytest.approx(2)
    assert math.isnan(slope(steps, [1.0, 0.0, 1.0]))
    assert judge_order("n", "f", "s", "a", [16, 32, 64], [0.0, 0.0, 0.0], 1).state == "fail"
    assert judge_order("n", "f", "s", "a", [16, 32, 64], [h**1.2 for h in steps], 1).state == "fail"
