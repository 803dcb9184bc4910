"""ACE-Step 1.5 is what diffusers' pipeline makes of it: conditions, tasks, any length; and its folders' mistakes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny import ace_step as tiny

import regrow
from regrow.core.noise import noise
from regrow.core.solvers import ddim, last, solve
from regrow.media.audio.sound import load, save
from regrow.media.frame import Region
from regrow.models.condition import Condition
from regrow.models.families.ace_step import PEAK, AceStep
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.models.song import Song, song_prompt
from regrow.requests.extend import Extend

pytestmark = pytest.mark.usefixtures("home")
Checkpoint = Callable[[str], Path]
STEPS, TOLERANCE = 20, 1e-4
OLD, NEW = "[verse]\nold words", "[verse]\nother words that are sung"
CELLS = 100  # 20 s
WAVE = torch.rand(2, CELLS * tiny.FACTOR, generator=torch.Generator().manual_seed(4)) - 0.5


def ace(checkpoint: Checkpoint, name: str = "ace-step-covers") -> AceStep:
    model = open_model(checkpoint(name))
    assert isinstance(model, AceStep)
    return model.of_length(WAVE.shape[-1])


def walked(model: Model, prompt: str, guidance: float = 5.0) -> tuple[torch.Tensor, torch.Tensor]:
    """The start of a walk, and what the model makes of it."""
    x = noise((tiny.LATENT, CELLS), [5])
    denoise = model.denoiser(model.condition([prompt]), None, guidance)
    return x, last(solve(ddim, denoise, x, model.grid(STEPS, shape=x.shape[1:])))


def theirs(folder: Path, x: torch.Tensor, guidance: float = 5.0, **options: Any) -> torch.Tensor:
    return tiny.latents(folder, ["pop"], None, guidance, STEPS, x, **options)


SONGS: dict[str, tuple[Song, dict[str, Any]]] = {
    "plain": (Song(), {}),
    "lyrics": (Song(NEW), {"lyrics": NEW}),
    "language by its script": (Song("猫"), {"lyrics": "猫", "vocal_language": "zh"}),
    "language": (Song(NEW, language="de"), {"lyrics": NEW, "vocal_language": "de"}),
    "bpm": (Song(bpm=92), {"bpm": 92}),
    "key": (Song(key="A minor"), {"keyscale": "A minor"}),
    "time signature": (Song(time_signature="3"), {"timesignature": "3"}),
    "duration": (Song(), {"audio_duration": 7.5}),
}


@pytest.mark.parametrize("name", SONGS)
def test_what_a_song_says_is_encoded_as_by_the_pipeline(checkpoint: Checkpoint, name: str) -> None:
    song, said = SONGS[name]
    model, pipe = ace(checkpoint), tiny.opened(checkpoint("ace-step-covers"))
    plain = model.condition(["pop"]).tokens
    if "audio_duration" in said:
        model = model.of_length(int(said["audio_duration"] * tiny.RATE))
    given: list[torch.Tensor] = []
    forward = pipe.transformer.forward

    def noted(**inputs: Any) -> Any:
        given.append(inputs["encoder_hidden_states"])
        return forward(**inputs)

    pipe.transformer.forward = noted
    said = {"audio_duration": 20.0, **said}
    pipe("pop", num_inference_steps=1, guidance_scale=1.0, output_type="latent", **said)
    found = model.condition([song_prompt("pop", song)])
    assert found.mask is None
    torch.testing.assert_close(found.tokens, given[0], atol=1e-6, rtol=0)
    same = found.tokens.shape == plain.shape and (found.tokens - plain).abs().max() < 1e-3
    assert same == (name == "plain")


@pytest.mark.parametrize("guidance", [1.0, 5.0])
def test_a_span_is_repainted_as_by_the_pipeline(checkpoint: Checkpoint, guidance: float) -> None:
    model, folder = ace(checkpoint), checkpoint("ace-step-covers")
    mask = torch.zeros(1, 1, CELLS)
    mask[..., 30:60] = 1
    x, ours = walked(model.with_known(WAVE[None], model.encode(WAVE[None]), Region(latents=mask)), "pop", guidance)
    span = {"repainting_start": 30 * tiny.FACTOR / tiny.RATE, "repainting_end": 60 * tiny.FACTOR / tiny.RATE}
    wanted = theirs(folder, x, guidance, task_type="repaint", src_audio=WAVE, **span)
    assert (ours - wanted).abs().max() < TOLERANCE
    assert (ours - walked(model, "pop", guidance)[1]).abs().max() > 0.02


@pytest.mark.parametrize("cells", [CELLS, CELLS - 3])
def test_a_cover_is_the_pipelines(checkpoint: Checkpoint, cells: int) -> None:
    model, folder, wave = ace(checkpoint), checkpoint("ace-step-covers"), WAVE[:, : cells * tiny.FACTOR]
    model = model.of_length(wave.shape[-1]).covering(wave)
    x = noise((tiny.LATENT, cells), [5])
    ours = last(solve(ddim, model.denoiser(model.condition(["pop"]), None, 5.0), x, model.grid(STEPS)))
    assert (ours - theirs(folder, x, task_type="cover", src_audio=wave)).abs().max() < TOLERANCE
    assert (ours - theirs(folder, x)).abs().max() > 0.02


@pytest.mark.parametrize("samples", [7 * tiny.RATE, 33 * tiny.RATE + 7])
def test_a_reference_sound_is_conditioned_on_as_by_the_pipeline(checkpoint: Checkpoint, samples: int) -> None:
    model, folder = ace(checkpoint, "ace-step"), checkpoint("ace-step")
    sound = torch.rand(2, samples, generator=torch.Generator().manual_seed(6)) - 0.5
    x, ours = walked(model.sounding_like(sound), "pop")
    assert (ours - theirs(folder, x, reference_audio=sound)).abs().max() < TOLERANCE
    assert (ours - theirs(folder, x)).abs().max() > 1e-3


def test_a_cover_may_sound_like_another_recording(checkpoint: Checkpoint) -> None:
    model, folder = ace(checkpoint), checkpoint("ace-step-covers")
    x, ours = walked(model.covering(WAVE).sounding_like(-WAVE), "pop")
    wanted = theirs(folder, x, task_type="cover", src_audio=WAVE, reference_audio=-WAVE)
    assert (ours - wanted).abs().max() < TOLERANCE


def test_a_row_is_the_same_alone_as_beside_longer_and_shorter_lyrics(checkpoint: Checkpoint) -> None:
    model = ace(checkpoint, "ace-step").batched()
    songs = [song_prompt("pop", Song(lyrics)) for lyrics in (OLD, 3 * NEW, "", OLD)]
    x, level = noise((tiny.LATENT, CELLS), range(4)), model.grid(10)[3]
    condition = model.condition(songs)
    assert condition.mask is not None
    for guidance in (1.0, 5.0, torch.tensor([1.0, 3.0, 5.0, 7.0]).reshape(4, 1, 1)):
        for negative in (None, model.condition(["a fog"])):
            together = model.denoiser(condition, negative, guidance)(x, level).x0
            for i, song in enumerate(songs):
                own = guidance[i : i + 1] if isinstance(guidance, torch.Tensor) else guidance
                alone = model.denoiser(model.condition([song]), negative, own)(x[i : i + 1], level).x0
                assert (together[i] - alone[0]).abs().max() < TOLERANCE


def test_one_null_token_is_attended_to_as_any_number_of_them(checkpoint: Checkpoint) -> None:
    model = ace(checkpoint, "ace-step")
    x, level = noise((tiny.LATENT, CELLS), [1]), model.grid(10)[3]
    null = model.unconditional(1)
    many = Condition(null.tokens.expand(1, 77, -1))
    assert (model.denoiser(null)(x, level).x0 - model.denoiser(many)(x, level).x0).abs().max() < 1e-5


def test_the_same_lyrics_keep_a_song_and_others_change_it(checkpoint: Checkpoint, tmp_path: Path) -> None:
    save(tmp_path / "song.wav", WAVE, tiny.RATE)
    model = open_model(checkpoint("ace-step"))
    same, changed = (
        regrow.edit(
            tmp_path / "song.wav", source="pop", lyrics=OLD, to_lyrics=after, model=model, steps=6, guidance=5.0
        )
        for after in (OLD, NEW)
    )
    assert (same.frames[0] - same.codec).abs().max() < TOLERANCE
    assert (changed.frames[0] - changed.codec).abs().max() > 1e-3


def test_a_new_song_is_the_pipelines_wave(checkpoint: Checkpoint) -> None:
    folder, shape = checkpoint("ace-step"), (tiny.LATENT, 152)
    options: dict[str, Any] = {"steps": 4, "guidance_share": 1.0, "prompt_expansion": "off", "seed": 5}
    model = open_model(folder)
    made = regrow.generate("pop", lyrics=NEW, bpm=92, duration=30.3, model=model, **options).items[0]
    x, seconds = noise(shape, [5]).transpose(1, 2), 30.3
    pipe = tiny.opened(folder)
    wanted = pipe(
        "pop", lyrics=NEW, bpm=92, audio_duration=seconds, num_inference_steps=4, latents=x, guidance_scale=7.0
    ).audios[0]
    assert made.shape == (2, round(30.3 * tiny.RATE))
    # the pipeline keeps what is in the last cell beyond the duration, and seeks the peak there, too
    wanted = wanted[:, : made.shape[1]] / wanted[:, : made.shape[1]].abs().max() * PEAK
    assert (made - wanted).abs().max() < 1e-4


def test_only_what_is_new_is_brought_to_the_peak(checkpoint: Checkpoint, tmp_path: Path) -> None:
    model = ace(checkpoint, "ace-step")
    loud = 40 * model.encode(WAVE[None])
    decoded = model.decode(loud)
    assert decoded.abs().max() > 1
    assert model.sound.to_waves(decoded, decoded.shape[-1]).abs().max() == pytest.approx(PEAK, abs=1e-6)
    torch.testing.assert_close(model.sound.to_waves(decoded, decoded.shape[-1], 0.5), decoded / 2)
    save(tmp_path / "quiet.wav", WAVE / 100, tiny.RATE)
    edited = regrow.edit(tmp_path / "quiet.wav", "rock", source="pop", model=model, steps=2)
    assert edited.items[0].abs().max() < 0.2


def test_it_takes_any_length_at_once_up_to_ten_minutes(checkpoint: Checkpoint) -> None:
    model, cells = ace(checkpoint, "ace-step"), 450  # 90 s, more than is made where nothing is said
    long = model.of_length(cells * tiny.FACTOR)
    x = noise((tiny.LATENT, cells), [5])
    ours = last(solve(ddim, long.denoiser(long.condition(["pop"]), None, 5.0), x, long.grid(STEPS)))
    assert (ours - theirs(checkpoint("ace-step"), x)).abs().max() < TOLERANCE
    assert model.of_length(600 * tiny.RATE).windows == (3000,)
    with pytest.raises(ValueError, match=r"takes sounds of up to 600 s; got 601 s: cut it into parts\."):
        model.of_length(601 * tiny.RATE)


def test_a_loop_looks_the_same_from_its_middle(checkpoint: Checkpoint) -> None:
    model = ace(checkpoint, "ace-step")
    model.source = torch.full((1, tiny.LATENT, CELLS), 0.3)
    x, level = noise((tiny.LATENT, CELLS), [5]), model.grid(10)[3]
    loop, line = (model.denoiser(model.condition(["pop"]), closed=closed) for closed in (True, False))
    turned = loop(x.roll(CELLS // 2, -1), level).x0
    assert (turned.roll(-(CELLS // 2), -1) - loop(x, level).x0).abs().max() < 1e-5
    assert (line(x.roll(CELLS // 2, -1), level).x0.roll(-(CELLS // 2), -1) - line(x, level).x0).abs().max() > 1e-3


def test_songs_go_on_are_covered_and_sound_like_others(checkpoint: Checkpoint, tmp_path: Path) -> None:
    file, model = tmp_path / "song.wav", open_model(checkpoint("ace-step-covers"))
    save(file, WAVE, tiny.RATE)
    longer = regrow.extend(Extend(file, "pop", 5.0, lyrics=NEW, steps=2), model=model)
    assert longer.items[0].shape[-1] == WAVE.shape[-1] + 5 * tiny.RATE
    assert torch.equal(longer.items[0][:, slice(*longer.known)], load(file).wave)
    plain = regrow.generate("pop", duration=20.0, model=model, steps=2).items[0]
    for given in ({"melody": file}, {"reference_sound": file, "duration": 20.0}):
        made = regrow.generate("pop", model=model, steps=2, **given)
        assert made.items[0].shape == plain.shape
        assert not torch.equal(made.items[0], plain)
        (path,) = made.save(tmp_path / f"{next(iter(given))}.wav")
        assert regrow.replay(path).identical


def test_an_edit_without_a_path_is_told_what_stays(
    checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, model = tmp_path / "song.wav", open_model(checkpoint("ace-step"))
    save(file, WAVE, tiny.RATE)
    tasks: list[str] = []
    condition = AceStep.condition
    monkeypatch.setattr(AceStep, "condition", lambda self, words: tasks.append(self.task) or condition(self, words))
    for method, task in (("img2img", "repaint"), ("direct_inversion", "text2music")):
        tasks.clear()
        regrow.edit(file, "rock", source="pop", span="5:10", method=method, model=model, steps=3)
        assert set(tasks) == {task}


def test_words_that_are_not_read_are_named(checkpoint: Checkpoint) -> None:
    model = ace(checkpoint, "ace-step")
    with pytest.warns(UserWarning, match=r"reads 256 tokens of a style .*; this part was ignored: .*20 seconds"):
        model.condition(["x" * 300])
    with pytest.warns(UserWarning, match=r"reads 2048 tokens of lyrics; this part was ignored: .*the end$"):
        model.condition([song_prompt("pop", Song("la " * 700 + "the end"))])


def test_what_does_not_belong_together_is_refused(checkpoint: Checkpoint) -> None:
    model = ace(checkpoint, "ace-step")
    with pytest.raises(ValueError, match="has no audio_tokenizer, audio_token_detokenizer, which a melody needs"):
        model.covering(WAVE)
    known = model.with_known(WAVE[None], model.encode(WAVE[None]), Region(latents=torch.ones(1, 1, CELLS)))
    with pytest.raises(ValueError, match="The source has 100 cells, but the latents have 101"):
        known.beside(noise((tiny.LATENT, 101), [1]))
    two = model.with_known(WAVE[None], model.encode(WAVE[None]), Region(latents=torch.ones(2, 1, CELLS)))
    with pytest.raises(ValueError, match="2 sources do not fit a batch of 3"):
        two.beside(noise((tiny.LATENT, CELLS), range(3)))
