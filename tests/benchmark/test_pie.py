"""PIE-Bench on a drawn folder of its layout: masks, figures against closed forms, the table, killed runs."""

import io
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from picture_networks import tiny_clip, tiny_dino
from PIL import Image

from regrow.benchmark.pie import bench as benches
from regrow.benchmark.pie.bench import RESULTS, bench_pie
from regrow.benchmark.pie.figures import PieFigures, as_dict, print_table, summary
from regrow.benchmark.pie.measure import PieNetworks, measure, open_networks
from regrow.benchmark.pie.tasks import PICTURES, decode_mask, read_tasks
from regrow.core.progress import finish
from regrow.interfaces.cli import main
from regrow.media.image.picture import from_uint8, load
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.requests.bench import BenchPie

SIDE = 64
INSIDE = [number for row in range(20, 40) for number in (row * SIDE + 16, 30)]
"""The mask of a box 30 wide and 20 high."""
ENTRIES = {
    "000": ("0_random_2/000.png", "a cat on a beach", "a [dog] on a beach", "Make it a dog", "0", INSIDE),
    "001": ("0_random_2/001.jpg", "a [red] cat", "a [blue] cat", "Make it blue", "0", [0, 300]),
    "100": ("9_style_2/1_artificial/1_animal/100.png", "a cat", "[a drawing of] a cat", "Draw it", "9", [0, SIDE**2]),
    "101": ("9_style_2/2_natural/101.png", "a cat at sea", "[oil] a cat at sea", "Paint it", "9", INSIDE),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    random = np.random.default_rng(4)
    entries = {}
    for name, (place, source, target, instruction, category, runs) in ENTRIES.items():
        path = tmp_path / "data" / PICTURES / place
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = Image.fromarray(random.integers(0, 256, (8, 8, 3), np.uint8))
        coarse.resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(path)
        entries[name] = {
            "image_path": place, "original_prompt": source, "editing_prompt": target, "mask": runs,
            "editing_instruction": instruction, "editing_type_id": category, "blended_word": "cat dog",
        }  # fmt: skip
    (tmp_path / "data" / "mapping_file.json").write_text(json.dumps(entries))
    return tmp_path / "data"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    parent = tmp_path_factory.mktemp("networks")
    return tiny_dino(parent / "dino"), tiny_clip(parent / "clip")


@pytest.fixture
def networks(folders: tuple[Path, Path]) -> PieNetworks:
    dino, clip = folders
    return replace(open_networks(str(dino), str(clip)), lpips=None)


@pytest.fixture
def request_of(folder: Path, tmp_path: Path) -> Callable[..., BenchPie]:
    def made(**settings: Any) -> BenchPie:
        return BenchPie(folder, **{"kept": tmp_path / "kept", "steps": 3, **settings})

    return made


def change(folder: Path, name: str, **fields: Any) -> None:
    path = folder / "mapping_file.json"
    entries = json.loads(path.read_text())
    entries[name] |= fields
    path.write_text(json.dumps(entries))


def table(figures: PieFigures) -> str:
    out = io.StringIO()
    print_table(figures, out)
    return out.getvalue()


def test_a_mask_is_its_runs_and_the_outermost_pixels() -> None:
    wanted = ["#######", "#.....#", "#..##.#", "#.###.#", "#######"]
    assert ["".join(".#"[cell] for cell in row) for row in decode_mask([17, 2, 23, 3], 5, 7).int()] == wanted
    assert decode_mask([0, 35], 5, 7).all()
    assert decode_mask([9, 1000], 5, 7)[1:4, 1:-1].sum() == 14, "what is beyond the last pixel is cut off"


def test_tasks_are_read_without_brackets_by_category_and_the_first_ones(folder: Path) -> None:
    tasks = read_tasks(folder)
    assert [task.id for task in tasks] == list(ENTRIES)
    assert (tasks[0].source, tasks[0].target) == ("a cat on a beach", "a dog on a beach")
    assert tasks[2].target == "a drawing of a cat"
    assert [task.id for task in read_tasks(folder, ("9",))] == ["100", "101"]
    assert [task.id for task in read_tasks(folder, limit=1)] == ["000", "100"]
    with pytest.raises(ValueError, match=r"has no editing type '4'; it has 0, 9\.$"):
        read_tasks(folder, ("4",))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"mask": [SIDE**2 + 1, 2]}, r"000 cannot be measured, for its mask begins a run at 4097, .* 64 x 64 has 4096"),
        ({"mask": [1, 2, 3]}, r"000 cannot be measured, for its mask is not a list of starts and lengths"),
        ({"mask": "1 2"}, r"its mask is not a list of starts and lengths"),
        ({"mask": [1, -2]}, r"its mask is not a list of starts and lengths"),
        ({"image_path": "0_random_2/none.png"}, r"none.png, the picture of 000 in .*json, is missing: download it"),
        ({"image_path": "../../secret.png"}, r"image_path of 000 is '../../secret.png', and must lead to a .jpg"),
        ({"image_path": "0_random_2/000.gif"}, r"image_path of 000 is .* must lead to a .jpg, .jpeg, .png file below"),
        ({"editing_prompt": None}, r"mapping_file.json: 000 has no text editing_prompt"),
        ({"editing_type_id": 0}, r"mapping_file.json: 000 has no text editing_type_id"),
    ],
)
def test_a_broken_task_is_named_before_the_work(folder: Path, fields: dict[str, Any], said: str) -> None:
    change(folder, "000", **fields)
    with pytest.raises(ValueError, match=said) as caught:
        read_tasks(folder)
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_whole_mapping_is_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"mapping_file.json is missing: name the folder of PIE-Bench that holds"):
        read_tasks(folder / PICTURES)
    for text, said in (
        ("{", "is not valid JSON"),
        ("[]", "holds no tasks by their ids"),
        ('{"a": 1}', "a has no text image_path"),
    ):
        (folder / "mapping_file.json").write_text(text)
        with pytest.raises(ValueError, match=said):
            read_tasks(folder)


