"""Singers: their layout, the pitch that is known, songs of any length, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
import torch

from regrow.core.progress import finish
from regrow.editing.grow import grow
from regrow.media.audio import voice
from regrow.media.audio.pitch import pitch_of
from regrow.models.errors import ModelError
from regrow.models.families.shared.singer_network import ALL, OPEN, SingerNetwork, _shares
from regrow.models.families.singer import FRAMES, Singer
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.models.saving import save_model
from regrow.models.sidecars.singers_file import SINGERS_FILE, write_singers
from regrow.requests.generate import Generate
from regrow.worlds.songbook.alignment import align
from regrow.worlds.songbook.score import read_score
from regrow.worlds.songbook.songs import song

LINE = """# singer: heart
# tempo: 100
C4 1 twˈɪŋ twinkle
C4 1 kᵊl -
G4 2 stˈɑɹ star"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("singer") / "tiny"
    Singer.write_new(made, seed=0, size="tiny")
    return made


@pytest.fixture(scope="module")
def model(folder: Path) -> Model:
    return open_model(folder)


@pytest.mark.parametrize("solver", ["ddim", "heun", "dpmpp_2m"])
@pytest.mark.parametrize("steps", [1, 4])
def test_every_solver_ends_at_the_pitch_of_the_score(model: Model, solver: str, steps: int) -> None:
    score = song(3)
    frames = align(score).frames
    request = Generate("", guidance=1.0, steps=steps, solver=solver)  # pyright: ignore[reportArgumentType]
    x, _ = finish(grow(request, model, [score.text], model.latent_shape(voice.ROWS, frames)))
    assert 60 + 24 * x[0, 0, -1].numpy() == pytest.approx(align(score).pitch, abs=0.005)


def test_a_song_of_any_length_is_one(model: Model) -> None:
    long = LINE + "\n" + "\n".join("G4 4 lˈɑ la" for _ in range(8))
    ready = model.of_score(long)
    assert ready.usual_length == align(read_score(long)).frames > 2 * FRAMES
    assert ready.windows == ()
    assert model.usual_length == FRAMES


def test_scores_are_read_frame_by_frame(model: Model) -> None:
    rows = model.tokenize([LINE, ""])
    aligned = align(read_score(LINE))
    assert rows.shape == (2, FRAMES, 6)
    assert np.array_equal(rows[0, : aligned.frames, :3].numpy(), aligned.phones())
    assert (rows[0, aligned.frames :, 0] == 0).all()
    assert (rows[1, :, 0] == 0).all()


def test_what_is_no_score_is_refused(model: Model) -> None:
    with pytest.raises(ValueError, match="sings scores"):
        model.condition(["a cat on a beach"])
    with pytest.raises(ValueError, match="no singer nobody"):
        model.condition([LINE.replace("heart", "nobody")])


def test_a_written_singer_opens_as_it_was(model: Model, tmp_path: Path) -> None:
    save_model(model, tmp_path / "again", torch.float32)
    again = open_model(tmp_path / "again")
    for name, tensor in model.network.state_dict().items():
        assert torch.equal(again.network.state_dict()[name], tensor)
    assert again.singers == ("heart", "low")


def test_voices_have_names(model: Model, tmp_path: Path) -> None:
    save_model(model, tmp_path / "mine")
    write_singers(tmp_path / "mine", ["mine", "low"])
    mine = open_model(tmp_path / "mine")
    assert mine.singers == ("mine", "low")
    mine.condition([LINE.replace("heart", "mine")])
    with pytest.raises(ValueError, match="it has mine and low"):
        mine.condition([LINE])
    (tmp_path / "mine" / SINGERS_FILE).write_text('{"singers": ["one"]}')
    with pytest.raises(ModelError, match="must hold 2 names"):
        open_model(tmp_path / "mine")


def test_the_network_only_looks_around() -> None:
    network = SingerNetwork(width=32, layers=2, score_layers=1).eval()
    torch.nn.init.normal_(network.conv_out.weight)
    x, score = torch.randn(1, 127, 200), torch.zeros(1, 200, 6)
    moved = score.clone()
    moved[:, 150:, 0] = 3
    with torch.no_grad():
        first, second = (network(x, torch.tensor([0.5]), rows) for rows in (score, moved))
    assert torch.equal(first[..., :130], second[..., :130])
    assert not torch.equal(first[..., 150:], second[..., 150:])


@pytest.mark.parametrize("s", [0.02, 0.1, 0.4, 0.8, 1.0])
def test_the_noise_passes_by_the_network(s: float) -> None:
    """Where x0 is its mean under the score, the best output has the size that `_shares` expects of it."""
    kept, made = _shares(torch.tensor([s]))
    generator = torch.Generator().manual_seed(0)
    mean = ALL * torch.randn(100_000, generator=generator)
    x0 = mean + OPEN * torch.randn(100_000, generator=generator)
    eps = torch.randn(100_000, generator=generator)
    x_t = (1 - s) * x0 + s * eps
    wanted = (kept * x_t - (eps - x0)) / made
    # what is left for the network depends on the mean and on what is open, and its scale stays within a factor
    assert 0.1 < float(wanted.std()) < 3
    linear = float((wanted * mean).mean() / mean.square().mean())
    residual = wanted - linear * mean
    assert float(residual.std()) < 1.05


def test_the_embedded_singer_sings_the_notes() -> None:
    model = open_model("songbook")
    score = read_score(LINE)
    x, _ = finish(
        grow(Generate("", guidance=1.0), model, [score.text], model.latent_shape(voice.ROWS, align(score).frames))
    )
    wave = model.sound.to_waves(model.decode(x), align(score).frames * voice.HOP)[0, 0].numpy()
    aligned, tracked = align(score), pitch_of(wave)
    for begin, end in aligned.onsets.values():
        inside = slice(begin * 2 + 6, end * 2 - 14)
        assert np.median(100 * np.abs(tracked[inside] - aligned.pitch[inside])) < 15
