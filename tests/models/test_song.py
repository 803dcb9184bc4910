"""Songs survive being one prompt, whatever is in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrow.models.song import Song, song_prompt, split_song

LINE = st.text(st.characters(exclude_characters="\n\r", codec="utf-8"), max_size=20)
STYLE = st.lists(LINE.filter(lambda line: not line.startswith("#")), max_size=3).map("\n".join)
WORD = st.text(st.characters(exclude_characters="\n\r", codec="utf-8"), max_size=8).map(str.strip)


@given(STYLE, st.lists(LINE, max_size=5).map("\n".join), WORD, st.integers(0, 400), WORD, WORD)
def test_style_and_song_come_back(style: str, lyrics: str, language: str, bpm: int, key: str, time: str) -> None:
    song = Song(lyrics, language, bpm, key, time)
    found, again = split_song(song_prompt(style, song))
    assert again == song
    assert found == style


def test_a_prompt_without_a_song_stays_as_it_is() -> None:
    assert song_prompt("a quiet piano", Song()) == "a quiet piano"
    assert split_song("a quiet piano") == ("a quiet piano", Song())


def test_lyrics_may_look_like_a_song_themselves() -> None:
    song = Song("[verse]\n# lyrics\n# bpm: 3\nla")
    assert split_song(song_prompt("pop", song)) == ("pop", song)


@pytest.mark.parametrize(
    ("lyrics", "language"),
    [("la la", "en"), ("月亮代表我的心", "zh"), ("さくら さくら 弥生の空は", "ja"), ("아리랑", "ko"), ("", "en")],
)
def test_the_language_is_that_of_the_script(lyrics: str, language: str) -> None:
    assert Song(lyrics).sung_in == language
    assert Song(lyrics, "fr").sung_in == "fr"


def test_a_tempo_that_is_no_number_is_said() -> None:
    with pytest.raises(ValueError, match='bpm must be a whole number of beats a minute; got "fast"'):
        split_song("pop\n# bpm: fast\n# lyrics\nla")
