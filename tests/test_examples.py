"""The examples and the demo run as a reader would run them, on the model that regrow carries."""

import runpy
from pathlib import Path

import pytest
from homes import sharing_engines

from regrow.core.progress import finish
from regrow.editing.edit import edit
from regrow.interfaces import demo
from regrow.media.audio.sound import load as load_sound
from regrow.media.image.picture import load, read_recipe
from regrow.models.open import open_model
from regrow.requests.edit import Edit
from regrow.requests.generate import Generate

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted(path for path in (ROOT / "examples").glob("*.py") if path.name != "client.py")
"""All but the one that needs a server: tests/interfaces/server/test_client.py runs that."""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGROW_HOME", str(sharing_engines(tmp_path / "home")))


@pytest.mark.parametrize("script", EXAMPLES, ids=lambda path: path.name)
def test_an_example_runs_and_is_short(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(script.read_text().splitlines()) <= 30
    monkeypatch.setattr("sys.argv", [str(script), str(tmp_path / "out")])
    runpy.run_path(str(script), run_name="__main__")
    assert capsys.readouterr().out.strip()


def test_the_demo_writes_what_it_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for request in (Edit, Generate):  # in few steps: how good its pictures are is not looked at here
        monkeypatch.setattr(
            demo, request.__name__, lambda *given, _of=request, **named: _of(*given, **named | {"steps": 3})
        )
    demo.main(tmp_path)
    told = capsys.readouterr().out
    for name in ("generated.png", "generated-puppy.png", "shipped-puppy.png", "shipped-img2img.png", "comparison.png"):
        assert name in told
        assert load(tmp_path / name).pixels.numel()
    recipe = read_recipe(tmp_path / "shipped-puppy.png")
    assert recipe is not None
    assert recipe["settings"]["target"] == [demo.TARGET]
    for name in ("marimba.wav", "piano-violin.wav", "piano-img2img.wav", "sounds.png"):
        assert name in told
    violin, piano = (load_sound(path) for path in (tmp_path / "piano-violin.wav", demo.EXAMPLES / "piano.flac"))
    assert (violin.rate, violin.wave.shape) == (piano.rate, piano.wave.shape)
    assert load(tmp_path / "sounds.png").pixels.numel()
    assert "Try next" in told


@pytest.mark.parametrize("steps", [5, 50])
def test_the_embedded_model_reconstructs_to_its_codec(steps: int) -> None:
    words = demo.SOURCE
    request = Edit(demo.EXAMPLES / "cat.png", (words,), words, steps=steps, strength=1.0, cache=False)
    edited = finish(edit(request, open_model("storybook")))
    assert (edited.frames[0] - edited.codec).abs().max() < 1e-3
