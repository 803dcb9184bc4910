"""Sounds by the same verbs as pictures: generated, edited, replayed, looped, by a model that was never trained."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from homes import sharing_engines

from regrow.core.progress import finish
from regrow.editing.edit import edit
from regrow.editing.explore import explore
from regrow.editing.extend import extend
from regrow.editing.generate import generate
from regrow.editing.interpolate import interpolate
from regrow.editing.invert import invert
from regrow.editing.replay import recipe_in, request_from
from regrow.editing.replay import replay as replay_recipe
from regrow.editing.trajectories import save_trajectory
from regrow.interfaces.cli import main
from regrow.media.audio.medium import MEDIUM as SOUND
from regrow.media.audio.mel import MelSettings, to_mel
from regrow.media.audio.sound import load, read_recipe, save
from regrow.media.files import MediaError
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.models.saving import write_new
from regrow.requests.edit import Edit
from regrow.requests.extend import Extend
from regrow.requests.generate import Generate
from regrow.requests.interpolate import Interpolate
from regrow.requests.invert import Invert
from regrow.worlds.bandstand.playing import VOCABULARY, Phrase, play

RATE = 22_050


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("models") / "untrained"
    folder.mkdir()
    write_new(folder, seed=0, size="tiny", extent=(128, 512), objective="v", words=VOCABULARY, mel=MelSettings())
    return open_model(folder)


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGROW_HOME", str(sharing_engines(tmp_path / "home")))


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A stereo clip at another rate than the model's, and of no whole number of frames."""
    path = tmp_path / "clip.wav"
    wave = torch.from_numpy(play(Phrase(), 1.3).wave)
    save(path, torch.cat([wave, 0.5 * wave]), 32_000)
    return path


def asking(**settings: object) -> Generate:
    return Generate("a slow sad piano melody", steps=2, **settings)  # pyright: ignore[reportArgumentType]


def test_sounds_have_the_asked_duration_and_each_its_own_seed(model: Model) -> None:
    made = finish(generate(asking(duration=1.234, count=2), model))
    assert (torch.stack(made.items).shape, made.rate) == ((2, 1, round(1.234 * RATE)), RATE)
    alone = finish(generate(asking(duration=1.234, seed=1), model))
    assert (alone.frames[0] - made.frames[1]).abs().max() < 1e-4
    assert finish(generate(asking(), model)).items[0].shape[-1] == 512 * 256


def test_longer_than_the_model_grows_in_windows(model: Model) -> None:
    made = finish(generate(asking(duration=8.0), model))
    assert made.items[0].shape[-1] == 8 * RATE
    assert made.items[0].isfinite().all()


def test_a_loop_has_whole_latents_and_no_jump_at_its_seam(model: Model) -> None:
    made = finish(generate(asking(duration=2.0, loop=True), model))
    wave = made.items[0][0]
    assert len(wave) % (256 * model.multiple) == 0
    jumps = (wave - wave.roll(1)).abs()
    assert jumps[0] <= jumps[1:].max()


def test_what_is_for_pictures_is_refused(model: Model) -> None:
    with pytest.raises(ValueError, match="makes sounds; give a duration"):
        finish(generate(asking(size=(64, 64)), model))
    with pytest.raises(ValueError, match="region and mask are for pictures"):
        finish(edit(Edit(Path("a.wav"), ("a violin",), region="0,0,1,0.5"), model))
    with pytest.raises(ValueError, match="is a model of sounds: use a model of pictures, such as --model"):
        finish(edit(Edit(Path("a.png"), ("a violin",)), model))
    with pytest.raises(ValueError, match=r"duration must be from 0.1 to 600 seconds; got 0"):
        asking(duration=0.0)


def test_a_file_is_heard_in_mono_at_the_models_rate_and_told_so(model: Model, clip: Path) -> None:
    heard = SOUND.load(clip, model, None)
    there = load(clip)
    assert heard.wave.shape == (1, round(there.wave.shape[-1] * RATE / 32_000))
    assert heard.content.shape[-1] % model.multiple == 0
    assert [note.split(" of ")[0] for note in heard.notes[:1]] == ["The 2 channels"]
    assert "resampled from 32000 Hz to the model's 22050 Hz" in heard.notes[1]


def test_silence_is_refused(model: Model, tmp_path: Path) -> None:
    save(tmp_path / "silent.wav", torch.zeros(1, 4000), RATE)
    with pytest.raises(MediaError, match="is silent; there is nothing in it to edit"):
        SOUND.load(tmp_path / "silent.wav", model, None)


