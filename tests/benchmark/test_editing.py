"""The editing benchmark itself: exact tasks, editors whose figures are known beforehand, baselines that really run."""

from pathlib import Path

import pytest
import torch

from regrow.benchmark.baselines import baselines
from regrow.benchmark.cost import counted
from regrow.benchmark.edit_tasks import KINDS, Drawn, Kind, edit_task, edit_tasks
from regrow.benchmark.editing import bench_editing
from regrow.benchmark.editing_figures import as_dict, contact_sheet, figures_of
from regrow.benchmark.editors import BY_KIND, MASKED, SETTINGS, Editor, Setting, Task, own_editors
from regrow.benchmark.results_store import EditResult
from regrow.core.methods.registry import names_for_any_model
from regrow.core.progress import finish
from regrow.editing.edit import edit
from regrow.media.image.picture import save
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.requests.edit import Edit

ONCE = (Setting(1, 1),)


@pytest.fixture(scope="module")
def storybook() -> Model:
    """With fewer steps than its own, on which nothing here depends."""
    model = open_model("storybook")
    model.edit_steps = 8
    return model


def task(kind: Kind, count: int = 1) -> tuple[Task, list[Drawn]]:
    drawn = [Drawn(edit_task(8_000_000 + i, kind), 256) for i in range(count)]
    words = [(d.task.source, d.task.target, d.task.seed) for d in drawn]
    source, target, seeds = zip(*words, strict=True)
    return Task(torch.stack([d.before for d in drawn]), source, target, seeds), drawn


def test_a_task_changes_its_field_and_says_so() -> None:
    for one in edit_tasks(60):
        assert getattr(one.scene, one.field) != getattr(one.counterfactual, one.field)
        assert one.field not in one.kept
        assert one.source != one.target
        if one.kind == "remove":
            assert one.counterfactual.accessory == "none"
        assert one == edit_task(one.seed, one.kind)
    assert {one.kind for one in edit_tasks(6)} == set(KINDS)


def test_what_a_task_leaves_alone_is_drawn_alike() -> None:
    drawn = Drawn(edit_task(8_000_003, "add"), 256)
    same = ~drawn.changed
    assert 0.5 < float(same.float().mean()) < 1
    assert torch.equal(drawn.before[:, same], drawn.truth[:, same])


def test_the_truth_is_granted_and_the_input_is_not(storybook: Model) -> None:
    by_words = {d.task.seed: d for d in (Drawn(one, 256) for one in edit_tasks(6))}

    def oracle(model: Model, task: Task, setting: Setting) -> torch.Tensor:
        return torch.stack([by_words[seed].truth for seed in task.seeds])

    def idle(model: Model, task: Task, setting: Setting) -> torch.Tensor:
        return task.pictures

    editors = [Editor("oracle", "knows", oracle, ONCE), Editor("idle", "does nothing", idle, ONCE)]
    figures = finish(bench_editing(storybook, editors, 6, 0, round_trips=2, shown=1))
    knows, nothing = (figures_of(m.results) for m in figures.measured)
    assert (knows["granted"].value, knows["spoiled"].value) == (1, 0)
    assert (knows["outside"].value, knows["inside"].value) == (90, 90)
    assert (nothing["granted"].value, nothing["spoiled"].value, nothing["outside"].value) == (0, 0, 90)
    assert nothing["inside"].value < 20
    assert contact_sheet(figures).shape[0] == 3
    assert [editor["evaluations"] for editor in as_dict(figures)["editors"]] == [0, 0]


