"""`bench start`: what its share means, and the sentence of an edit that fails."""

from io import StringIO
from pathlib import Path

import pytest

from regrow.benchmark.start import StartFigures, bench_start, print_table
from regrow.models.engines.openvino_runtime import installed


def test_share_of_one_is_twice_the_libraries_and_the_edit() -> None:
    figures = StartFigures(bare=(0.1,), package=(0.11,), libraries=(2.0,), whole=(5.0,), own=(1.0,), modules=0)
    assert figures.share == 1.0
    out = StringIO()
    print_table(figures, out)
    assert "import regrow takes 1.10 times a bare start; the edit loads 0 of" in out.getvalue()


def test_one_slow_turn_does_not_count() -> None:
    figures = StartFigures((0.1,) * 3, (0.1,) * 3, (2.0, 2.0, 9.0), (5.0, 50.0, 5.0), (1.0,) * 3, modules=0)
    assert figures.share == 1.0


@pytest.mark.skipif(not installed(), reason="OpenVINO is not installed")
def test_a_failing_edit_says_its_own_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"absent\.png"):
        list(bench_start(tmp_path / "absent.png", "a kitten", "a puppy", turns=1))
