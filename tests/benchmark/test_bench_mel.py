"""The benchmark of mels: distances of what is known, and the order that its rows must have."""

import io
import sys

import pytest
import torch

from regrow.benchmark.mel import bench_mel, clips_in, distances, phrases, print_table
from regrow.benchmark.riffusion import bench_riffusion
from regrow.core.progress import finish
from regrow.media.audio.mel import MelSettings
from regrow.media.audio.sound import save

SETTINGS = MelSettings()


def test_a_wave_is_at_no_distance_from_itself_however_loud_and_another_is_far() -> None:
    clip, other = phrases(2)
    convergence, log_mel = distances(0.1 * clip, clip, SETTINGS)
    assert convergence < -80
    assert log_mel == pytest.approx(0, abs=0.01)
    far = distances(other, clip, SETTINGS)
    assert far[0] > -3
    assert far[1] > 5


def test_regrow_is_nearer_than_its_parts_alone_and_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "librosa", None)
    figures = finish(bench_mel([clip[:, :30_000] for clip in phrases(2)]))
    ways = {way.name: way for way in figures.ways}
    assert ways["regrow"].log_mel.value < ways["regrow, phase alone"].log_mel.value
    assert ways["regrow"].log_mel.value < ways["pseudo-inverse, phase from chance, 32"].log_mel.value
    assert ways["regrow, true phase"].convergence.value < ways["regrow"].convergence.value
    out = io.StringIO()
    print_table(figures, out)
    assert "librosa is not installed" in out.getvalue()
    assert max(map(len, out.getvalue().splitlines())) <= 120


def test_a_folder_of_sounds_is_taken_in_mono_at_the_rate(tmp_path) -> None:
    save(tmp_path / "a.wav", phrases(1)[0].expand(2, -1), 44_100)
    (clip,) = clips_in(tmp_path, 3)
    assert clip.shape == (1, round(phrases(1)[0].shape[-1] / 2))
    with pytest.raises(ValueError, match="name at least one clip"):
        finish(bench_mel([]))
    assert torch.isfinite(clip).all()


def test_the_way_back_from_riffusions_pictures_is_nearer_than_the_published_one() -> None:
    figures = finish(bench_riffusion([clip[:, 22_050:44_100] for clip in phrases(1)], SETTINGS.rate))
    ways = {way.name: way for way in figures.ways}
    published = ways["published (8 bits, Griffin-Lim, 32)"]
    for name in ("regrow", "regrow, of 8 bits"):
        assert ways[name].log_mel.value < published.log_mel.value
        assert ways[name].convergence.value < published.convergence.value
    assert ways["regrow"].log_mel.value < ways["regrow, phase alone"].log_mel.value
    assert published.log_mel.value < 3  # it is no straw man
    with pytest.raises(ValueError, match="name at least one clip"):
        finish(bench_riffusion([], SETTINGS.rate))