def test_a_killed_run_goes_on_and_a_broken_rival_is_told(storybook: Model, tmp_path: Path) -> None:
    calls = []

    def idle(model: Model, task: Task, setting: Setting) -> torch.Tensor:
        calls.append(task.seeds)
        return task.pictures

    def broken(model: Model, task: Task, setting: Setting) -> torch.Tensor:
        raise RuntimeError("four channels only")

    editors = [Editor("idle", "", idle, ONCE, batch=1), Editor("broken", "", broken, ONCE, baseline=True)]
    kept = tmp_path / "kept.jsonl"
    first = finish(bench_editing(storybook, editors, 3, 0, 0, 0, False, kept))
    assert len(calls) == 3
    kept.write_text(kept.read_text()[:-20])  # killed while it wrote the last line
    second = finish(bench_editing(storybook, editors, 3, 0, 0, 0, False, kept))
    assert len(calls) == 4
    assert [o.seed for o in second.measured[0].results] == [o.seed for o in first.measured[0].results]
    assert second.measured[1].failure == "RuntimeError: four channels only"
    third = finish(bench_editing(storybook, editors, 3, 0, 0, 0, False, kept))
    assert len(calls) == 4
    assert third.measured[0].results == second.measured[0].results


def test_pictures_and_round_trips_of_a_run_that_goes_on_are_not_made_again(storybook: Model, tmp_path: Path) -> None:
    calls = []

    def idle(model: Model, task: Task, setting: Setting) -> torch.Tensor:
        calls.append(task.seeds)
        return task.pictures

    editors = [Editor("idle", "", idle, ONCE, batch=2)]
    first = finish(bench_editing(storybook, editors, 3, 0, 2, 2, True, tmp_path / "kept.jsonl"))
    assert len(calls) == 2 + 1 + 2  # results, round trips, and the cost of one picture, measured the second time
    second = finish(bench_editing(storybook, editors, 3, 0, 2, 2, True, tmp_path / "kept.jsonl"))
    assert len(calls) == 5
    assert second.measured == first.measured
    assert torch.allclose(second.shown[1].made["idle"], first.shown[1].made["idle"], atol=1 / 127)
    assert len(list((tmp_path / "kept").iterdir())) == 2


def test_clean_is_granted_with_nothing_spoiled() -> None:
    result = EditResult(1, "animal", True, 0.0, (), None, None, None, None, 1, 0.1)
    assert result.clean
    assert "outside" not in figures_of([result])


def test_all_methods_of_the_verb_are_there_and_all_are_tuned_alike() -> None:
    assert {e.name for e in (*own_editors(), *own_editors(optional=True))} == set(names_for_any_model())
    for editor in (*own_editors(), *own_editors(optional=True), MASKED, *baselines()):
        assert len(set(editor.settings)) == SETTINGS


@pytest.mark.parametrize("editor", own_editors(), ids=lambda editor: editor.name)
def test_what_is_measured_is_what_the_verb_gives(editor: Editor, storybook: Model, tmp_path: Path) -> None:
    given, drawn = task("animal", 2)
    made = editor.run(storybook, given, Setting(0.4, 2))
    save(tmp_path / "scene.png", drawn[1].before)
    request = Edit(
        tmp_path / "scene.png", (given.target[1],), given.source[1], method=editor.name,
        strength=0.4, guidance=2, seed=given.seeds[1], cache=False,
    )  # fmt: skip
    expected = finish(edit(request, storybook)).frames[0]
    # fixed_point stops when the whole batch is within its tolerance
    assert torch.allclose(made[1], expected, atol=1e-2 if editor.name == "fixed_point" else 1e-3)
    assert not torch.allclose(made[0], made[1], atol=0.1)


@pytest.mark.parametrize("editor", [*own_editors(), BY_KIND, MASKED, *baselines()], ids=lambda editor: editor.name)
def test_every_editor_runs_and_leaves_the_model_as_it_was(editor: Editor, storybook: Model) -> None:
    given, _ = task("animal")
    before = storybook.network.attn_processors.keys(), storybook.network.config["in_channels"]
    with counted(storybook) as evaluations:
        pictures = editor.run(storybook, given, Setting(0.1, 2))
    assert pictures.shape == given.pictures.shape
    assert pictures.isfinite().all()
    assert evaluations() >= len(given.pictures)
    assert (storybook.network.attn_processors.keys(), storybook.network.config["in_channels"]) == before
    assert not storybook.network._forward_hooks
    assert not storybook.network._forward_pre_hooks