def test_an_edit_has_the_files_rate_and_length_and_is_replayed(model: Model, clip: Path, tmp_path: Path) -> None:
    request = Edit(
        clip, ("a violin melody", "a flute melody"), "a piano melody", model=model.name, steps=3, method="naive"
    )
    edited = finish(edit(request, model))
    assert edited.rate == 32_000
    assert [wave.shape for wave in edited.items] == [load(clip).wave.shape] * 2
    assert not edited.reused
    assert finish(edit(request, model)).reused
    out = tmp_path / "out.flac"
    save(out, edited.items[1], edited.rate, edited.recipes[1])
    recipe = recipe_in(out)
    again = finish(replay_recipe(recipe, request_from(recipe, clip.parent), model))
    assert again.identical
    assert again.rate == 32_000


def test_outside_a_span_every_sample_stays(model: Model, clip: Path) -> None:
    request = Edit(
        clip, ("a violin melody",), "a piano melody", model=model.name, steps=3, span="0.25:0.75", cache=False
    )
    edited = finish(edit(request, model))
    there, (wave,) = load(clip).wave, edited.items
    changed = (wave != there).any(0).nonzero().flatten()
    assert wave.shape == there.shape
    assert 0.25 * 32_000 <= int(changed.min()) < 0.27 * 32_000
    assert 0.73 * 32_000 < int(changed.max()) < 0.75 * 32_000
    assert not [note for note in edited.notes if "span" in note]
    behind = finish(edit(replace(request, span="0.25:7"), model)).notes
    assert f"span ends at 7 s, but {clip.name} ends at 0.90 s: what may change ends there." in behind
    with pytest.raises(ValueError, match=r"span begins at 9 s, but .* ends at 0\.90 s"):
        finish(edit(replace(request, span="9:10"), model))
    with pytest.raises(ValueError, match="span must be a start and an end in seconds"):
        replace(request, span="3-4")


def test_a_longer_sound_holds_the_file_bit_for_bit_and_is_replayed(model: Model, clip: Path, tmp_path: Path) -> None:
    request = Extend(clip, "a slow piano melody", 0.5, 0.25, model=model.name, steps=2, count=2)
    longer = finish(extend(request, model))
    there, before, after = load(clip).wave, round(0.25 * 32_000), round(0.5 * 32_000)
    assert longer.rate == 32_000
    assert longer.known == (before, before + there.shape[-1])
    for wave in longer.items:
        assert wave.shape == (2, before + there.shape[-1] + after)
        assert torch.equal(wave[:, slice(*longer.known)], there)
    first, second = (wave[0] for wave in longer.items)
    assert (first != second)[:before].any()
    assert (first != second)[-after:].any()
    save(tmp_path / "out.wav", longer.items[1], longer.rate, longer.recipes[1])
    recipe = recipe_in(tmp_path / "out.wav")
    assert finish(replay_recipe(recipe, request_from(recipe, clip.parent), model)).identical


