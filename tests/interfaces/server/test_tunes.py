"""POST /api/tune: which notes a song is sung on."""

from collections.abc import Iterator

import httpx
import pytest
from web_server import PIANO, Server

STAR = "twinkle twinkle little star"
TUNE = "C4 C4 G4 G4 A4 A4 G4:2"


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[httpx.Client]:
    with server.caller() as caller:
        yield caller


def tune(client: httpx.Client, **fields: object) -> dict:
    answer = client.post("/api/tune", json=fields)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refusal(client: httpx.Client, **fields: object) -> tuple[int, str]:
    answer = client.post("/api/tune", json=fields)
    return answer.status_code, answer.json()["error"]


def test_syllables_stand_on_the_notes_of_the_tune(client: httpx.Client) -> None:
    sung = tune(client, lyrics=STAR, tune=TUNE, bpm=90)
    assert [note["pitch"] for note in sung["notes"]] == [60, 60, 67, 67, 69, 69, 67]
    assert [note["start"] for note in sung["notes"]] == [0, 1, 2, 3, 4, 5, 6]
    assert [note["syllable"] for note in sung["notes"]] == ["twinkle", "-", "twinkle", "-", "little", "-", "star"]
    assert (sung["text"], sung["bpm"]) == (TUNE, 90)


def test_the_text_of_an_answer_gives_the_same_notes(client: httpx.Client) -> None:
    drawn = tune(client, lyrics=STAR + "\nhow I wonder what you are", seed=7, key="A minor")
    natural = {9, 11, 0, 2, 4, 5, 7}
    assert {note["pitch"] % 12 for note in drawn["notes"] if note["pitch"]} <= natural
    assert any(note["pitch"] is None for note in drawn["notes"])
    again = tune(client, lyrics=drawn["lyrics"], tune=drawn["text"])
    assert again["notes"] == drawn["notes"]
    assert again["lyrics"].count("\n") == 1


def test_another_seed_is_another_tune(client: httpx.Client) -> None:
    assert tune(client, lyrics=STAR, seed=1)["text"] == tune(client, lyrics=STAR, seed=1)["text"]
    assert tune(client, lyrics=STAR, seed=1)["text"] != tune(client, lyrics=STAR, seed=2)["text"]


def test_a_tune_is_moved_to_a_key(client: httpx.Client) -> None:
    moved = tune(client, lyrics=STAR, tune="C4 E4 G4 E4 C4 E4 C4:2", key="D major")
    assert [note["pitch"] for note in moved["notes"]] == [62, 66, 69, 66, 62, 66, 62]


def test_a_tune_alone_has_no_syllables(client: httpx.Client) -> None:
    assert [note["syllable"] for note in tune(client, tune="C4 R D4")["notes"]] == ["", "", ""]


def test_the_melody_of_a_recording_is_followed(client: httpx.Client) -> None:
    stored = client.post("/api/files?name=piano.flac", content=PIANO.read_bytes()).json()
    hummed = tune(client, tune=stored["id"])
    assert len(hummed["notes"]) > 3
    status, error = refusal(client, song=stored["id"])
    assert status == 400
    assert "does not record which words" in error


def test_a_song_tells_its_notes_and_takes_other_words(client: httpx.Client) -> None:
    job = client.post(
        "/api/generate", json={"model": "songbook", "prompt": "", "lyrics": STAR, "tune": TUNE, "seed": 1}
    )
    done = client.get(f"/api/jobs/{job.json()['id']}/wait?seconds=60", timeout=90).json()
    song = done["results"][0]["id"]
    assert tune(client, song=song)["text"] == TUNE
    changed = tune(client, song=song, lyrics="twinkle twinkle little car")
    assert changed["text"] == TUNE
    assert changed["notes"][-1]["syllable"] == "car"
    assert tune(client, song=song, tune="C4 C4 G4 G4 A4 A4 E4:2")["notes"][-1]["pitch"] == 64
    assert tune(client, tune=song, lyrics="happy happy little moon")["text"] == TUNE


@pytest.mark.parametrize("name", ["/etc/passwd", "notes.abc", "~/song.mid", "../../song.xml"])
def test_no_file_of_the_server_is_named(client: httpx.Client, name: str) -> None:
    status, error = refusal(client, tune=name, lyrics=STAR)
    assert status in (400, 404)
    assert "is not a note" in error or "You have no file" in error


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "no words"),
        ({"lyrics": STAR, "key": "H dur"}, "key must be"),
        ({"lyrics": STAR, "tune": "C4 H4"}, "is not a note"),
        ({"lyrics": STAR, "bpm": 5}, "tempo must be"),
        ({"lyrics": "你好"}, "this voice sings only English"),
        ({"song": "0" * 32 + ".wav"}, "You have no file"),
    ],
)
def test_what_cannot_be_sung_is_said(client: httpx.Client, fields: dict, words: str) -> None:
    status, error = refusal(client, **fields)
    assert status in (400, 404)
    assert words in error