def test_a_background_is_measured_as_if_all_else_were_black_and_equal() -> None:
    mask = decode_mask(INSIDE, SIDE, SIDE)
    source = from_uint8(np.full((SIDE, SIDE, 3), 100, np.uint8))
    result = torch.where(mask, 1.0, from_uint8(np.full((SIDE, SIDE, 3), 130, np.uint8)))
    found = measure(source, result, mask, "a dog", PieNetworks())
    share = 1 - (20 * 30 + 4 * 63) / SIDE**2
    mse = share * (30 / 255) ** 2
    assert found.mse == pytest.approx(mse, rel=1e-5)
    assert found.psnr == pytest.approx(-10 * math.log10(mse), rel=1e-5)
    assert (found.structure, found.lpips, found.clip_whole, found.clip_edited) == (None, None, None, None)
    same = measure(source, torch.where(mask, 1.0, source), mask, "a dog", PieNetworks())
    assert (same.mse, same.psnr, same.ssim) == (0, 90, 1)


def test_similarity_is_that_of_values_from_0_to_1_in_whole_windows() -> None:
    generator = torch.Generator().manual_seed(3)
    source, result = (torch.rand(3, SIDE, SIDE, generator=generator) * 2 - 1 for _ in range(2))
    mask = decode_mask(INSIDE, SIDE, SIDE)
    a, b = (torch.where(mask, 0.0, (x + 1) / 2)[:, None].double() for x in (source, result))
    bell = torch.exp(-((torch.arange(11).double() - 5) ** 2) / (2 * 1.5**2))
    window = torch.outer(bell, bell)[None, None] / bell.sum() ** 2

    def blurred(x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.conv2d(x, window)

    mean_a, mean_b = blurred(a), blurred(b)
    top = (2 * mean_a * mean_b + 0.01**2) * (2 * (blurred(a * b) - mean_a * mean_b) + 0.03**2)
    spread = blurred(a * a) - mean_a**2 + blurred(b * b) - mean_b**2
    wanted = top / ((mean_a**2 + mean_b**2 + 0.01**2) * (spread + 0.03**2))
    assert measure(source, result, mask, "", PieNetworks()).ssim == pytest.approx(float(wanted.mean()), rel=1e-6)


def test_words_are_compared_with_the_whole_and_with_what_is_left_of_it_inside_the_mask(networks: PieNetworks) -> None:
    generator = torch.Generator().manual_seed(3)
    source, result = (torch.rand(3, SIDE, SIDE, generator=generator) * 2 - 1 for _ in range(2))
    mask = decode_mask(INSIDE, SIDE, SIDE)
    found = measure(source, result, mask, "a cat", networks)
    assert networks.clip
    assert networks.dino
    assert found.clip_whole == networks.clip.score(result, "a cat")
    assert found.clip_edited == networks.clip.score(torch.where(mask, result, -1.0), "a cat")
    assert found.structure == networks.dino.distance(source, result)
    nothing_left = measure(source, result, torch.ones_like(mask), "a cat", networks)
    assert (nothing_left.psnr, nothing_left.lpips, nothing_left.mse, nothing_left.ssim) == (None,) * 4
    assert nothing_left.clip_edited == nothing_left.clip_whole


def test_all_methods_are_measured_on_all_pictures(
    model: Model, request_of: Callable[..., BenchPie], networks: PieNetworks, tmp_path: Path
) -> None:
    figures = finish(bench_pie(model, request_of(methods=("direct_inversion", "img2img")), networks))
    assert [one.method for one in figures.measured] == ["direct_inversion", "img2img"]
    for one in figures.measured:
        assert [category for category, _ in one.results] == ["0", "0", "9", "9"]
        assert [result.mse is None for _, result in one.results] == [False, False, True, False]
        assert len(one.seconds) == 4
        for (place, *_, target, _, _, runs), (_, result) in zip(ENTRIES.values(), one.results, strict=True):
            source, kept = (load(root / place).pixels for root in (tmp_path / "data" / PICTURES, _kept(tmp_path, one)))
            mask = decode_mask(runs, SIDE, SIDE)
            assert result == measure(source, kept, mask, target.replace("[", "").replace("]", ""), networks)
            if result.mse is not None:
                values = (torch.where(mask, 0.0, (kept - source) / 2) ** 2).mean()
                assert result.mse == pytest.approx(float(values), rel=1e-4)
    lines = table(figures).splitlines()
    assert lines[2] == (
        "| Method | Structure distance x10^3 ↓ | PSNR ↑ | LPIPS x10^3 ↓ | MSE x10^4 ↓ | SSIM x10^2 ↑ | CLIP whole ↑ | "
        "CLIP edited ↑ | Pictures |"
    )
    means = summary([result for _, result in figures.measured[0].results])
    assert lines[4].startswith(
        f"| direct_inversion | {1e3 * means['structure'].value:.2f} | {means['psnr'].value:.2f} | - |"
    )
    assert lines[4].endswith("| 4 |")
    assert "are of the pictures with a background: 1 have none." in table(figures)
    facts = as_dict(figures)["measured"][0]
    assert facts["figures"]["mse"]["count"] == 3
    assert facts["categories"]["9"]["mse"]["count"] == 1
    assert facts["categories"]["9"]["clip_whole"]["count"] == 2


def _kept(tmp_path: Path, one: Any) -> Path:
    return tmp_path / "kept" / one.method / PICTURES


@pytest.mark.usefixtures("home")
def test_the_settings_are_those_of_the_published_rows(
    model: Model, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edits = []
    right = benches.edit

    def watched(request: Any, model: Model) -> Any:
        edits.append(request)
        return right(replace(request, steps=2), model)

    monkeypatch.setattr(benches, "edit", watched)
    methods = ("direct_inversion", "negative_prompt")
    request = BenchPie(folder, methods=methods, categories=("0",), limit=1, kept=tmp_path / "kept", attention="p2p")
    finish(bench_pie(model, request, PieNetworks()))
    for made in edits:
        assert (made.steps, made.strength, made.guidance, made.guidance_share, made.invert_guidance) == (
            50,
            1,
            7.5,
            1,
            1,
        )
        assert (made.source, made.target, made.prompt_expansion) == ("a cat on a beach", ("a dog on a beach",), "off")
        assert made.attention == "p2p"
    assert [made.negative for made in edits] == ["", None], "one leads away from words of its own"


def test_a_killed_run_goes_on(
    model: Model,
    request_of: Callable[..., BenchPie],
    networks: PieNetworks,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = finish(bench_pie(model, request_of(), networks))
    results, last = tmp_path / "kept" / RESULTS, tmp_path / "kept" / "direct_inversion" / PICTURES / ENTRIES["101"][0]
    text = results.read_text()
    results.write_text(text[: text.rindex('"outcome"')])
    last.unlink()
    edits, right = [], benches.edit
    monkeypatch.setattr(
        benches, "edit", lambda request, model: edits.append(request.image.name) or right(request, model)
    )
    again = finish(bench_pie(model, request_of(), networks))
    assert edits == ["101.png"]
    assert [one.results for one in again.measured] == [one.results for one in whole.measured]
    without = finish(bench_pie(model, request_of(), replace(networks, clip=None)))
    assert edits == ["101.png"], "other networks measure the same pictures"
    assert "clip_whole" not in summary([result for _, result in without.measured[0].results])
    assert without.measured[0].seconds == again.measured[0].seconds
    with pytest.raises(ValueError, match=r"precision or other settings; name another folder by --kept\.$"):
        finish(bench_pie(model, request_of(guidance=3.0), networks))


def test_pictures_that_another_program_made_are_measured_as_they_lie_there(
    model: Model, folder: Path, request_of: Callable[..., BenchPie], tmp_path: Path
) -> None:
    for place, *_ in ENTRIES.values():
        path = tmp_path / "kept" / "theirs" / PICTURES / place
        path.parent.mkdir(parents=True, exist_ok=True)
        source = np.asarray(Image.open(folder / PICTURES / place))
        strip = Image.fromarray(np.concatenate([np.zeros_like(source), source], axis=1))
        strip.save(path.with_suffix(".png"))
        path.with_suffix(".png").rename(path)
    (one,) = finish(bench_pie(model, request_of(methods=("theirs",)), PieNetworks())).measured
    assert [result.mse for _, result in one.results] == [0, 0, None, 0], "the picture at the end of each strip"
    assert one.seconds == ()
    Image.new("RGB", (32, 32)).save(path)
    (tmp_path / "kept" / RESULTS).unlink()
    with pytest.raises(
        ValueError, match=r"^theirs on 101 of mapping_file.json: the result is of 32 x 32 pixels, and its"
    ):
        finish(bench_pie(model, request_of(methods=("theirs",)), PieNetworks()))
    path.unlink()
    with pytest.raises(ValueError, match=r"^theirs on 101 of mapping_file.json: There is no file"):
        finish(bench_pie(model, request_of(methods=("theirs",)), PieNetworks()))


def test_what_does_not_go_together_is_refused_before_the_first_edit(
    model: Model, request_of: Callable[..., BenchPie]
) -> None:
    for settings, said in (
        ({"methods": ("sdedit",)}, r"There is no editing method 'sdedit': use one of direct_inversion"),
        (
            {"methods": ("img2img",), "attention": "p2p"},
            r"img2img has no inverted path to share attention with",
        ),
    ):
        with pytest.raises(ValueError, match=said):
            finish(bench_pie(model, request_of(**settings), PieNetworks()))
    for settings, said in (
        ({"limit": 0}, "--limit must be 1 or more; got 0"),
        ({"strength": 0.0}, "--strength must be above 0 and at most 1; got 0"),
        ({"methods": ()}, "--methods must name at least one method, and none twice"),
        ({"methods": ("img2img", "img2img")}, "--methods must name at least one method, and none twice"),
        ({"steps": 0}, "--steps must be a number of steps from 1"),
    ):
        with pytest.raises(ValueError, match=said):
            request_of(**settings)


def test_a_model_that_edits_by_instruction_gets_the_instruction(
    checkpoint: Callable[[str], Path], request_of: Callable[..., BenchPie], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, edits, right = open_model(checkpoint("sd-pix2pix")), [], benches.edit
    monkeypatch.setattr(benches, "edit", lambda request, model: edits.append(request) or right(request, model))
    request = request_of(methods=("direct_inversion", "instruction"), limit=1, categories=("0",))
    figures = finish(bench_pie(model, request, PieNetworks()))
    refused, measured = figures.measured
    assert refused.failure.endswith("cannot be edited by it; take --methods instruction.")
    assert "direct_inversion: did not run: " in table(figures)
    assert [made.target for made in edits] == [("Make it a dog",)]
    assert measured.results[0][1].mse


def test_a_model_that_knows_both_gets_what_the_method_reads(
    checkpoint: Callable[[str], Path], request_of: Callable[..., BenchPie], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, edits, right = open_model(checkpoint("flux-2-klein-distilled")), [], benches.edit
    monkeypatch.setattr(benches, "edit", lambda request, model: edits.append(request) or right(request, model))
    request = request_of(methods=("direct_inversion", "instruction"), limit=1, categories=("0",), guidance=1.0, steps=2)
    assert [figures.failure for figures in finish(bench_pie(model, request, PieNetworks())).measured] == ["", ""]
    described, instructed = (made.target[0] for made in edits)
    assert instructed == "Make it a dog"
    assert described != instructed


@pytest.mark.usefixtures("home")
def test_the_command_prints_the_table_and_what_is_missing_from_it(
    checkpoint: Callable[[str], Path], folder: Path, folders: tuple[Path, Path], tmp_path: Path,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setitem(__import__("sys").modules, "torchvision", None)
    path = tmp_path / "figures.json"
    dino, clip = map(str, folders)
    main([
        *("bench", "pie", str(folder), "--model", str(checkpoint("sd-tiny")), "--steps", "2", "--categories", "9"),
        *("--limit", "1", "--kept", str(tmp_path / "kept"), "--dino", dino, "--clip", clip, "--figures", str(path)),
    ])  # fmt: skip
    text = capsys.readouterr().out
    assert "| direct_inversion | " in text
    assert "LPIPS: not measured. LPIPS needs torchmetrics and torchvision" in text
    facts = json.loads(path.read_text())
    assert facts["networks"] == {"dino": dino, "clip": clip, "lpips": None}
    assert facts["settings"]["steps"] == 2
    assert facts["measured"][0]["figures"]["structure"]["count"] == 1