def test_what_is_added_grows_beside_the_end_of_a_long_file(model: Model, tmp_path: Path) -> None:
    wave = torch.from_numpy(play(Phrase(), 8.0).wave)
    save(tmp_path / "long.wav", wave, RATE)
    longer = finish(extend(Extend(tmp_path / "long.wav", "a piano melody", 0.5, model=model.name, steps=1), model))
    steps_back = {
        progress.x.shape[-1]
        for progress in extend(Extend(tmp_path / "long.wav", after=4, steps=1), model)
        if progress.x is not None
    }
    assert longer.items[0].shape == (1, 8 * RATE + RATE // 2)
    assert steps_back == {16 + 22}  # latents: half a window that is known, and 4 s that are new


def test_between_two_sounds_the_ends_are_what_the_codec_makes_of_them(model: Model, clip: Path, tmp_path: Path) -> None:
    save(tmp_path / "short.wav", torch.from_numpy(play(Phrase(instrument="violin"), 1.0).wave)[:, :9000], RATE)
    ends = (clip, tmp_path / "short.wav")
    request = Interpolate(str(ends[0]), str(ends[1]), ("a piano", "a violin"), 3, str(model.folder), steps=2)
    made = finish(interpolate(request, model))
    first, second = (SOUND.load(end, model, None) for end in ends)
    assert made.rate == RATE
    assert torch.stack(made.items).shape == (3, 1, first.wave.shape[-1])
    assert "The shorter sound was extended with silence." in made.notes
    silence = torch.full((1, 128, first.content.shape[-1] - second.content.shape[-1]), -1.0)
    for mel, end in ((made.frames[0], first.content), (made.frames[2], torch.cat([second.content, silence], -1))):
        assert (mel - model.decode(model.encode(end[None]))[0]).abs().max() < 2e-3
    save(tmp_path / "middle.wav", made.items[1], RATE, made.recipes[1])
    recipe = recipe_in(tmp_path / "middle.wav")
    assert finish(replay_recipe(recipe, request_from(recipe, clip.parent), model)).identical


def test_strengths_and_guidances_of_a_sound_are_laid_out_as_mels(model: Model, clip: Path) -> None:
    request = Edit(clip, ("a violin melody",), "a piano melody", model=model.name, steps=2, method="naive")
    explored = finish(explore(request, model, (0.5, 1.0), (1.0, 2.0)))
    assert [(cell.request.strength, cell.request.guidance) for cell in explored.cells] == [
        (0.5, 1.0), (0.5, 2.0), (1.0, 1.0), (1.0, 2.0),
    ]  # fmt: skip
    assert all(cell.picture.shape[:2] == (3, 128) for cell in explored.cells)
    assert all((cell.to_source["mel"] or 0) > 0 for cell in explored.cells)
    assert explored.rows[1].cells[0].captions[1].endswith("dB of mel")


def test_a_sound_is_inverted_to_a_path_that_its_edit_starts_from(model: Model, clip: Path, tmp_path: Path) -> None:
    words = {"source": "a piano melody", "model": str(model.folder), "steps": 3}
    inverted = finish(invert(Invert(clip, **words, reference=0), model))  # pyright: ignore[reportArgumentType]
    assert inverted.round_trip < 1e-5
    save_trajectory(tmp_path / "path.safetensors", inverted.trajectory, inverted.made_of)
    request = Edit(clip, ("a violin melody",), **words, cache=False)  # pyright: ignore[reportArgumentType]
    plain, started = (
        finish(edit(replace(request, trajectory=path), model)) for path in (None, tmp_path / "path.safetensors")
    )
    assert started.reused
    assert torch.equal(plain.items[0], started.items[0])


def test_a_sound_is_not_extended_by_nothing(model: Model, clip: Path) -> None:
    with pytest.raises(ValueError, match="extend needs a number of seconds to add"):
        Extend(clip, after=0)
    with pytest.raises(ValueError, match=r"before must be 0, or from 0.1 to 600 seconds; got -1"):
        Extend(clip, before=-1)


def test_img2img_is_a_variation_that_leaves_the_sound_further_the_stronger_it_is(model: Model, clip: Path) -> None:
    request = Edit(clip, ("a violin melody",), model=model.name, method="img2img", steps=4, strength=0.25)
    near, far = (finish(edit(replace(request, strength=strength), model)) for strength in (0.25, 1.0))
    assert near.recipes[0]["figures"]["evaluations"] == {"inversion": 0, "regrowth": 2}
    assert (near.frames - near.codec).abs().mean() < 0.7 * (far.frames - far.codec).abs().mean()


def test_with_the_same_words_anchored_gives_what_the_codec_gives(model: Model, clip: Path) -> None:
    request = Edit(
        clip, ("a piano melody",), "a piano melody", model=model.name, steps=4, method="direct_inversion", cache=False
    )
    edited = finish(edit(request, model))
    assert (edited.frames[0] - edited.codec).abs().max() < 1e-3


def test_the_mel_of_what_is_sounded_is_the_mel_that_was_meant(model: Model, clip: Path) -> None:
    heard = SOUND.load(clip, model, None)
    settings = model.mel
    assert settings
    wave = model.sound.to_waves(heard.content[None], heard.wave.shape[-1])
    loud = to_mel(heard.wave[None], settings) > -60
    error = (to_mel(wave, settings) - to_mel(heard.wave[None], settings)).abs()[loud]
    assert float(error.mean()) < 1.5


def test_the_command_line_makes_and_changes_sounds(
    model: Model, clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, sheet = tmp_path / "made.ogg", tmp_path / "sheet.png"
    main(["generate", "a slow piano melody", "--model", str(model.folder), "--steps", "2", "--duration", "1",
          "--engine", "torch", "--out", str(out)])  # fmt: skip
    assert (load(out).rate, load(out).wave.shape) == (RATE, (1, RATE))
    recipe = read_recipe(out)
    assert recipe
    assert recipe["settings"]["prompt"] == "a slow piano melody"
    main(["edit", str(clip), "--source", "a piano melody", "--target", "a violin melody", "--model",
          str(model.folder), "--steps", "2", "--method", "naive", "--engine", "torch", "--sheet", str(sheet),
          "--out", str(tmp_path / "violin.wav")])  # fmt: skip
    assert load(tmp_path / "violin.wav").wave.shape == load(clip).wave.shape
    assert sheet.stat().st_size > 1000
    main(["replay", str(tmp_path / "violin.wav"), "--out", str(tmp_path / "again.wav")])
    assert "the same, bit for bit" in capsys.readouterr().out
    main(["extend", str(clip), "a piano melody", "--after", "0.5", "--model", str(model.folder), "--steps", "1",
          "--engine", "torch", "--out", str(tmp_path / "longer.wav")])  # fmt: skip
    assert "1.40 s; from 0.00 to 0.90 s it is the file, unchanged" in capsys.readouterr().out
