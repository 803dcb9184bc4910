"""Ways to edit, measured on a model of flow conditioned on more than words: regrow's run, the others say why not."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import NoReturn

import pytest

from regrow.benchmark.baselines import baselines
from regrow.benchmark.editing import bench_editing
from regrow.benchmark.editing_figures import as_dict, print_table
from regrow.benchmark.editors import BY_KIND, MASKED, Editor, own_editors, short_words
from regrow.core.progress import finish
from regrow.models.model import Model
from regrow.models.open import open_model


@pytest.fixture
def flow(checkpoint: Callable[[str], Path]) -> Model:
    model = open_model(checkpoint("sd3-without-t5"))
    model.edit_steps = 4
    return model


OWN = (*own_editors(), *own_editors(optional=True), BY_KIND, MASKED, short_words())


@pytest.mark.parametrize("editor", OWN, ids=lambda editor: editor.name)
def test_every_way_of_regrows_is_measured(editor: Editor, flow: Model) -> None:
    [measured] = finish(bench_editing(flow, [editor], 1, 0, 1, 0, costs=False)).measured
    assert measured.failure == ""
    assert (len(measured.results), len(measured.round_trip)) == (1, 1)
    assert measured.results[0].evaluations >= 4


def test_what_does_not_fit_is_a_row_with_a_sentence_and_nothing_is_run(flow: Model) -> None:
    broken = [Editor(one.name, one.about, _not_to_be_run, one.settings, baseline=one.baseline) for one in baselines()]
    figures = finish(bench_editing(flow, broken, 1, 0, 0, 0))
    assert len(figures.measured) == len(broken)
    for one in figures.measured:
        assert one.failure.startswith(
            "it needs a network that predicts noise or v and is conditioned on token embeddings "
        )
        assert one.failure.endswith("is a model of another family (stable-diffusion-3).")
    out = StringIO()
    print_table(figures, out)
    assert out.getvalue().count("did not run: it needs a network that predicts noise or v") == len(broken)
    assert all("failure" in row for row in as_dict(figures)["editors"])


def _not_to_be_run(*_: object) -> NoReturn:
    raise AssertionError
