"""The command line, driven as a user drives it."""

import json
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from homes import sharing_engines

from regrow.interfaces.cli import VERBS, gathered, main
from regrow.interfaces.option_groups import lists
from regrow.media.audio.medium import MEDIUM as SOUND
from regrow.media.image.picture import load, read_recipe, save

PIANO = str(Path(__file__).parents[2] / "examples" / "piano.flac")


@pytest.fixture
def folder(checkpoint: Callable[[str], Path]) -> str:
    return str(checkpoint("sd-tiny"))


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REGROW_HOME", str(sharing_engines(tmp_path / "home")))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    pixels = torch.rand(3, 20, 30, generator=torch.Generator().manual_seed(2)) * 2 - 1
    save("in.png", pixels, None)
    return tmp_path / "work"


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    main([*arguments, "--json"])
    return json.loads(capsys.readouterr().out)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as stop:
        main(list(arguments))
    assert stop.value.code == 1
    error = capsys.readouterr().err
    assert error.startswith("regrow: ")
    assert error.count("\n") == 1
    return error


def test_help_loads_nothing_heavy() -> None:
    code = """
import sys
from regrow.interfaces.cli import main
try:
    main(["--help"])
except SystemExit:
    print(sorted({"torch", "diffusers", "transformers", "numpy", "PIL"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert all(verb in done.stdout for verb in VERBS)


def test_a_reader_that_has_enough_is_no_error() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "regrow", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    assert process.wait() == 0


def test_generate_edit_and_replay(folder: str, capsys: pytest.CaptureFixture[str], workplace: Path) -> None:
    main(["generate", "a cat", "--model", folder, "--steps", "3", "--count", "2", "--out", "g.png"])
    told = capsys.readouterr().out
    assert "wrote g.png (seed 0)" in told
    assert "wrote g-2.png (seed 1)" in told
    made = printed(
        capsys, "edit", "in.png", "--source", "a cat", "--target", "a dog", "a bird",
        "--model", folder, "--steps", "4", "--sheet", "sheet.png",
    )  # fmt: skip
    assert made["files"] == ["in-a-dog.png", "in-a-dog-2.png", "sheet.png"]
    assert load("in-a-dog.png").pixels.shape == (3, 20, 30)
    recipe = read_recipe("in-a-dog.png")
    assert recipe is not None
    assert recipe["settings"]["target"] == ["a dog", "a bird"]
    for name in ("g-2.png", "in-a-dog-2.png"):
        again = printed(capsys, "replay", name)
        assert again["identical"] is True
        assert torch.equal(load(again["file"]).pixels, load(name).pixels)


def test_nothing_is_overwritten(folder: str, capsys: pytest.CaptureFixture[str], workplace: Path) -> None:
    (workplace / "g.png").write_text("mine")
    main(["generate", "a cat", "--model", folder, "--steps", "2", "--out", "g.png"])
    assert (workplace / "g.png").read_text() == "mine"
    assert "wrote g-2.png" in capsys.readouterr().out
    before = (workplace / "in.png").read_bytes()
    edit = ("edit", "in.png", "--target", "a dog", "--model", folder, "--steps", "2", "--out", "e.png")
    assert printed(capsys, *edit, "--sheet", "in.png")["files"] == ["e.png", "in-2.png"]
    assert (workplace / "in.png").read_bytes() == before


def test_a_replay_of_a_changed_input_is_refused(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["edit", "in.png", "--target", "a dog", "--model", folder, "--steps", "2", "--out", "e.png"])
    save("in.png", torch.zeros(3, 20, 30), None)
    assert "has changed since the result was made" in refused(capsys, "replay", "e.png")


def test_a_damaged_recipe_is_told(folder: str, capsys: pytest.CaptureFixture[str], workplace: Path) -> None:
    main(["edit", "in.png", "--target", "a dog", "--model", folder, "--steps", "2", "--out", "e.png"])
    recipe = read_recipe("e.png")
    assert recipe is not None
    without = {key: value for key, value in recipe.items() if key != "input"}
    for damaged, sentence in (
        (without, "This recipe cannot be replayed: input.file is missing, of a wrong type or out of range"),
        (
            {**recipe, "settings": {**recipe["settings"], "seed": "7"}},
            "This recipe is damaged or not from regrow (--seed must be a whole number; got '7'), so it cannot",
        ),
    ):
        save("d.png", load("e.png").pixels, damaged)
        assert sentence in refused(capsys, "replay", "d.png")


def test_a_replay_with_another_model_is_refused(
    folder: str, checkpoint: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["generate", "a cat", "--model", folder, "--steps", "2", "--out", "g.png"])
    recipe = read_recipe("g.png")
    assert recipe is not None
    recipe["settings"]["model"] = str(checkpoint("sd1"))
    save("other.png", load("g.png").pixels, recipe)
    assert "is not the one that made this file" in refused(capsys, "replay", "other.png")


def test_invert_saves_a_path_that_edit_and_inspect_read(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = printed(capsys, "invert", "in.png", "--source", "a cat", "--model", folder, "--steps", "4")
    assert told["file"] == "in.safetensors"
    assert told["round_trip"] < 1e-5 < told["latent_accuracy"]
    made = printed(
        capsys, "edit", "in.png", "--source", "a cat", "--target", "a dog", "--model", folder, "--steps", "4",
        "--trajectory", "in.safetensors",
    )  # fmt: skip
    assert made["recipes"][0]["figures"]["evaluations"]["inversion"] == 0
    assert printed(capsys, "inspect", "in.safetensors")["levels"] == 5


def test_inspect_shows_recipe_and_page(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["generate", "a cat", "--model", folder, "--steps", "2", "--out", "g.png"])
    capsys.readouterr()
    assert printed(capsys, "inspect", "g.png")["recipe"]["settings"]["prompt"] == "a cat"
    heights = []
    for steps in ("7", "3"):  # eight frames each way in two rows, or the four that there are in one
        facts = printed(capsys, "inspect", "in.png", "--model", folder, "--steps", steps)
        assert set(facts["round_trip"]) == {"psnr", "ssim"}
        height, width = load(facts["page"]).pixels.shape[1:]
        assert width > 500
        heights.append(height)
    assert heights[0] > 1.4 * heights[1]
    main(["inspect", "in.png"])
    assert capsys.readouterr().out.endswith("It has no recipe, so regrow did not make it.\n")
    main(["inspect", "in.png", "--out", "page.png", "--steps", "2"])
    assert "wrote page.png" in capsys.readouterr().out


def test_a_warning_is_a_sentence_too(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["generate", "a cat " * 40, "--model", folder, "--steps", "1"])
    told = capsys.readouterr().err
    assert "tokens of a prompt; these words were ignored: " in told
    assert "UserWarning" not in told
    assert all(line.startswith("regrow: ") for line in told.splitlines() if "ignored" in line)


def test_what_a_tracer_warns_of_is_not_said(capsys: pytest.CaptureFixture[str]) -> None:
    main(["models"])
    capsys.readouterr()
    warnings.warn("what is said", UserWarning, stacklevel=1)
    warnings.warn("Converting a tensor to a Python boolean", torch.jit.TracerWarning, stacklevel=1)
    said = capsys.readouterr().err
    assert "what is said" in said
    assert "Converting" not in said


def test_models_are_listed_and_shown(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "models" in printed(capsys, "models")
    shown = printed(capsys, "models", "show", folder)
    assert (shown["family"], shown["predicts"], shown["size"]) == ("stable-diffusion", "v", [32, 48])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["generate", "a cat", "--model", "nothing-here"], "nothing-here"),
        (["edit", "missing.png", "--target", "a dog"], "missing.png"),
        (["edit", "in.png", "--target", "a dog", "--strength", "7"], "strength must be above 0"),
        (["replay", "in.png"], "in.png has no recipe"),
        (["generate", "a cat", "--steps", "0"], "--steps must be a number of steps from 1"),
        (["generate", "a cat", "--size", "31", "48"], "multiple"),
        (["generate", "a cat", "--out", "g.xyz"], "g.xyz"),
        (["train", "--name", "a/b"], "--name must be usable as a file name"),
    ],
)
def test_mistakes_get_one_sentence(
    folder: str, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    if arguments[0] in ("generate", "edit") and "--model" not in arguments:
        arguments = [*arguments, "--model", folder]
    assert words in refused(capsys, *arguments)


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (["--steps", "abc"], 'Error parsing --steps: "abc" is not a whole number'),
        (["--steps", "3.5"], 'Error parsing --steps: "3.5" is not a whole number'),
        (["--strength", "much"], 'Error parsing --strength: "much" is not a number'),
        (["--size", "64", "b"], 'Error parsing --size: "b" is not a whole number'),
        (["--threads", "two"], 'Error parsing --threads: "two" is not a whole number'),
    ],
)
def test_what_is_no_number_is_said_without_the_parsers_attempts(
    capsys: pytest.CaptureFixture[str], option: list[str], said: str
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["edit", "a.png", "--target", "a dog", *option])
    assert end.value.code == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert "NoneType" not in printed


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", ".", "--name", "a", "--engine", "openvino"],
        ["train", ".", "--name", "a", "--dtype", "bfloat16"],
        ["bench", "train", "--device", "cpu"],
        ["bench", "mel", "--dtype", "float32"],
        ["verify", "storybook", "--engine", "torch"],
    ],
)
def test_no_verb_takes_an_option_that_it_would_not_heed(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert "Unrecognized" in said
    assert arguments[-2] in said


def test_ctrl_c_leaves_nothing_half_written(folder: str, workplace: Path) -> None:
    arguments = ["generate", "a cat", "--model", folder, "--steps", "1000", "--count", "4", "--out", "g.png"]
    process = subprocess.Popen(
        [sys.executable, "-m", "regrow", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        cwd=workplace,
        # a shell starts what runs in its background with Ctrl-C ignored, and a test run hands that on
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    time.sleep(1.0)
    while process.poll() is None:  # wherever it is: importing, opening, walking
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
    assert process.returncode != 0
    assert sorted(path.name for path in workplace.iterdir()) == ["in.png"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["generate", "a cat", "--threads", "-1"], "--threads must be from 1 to 1024"),
        (["generate", "a cat", "--device", "bogus"], "--device bogus cannot be used here"),
        (
            ["invert", "in.png", "--model", "bandstand"],
            "bandstand is a model of sounds: use a model of pictures, such as --model",
        ),
        (["edit", "in.png", "--target", "a dog", "--model", "bandstand"], "bandstand is a model of sounds"),
        (["inspect", "in.png", "--model", "bandstand"], "bandstand is a model of sounds"),
        (["verify", "bandstand"], "bandstand is a model of sounds: use a model of pictures, such as --model"),
        (
            ["invert", "in.png", "--out", "path.png"],
            "The path is saved as .safetensors: change the ending of --out path.png",
        ),
        (["edit", PIANO, "--target", "a slow violin melody", "--size", "64", "64"], "size and frame are for pictures"),
        (["bench", "edit", "--only", "alchemy"], "no way to edit named 'alchemy'; there are 'direct_inversion', "),
        (
            ["bench", "edit", "--model", "bandstand"],
            "bandstand is a model of sounds: use a model of pictures, such as --model",
        ),
        (
            ["bench", "sound", "--model", "storybook"],
            "storybook is a model of pictures: use a model of sounds, such as --model",
        ),
        (["bench", "edit", "--figures", "nowhere/x.json"], "cannot be written, as the folder nowhere does not exist"),
        (
            ["invert", "in.png", "--out", "nowhere/x.safetensors"],
            "cannot be written, as the folder nowhere does not exist",
        ),
        (
            ["edit", "in.png", "--target", "a dog", "--explore", "--out", "a.png", "--sheet", "b.png"],
            "--explore writes one sheet: give --out or --sheet, not both",
        ),
    ],
)
def test_what_does_not_go_together_gets_a_sentence(
    capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    assert sentence in refused(capsys, *arguments)


@pytest.mark.parametrize("more", [["--target", "a dog"], ["--target", "a dog", "--explore"]])
def test_a_model_of_sounds_is_refused_before_it_is_compiled(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, more: list[str]
) -> None:
    monkeypatch.setattr("regrow.interfaces.reporting.with_engine", None)
    assert "bandstand is a model of sounds: use a model of pictures, such as --model" in refused(
        capsys, "edit", "in.png", *more, "--model", "bandstand"
    )


def test_a_model_named_by_its_place_is_found_again_from_any_folder(
    capsys: pytest.CaptureFixture[str], folder: str, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workplace / "mine").symlink_to(folder)
    printed(capsys, "generate", "a cat", "--model", "./mine", "--steps", "1", "--guidance", "1", "--out", "cat.png")
    (workplace / "else").mkdir()
    monkeypatch.chdir(workplace / "else")
    assert printed(capsys, "replay", "../cat.png")["identical"]


def test_what_is_printed_to_be_copied_works_for_names_with_spaces(
    capsys: pytest.CaptureFixture[str], folder: str
) -> None:
    main(["generate", "a cat", "--model", folder, "--steps", "1", "--guidance", "1", "--out", "my cat.png"])
    assert "repeat with: regrow replay 'my cat.png'\n" in capsys.readouterr().out


def test_where_nothing_can_be_written_nothing_is_computed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: str, workplace: Path
) -> None:
    monkeypatch.setattr("regrow.models.open.open_model", lambda *_: pytest.fail("it opens a model"))
    (workplace / "full.png").mkdir()
    for out, why in (
        ("/proc/cat.png", "No such file"),  # where root may not write either
        ("no/cat.png", "cannot be written, as the folder no does not exist"),
        ("full.png", "is a folder"),
        ("cat.xyz", "is not one that regrow can save"),
        ("猫" * 90 + ".png", "its name is too long"),
        ("cat.png/cat.png", "cannot be written, as the folder cat.png does not exist"),
    ):
        assert why in refused(capsys, "generate", "a cat", "--model", folder, "--out", out)


@pytest.mark.parametrize("port", ["-1", "99999999"])
def test_there_is_no_such_port(capsys: pytest.CaptureFixture[str], port: str) -> None:
    assert "--port must be from 0" in refused(capsys, "serve", "--no-browser", "--port", port)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("edit a.png --target x --target y", "edit a.png --target x y"),
        ("edit a.png --target x z --steps 2 --target=y --seed 3", "edit a.png --target x z y --steps 2 --seed 3"),
        ("edit a.png --target=x --out o.png --target y z", "edit a.png --target x y z --out o.png"),
        ("edit a.png --steps 2 --steps 3 --target x", "edit a.png --steps 2 --steps 3 --target x"),
        ("generate x --lora a --steps 1 --lora b", "generate x --lora a b --steps 1"),
        ("models list", "models list"),
    ],
)
def test_a_repeated_option_of_several_values_keeps_all(typed: str, meant: str) -> None:
    verb, action = typed.split()[:2]
    assert gathered(typed.split(), lists(VERBS[verb], action)) == meant.split()


def test_a_model_that_is_named_is_taken_or_refused_but_not_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The default is for pictures, and a sound's own model takes its place; the same name given is the user's."""
    edit = ["edit", PIANO, "--target", "a flute", "--steps", "2", "--out", str(tmp_path / "out.wav")]
    main(edit)
    recipe = SOUND.read_recipe(tmp_path / "out.wav")
    assert recipe is not None
    assert recipe["model"]["name"] == "bandstand"
    with pytest.raises(SystemExit) as end:
        main([*edit[:-1], str(tmp_path / "no.wav"), "--model", "storybook"])
    assert end.value.code == 1
    assert "storybook makes pictures, not sounds" in capsys.readouterr().err
    assert not (tmp_path / "no.wav").exists()
