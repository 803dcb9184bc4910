"""Recordings of one's own voice: words found in them, pieces that fit the model, and a model with the voice's name."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from regrow.core.progress import finish
from regrow.media.audio import voice
from regrow.media.files import MediaError
from regrow.models.open import open_model
from regrow.prompts.songs.lyrics import SungWord
from regrow.requests.train import Train
from regrow.training.songs.voice_alignment import score_of_recording
from regrow.training.songs.voice_folder import CONSENT, voice_folder_data
from regrow.training.train import train
from regrow.worlds.songbook.alignment import FRAME, UNIT, align
from regrow.worlds.songbook.score import Score, read_score
from regrow.worlds.songbook.songs import song

teacher = pytest.importorskip("regrow.worlds.songbook.teacher")
pytest.importorskip("onnx")
pytestmark = pytest.mark.usefixtures("home")


def sung(count: int) -> list[tuple[Score, np.ndarray]]:
    """Songs in which every vowel is sung."""
    found: list[tuple[Score, np.ndarray]] = []
    seed = 9_300_000
    while len(found) < count:
        score = song(seed)
        wave = teacher.sing(score)
        if score.notes and not teacher.unvoiced_vowels(score, wave):
            found.append((score, wave))
        seed += 1
    return found


def test_words_are_found_in_a_recording() -> None:
    model, off = open_model("songbook"), []
    for score, wave in sung(6):
        words: list[list[str]] = []
        for note in score.notes:
            if note.word not in ("", "-"):
                words.append([note.word, note.phones])
            elif note.word == "-":
                words[-1][1] += note.phones
        late = np.concatenate([np.zeros(3000), wave])  # it does not begin where a score does
        found, begin = score_of_recording(late, [SungWord(*word) for word in words], model)
        true = np.array([onset for onset, _ in align(score).onsets.values()]) * UNIT * FRAME + 3000 / voice.RATE
        there = np.array([onset for onset, _ in align(found).onsets.values()]) * UNIT * FRAME + begin / voice.RATE
        off += [*np.abs(there - true)]
    assert np.median(off) < 0.03
    assert np.mean(np.array(off) < 0.1) > 0.8


def test_a_recording_of_nothing_is_refused() -> None:
    model = open_model("songbook")
    with pytest.raises(ValueError, match="it is silent"):
        score_of_recording(np.zeros(voice.RATE), [SungWord("la", "lˈɑ")], model)
    with pytest.raises(ValueError, match="40 syllables do not fit"):
        score_of_recording(0.1 * np.sin(np.arange(voice.RATE) / 20), [SungWord("la", "lˈɑ")] * 40, model)


def test_a_folder_becomes_a_model_that_sings_by_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "voice"
    folder.mkdir()
    for number, (score, wave) in enumerate(sung(3)):
        soundfile.write(folder / f"{number}.wav", 0.3 * wave, 24_000)
        (folder / f"{number}.txt").write_text(" ".join(score.words))
    soundfile.write(folder / "silent.wav", np.zeros(24_000), 24_000)
    (folder / "silent.txt").write_text("nothing")
    data = finish(voice_folder_data(folder, 8, open_model("songbook")))
    assert data.items.shape[1:] == (voice.ROWS, 400, 1)
    assert data.notes[0] == CONSENT
    assert any(note.startswith("silent.wav was left out") for note in data.notes)
    for i in range(len(data.items)):
        aligned = align(read_score(data.caption(i, 0)))
        assert data.items[i, -1, : aligned.frames, 0] == pytest.approx((aligned.pitch - 60) / 24, abs=2e-3)
    made = finish(train(Train(folder, name="mine", start="songbook", steps=1, batch=2, drop=0.0, sample_minutes=0)))
    assert made
    mine = open_model("mine")
    assert mine.singers == ("mine", "low")


def test_a_folder_without_words_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "voice"  # beside the home that the fixture may have put there
    folder.mkdir()
    soundfile.write(folder / "one.wav", 0.1 * np.sin(np.arange(24_000) / 20), 24_000)
    with pytest.raises(MediaError, match="no recording whose words could be found"):
        finish(voice_folder_data(folder, 8, open_model("songbook")))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"world": "bandstand", "start": "songbook"}, "cannot be trained on the bandstand"),
        ({"world": "songbook", "start": "bandstand"}, "cannot be trained on the songbook"),
    ],
)
def test_worlds_are_learned_by_their_models(settings: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        finish(train(Train(name="odd", steps=1, **settings)))  # pyright: ignore[reportArgumentType]


def test_a_new_singer_learns_the_songbook(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="A new singer is trained on the songbook \\(--world songbook\\)"):
        Train(tmp_path, name="mine", family="singer", steps=1)
    assert Train(world="songbook", name="mine", steps=1).family == "singer"
