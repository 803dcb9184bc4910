"""Every verb by the API, with the models that regrow carries."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gates import client_of, started
from homes import sharing_engines
from PIL import Image
from starlette.testclient import TestClient

from regrow.core.methods.registry import method, names
from regrow.core.progress import finish
from regrow.editing.edit import edit
from regrow.interfaces.server.places import kept_path
from regrow.interfaces.server.schemas.requests import REQUESTS
from regrow.interfaces.server.schemas.settings import settings_of
from regrow.interfaces.server.verbs import all_works
from regrow.media.image.outline import outlined, parted
from regrow.models.open import open_model
from regrow.requests.edit import Edit
from regrow.worlds.storybook.drawing import Scene, draw

EXAMPLES = Path(__file__).parents[3] / "examples"
CAT = {"target": ["make it a dog"], "source": "an orange cat on a beach", "seed": 1}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGROW_HOME", str(sharing_engines(tmp_path_factory.mktemp("verbs") / "home")))
        yield client_of(started(all_works()))


@pytest.fixture(scope="module")
def cat(client: TestClient) -> str:
    return upload(client, "cat.png")


@pytest.fixture(scope="module")
def piano(client: TestClient) -> str:
    return upload(client, "piano.flac")


def upload(client: TestClient, name: str) -> str:
    return client.post("/api/files", params={"name": name}, content=(EXAMPLES / name).read_bytes()).json()["id"]


def asked(client: TestClient, verb: str, language: str = "en", **settings: Any) -> dict[str, Any]:
    """The job of a verb when it is over."""
    headers = {"accept-language": language}
    answer = client.post(f"/api/{verb}", json=settings, headers=headers)
    assert answer.status_code == 202, answer.text
    job = answer.json()
    ends = time.monotonic() + 300
    while job["state"] in ("waiting", "running") and time.monotonic() < ends:
        job = client.get(f"/api/jobs/{job['id']}/wait", params={"seconds": 30}, headers=headers).json()
    return job


def done(client: TestClient, verb: str, **settings: Any) -> dict[str, Any]:
    job = asked(client, verb, **settings)
    assert job["state"] == "done", job["error"]
    return job


def pixels(file_id: str) -> np.ndarray:
    return np.asarray(Image.open(kept_path(file_id)).convert("RGB"), dtype=float)


def test_an_edit_has_its_result_the_picture_and_its_reconstruction_beside_it(client: TestClient, cat: str) -> None:
    job = done(client, "edit", image=cat, **CAT)
    assert [item["words"] for item in job["results"]] == ["make it a dog"]
    assert {"original", "reconstruction"} <= set(job["beside"])
    assert job["facts"]["returns_source"]
    assert job["facts"]["reconstruction"]["psnr"] > 25
    assert job["facts"]["strength"] == 0.65
    assert job["settings"] == {"image": cat, **CAT, "model": "storybook"}
    assert "evaluations of the network" in job["summary"]


def test_another_strength_goes_back_along_the_kept_path(client: TestClient, cat: str) -> None:
    done(client, "edit", image=cat, **CAT)
    for strength in (0.5, 1.0):
        job = done(client, "edit", image=cat, **CAT, strength=strength)
        assert job["facts"]["reused"]
        assert job["facts"]["rewound"] == job["facts"]["figures"]["evaluations"]["inversion"] == 0
    # words that nobody gave are read off first, so that their path is kept as well
    open_source = CAT | {"source": ""}
    done(client, "edit", image=cat, **open_source, strength=0.5)
    assert done(client, "edit", image=cat, **open_source, strength=1.0)["facts"]["reused"]


@pytest.mark.parametrize("method", ["fixed_point", "img2img"])
def test_a_method_that_does_not_return_the_picture_shows_what_it_brings_back(
    client: TestClient, cat: str, method: str
) -> None:
    job = done(client, "edit", image=cat, **CAT, method=method, steps=4)
    assert not job["facts"]["returns_source"]
    assert "reconstruction" in job["beside"]


def test_methods_that_tune_edit(client: TestClient, cat: str) -> None:
    for name in names():
        if method(name).tune:
            assert done(client, "edit", image=cat, **CAT, method=name, steps=2, strength=0.5)["results"]


def test_a_method_says_whether_its_way_back_under_the_old_words_ends_at_the_picture() -> None:
    model = open_model("storybook")
    request = Edit(image=EXAMPLES / "cat.png", source=CAT["source"], target=(CAT["source"],), steps=2)
    request = replace(request, strength=1.0, guidance=1.0, prompt_expansion="off")
    for name in names():
        if method(name).returns_source or name == "naive":
            figures = finish(edit(replace(request, method=name), model)).recipes[0]["figures"]
            exact = figures["to_codec"]["psnr"] is None or figures["to_codec"]["psnr"] > 60
            assert exact == method(name).returns_source, (name, figures)


def test_a_found_mask_lies_beside_the_result(client: TestClient, cat: str) -> None:
    job = done(client, "edit", image=cat, **CAT, mask="auto")
    outside = pixels(f"{job['id']}/beside/mask.png") == 0
    before, after = pixels(cat), pixels(job["results"][0]["id"])
    assert outside.mean() > 0.3
    assert np.abs(before - after)[outside].mean() < 5  # bit for bit but for the soft edge


def test_a_result_is_made_again_bit_for_bit(client: TestClient, cat: str) -> None:
    made = done(client, "generate", prompt="a white rabbit in the snow", count=2, seed=3)
    again = done(client, "replay", file=made["results"][1]["id"])
    assert again["facts"]["identical"]
    assert again["results"][0]["seed"] == 3
    assert again["results"][0]["words"] == made["results"][1]["words"]
    masked = done(client, "edit", image=cat, **CAT, region="0.2,0.2,0.9,0.9")
    repeated = done(client, "replay", file=masked["results"][0]["id"])
    assert repeated["facts"]["identical"]
    assert repeated["results"][0]["words"] == masked["results"][0]["words"]


def test_a_comparison_has_a_row_a_way_and_says_why_one_is_refused(client: TestClient, cat: str) -> None:
    ways = {"methods": ["direct_inversion", "img2img", "inpaint"], "strengths": [0.6, 0.9]}
    job = done(client, "compare", image=cat, **CAT, **ways)
    rows = job["facts"]["rows"]
    assert [(row["method"], row["strength"]) for row in rows] == [
        (method, strength) for method in ways["methods"] for strength in ways["strengths"]
    ]
    assert ["was not trained to fill in masks" in row["error"] for row in rows] == [False] * 4 + [True] * 2
    results = {item["id"]: item for item in job["results"]}
    assert [results[row["result"]]["method"] for row in rows[:4]] == [row["method"] for row in rows[:4]]
    assert all(row["psnr"] > 5 and row["evaluations"] > 0 for row in rows[:4])
    assert job["facts"]["measured"] == "whole"
    outside = done(client, "compare", image=cat, **CAT, region="0.2,0.2,0.9,0.9")
    assert outside["facts"]["measured"] == "outside"
    assert outside["facts"]["rows"][0]["psnr"] > rows[0]["psnr"] + 5
    refused = asked(client, "compare", image=cat, **CAT, methods=["inpaint"])
    assert (refused["state"], "fill in masks" in refused["error"]) == ("failed", True)


def test_a_grid_has_a_picture_a_cell(client: TestClient, cat: str) -> None:
    job = done(client, "explore", image=cat, **CAT, strengths=[0.6, 0.9], guidances=[2.0, 4.0])
    cells = job["facts"]["cells"]
    assert [(cell["strength"], cell["guidance"]) for cell in cells] == [(0.6, 2), (0.6, 4), (0.9, 2), (0.9, 4)]
    assert all(client.get(cell["url"]).headers["content-type"] == "image/png" for cell in cells)
    tuned = done(
        client, "explore", image=cat, **CAT, strengths=[0.9], guidances=[2.0, 4.0], method="null_text", steps=3
    )
    assert len(tuned["facts"]["cells"]) == 1  # it tunes for one guidance


def test_a_path_can_be_inverted_and_edited_along(client: TestClient, cat: str) -> None:
    source = {"image": cat, "source": CAT["source"], "steps": 6}
    inverted = done(client, "invert", **source, reference=0)
    assert inverted["facts"]["round_trip"] < 1e-3
    job = done(client, "edit", **source, target=["a grey cat on a beach"], trajectory=inverted["facts"]["file"])
    assert job["facts"]["reused"]


def test_what_lies_between_two_ends(client: TestClient, cat: str) -> None:
    words = done(client, "interpolate", first="a cat on a beach", second="a dog on a beach", frames=3, steps=4)
    assert [item["words"] for item in words["results"]] == ["0 %", "50 %", "100 %"]
    assert "sheet" in words["beside"]
    files = {"first": cat, "second": words["results"][2]["id"]}
    assert len(done(client, "interpolate", **files, frames=2, steps=4)["results"]) == 2


def test_sounds(client: TestClient, piano: str) -> None:
    described = done(client, "describe", image=piano)
    assert "piano" in described["facts"]["source"]
    edited = done(client, "edit", image=piano, target=["a violin melody"], steps=4)
    assert edited["settings"]["model"] == "bandstand"
    assert {"original", "before", "seen-1"} <= set(edited["beside"])
    assert done(client, "replay", file=edited["results"][0]["id"])["facts"]["identical"]
    longer = done(client, "extend", sound=piano, prompt="a piano melody", after=1.0, steps=4)
    begin, end = longer["facts"]["known"]
    assert longer["results"][0]["seconds"] == pytest.approx(end - begin + 1.0, abs=0.05)


def test_songs_choose_a_singer(client: TestClient) -> None:
    sung = done(client, "sing", lyrics="twinkle twinkle", tune="C4 C4 G4 G4")
    assert sung["results"][0]["model"] == "songbook"
    assert done(client, "generate", prompt="", lyrics="little star")["settings"]["model"] == "songbook"


def test_a_picture_is_described_in_the_language_of_who_asks(client: TestClient, cat: str) -> None:
    assert done(client, "describe", image=cat)["facts"]["source"] == "an orange cat on a beach"
    chinese = asked(client, "describe", "zh", image=cat)
    assert chinese["facts"]["source"] == "沙滩上的橘猫"
    assert chinese["summary"].startswith("读出的内容")


def test_a_model_looks_inside_and_the_maths_is_proved(client: TestClient, cat: str) -> None:
    job = done(client, "inspect", image=cat, source=CAT["source"], steps=4)
    assert "page" in job["beside"]
    assert len(job["facts"]["alpha_bar"]) == 5


def overlap(mask: np.ndarray, truth: np.ndarray) -> float:
    return float((mask & truth).sum() / (mask | truth).sum())


def test_animals_are_found_by_words(client: TestClient, tmp_path: Path) -> None:
    """The world's own renderer says where they are; LOG.md has the figure over more scenes."""
    overlaps = []
    for seed in range(1000, 1004):
        scene, file = Scene.random(seed), tmp_path / f"{seed}.png"
        drawing = draw(scene, 256)
        Image.fromarray(drawing.picture).save(file)
        image = client.post("/api/files", params={"name": file.name}, content=file.read_bytes()).json()["id"]
        job = done(client, "mask", image=image, words=f"the {scene.animal}")
        overlaps.append(overlap(pixels(job["facts"]["file"])[..., 0] > 127, drawing.mask > 127))
        assert job["facts"]["share"] == pytest.approx((pixels(job["facts"]["file"]) > 127).mean(), abs=0.01)
    assert np.mean(overlaps) > 0.65
    assert min(overlaps) > 0.4


def test_what_is_not_there_is_not_found(client: TestClient, cat: str) -> None:
    refused = asked(client, "mask", image=cat, words="the hat")
    assert refused["state"] == "failed"
    assert 'storybook does not recognise "the hat"' in refused["error"]
    assert "does not know" in asked(client, "mask", image=cat, words="the dragon")["error"]


def test_an_outline_follows_the_colours_of_the_picture() -> None:
    truth = torch.zeros(128, 128, dtype=torch.bool)
    truth[30:90, 41:99] = True
    picture = torch.where(truth, 0.6, -0.4).expand(3, -1, -1) + 0.02 * torch.randn(3, 128, 128)
    rough = torch.zeros(1, 1, 8, 8)
    rough[..., 2:6, 3:6] = 1.0
    assert overlap((outlined(rough, picture)[0, 0] > 0).numpy(), truth.numpy()) > 0.97
    assert 0.1 < parted(torch.tensor([0.0, 0.1, 0.05, 0.9, 1.0])) < 0.9


@pytest.mark.parametrize(
    ("verb", "settings", "field"),
    [
        ("edit", {"target": ["a dog"], "steps": 0}, "steps"),
        ("edit", {"target": ["a dog"], "steps": "6"}, "steps"),
        ("edit", {"target": []}, "target"),
        ("edit", {"target": ["a dog"], "strength": 3.0}, "strength"),
        ("edit", {"target": ["a dog"], "method": "no such"}, "method"),
        ("edit", {"target": ["a dog"], "eta": 0.5}, "eta"),
        ("edit", {"target": ["a dog"], "region": "9,9"}, "region"),
        ("edit", {"target": ["a dog"], "mask": "0" * 32 + ".png"}, "mask"),
        ("edit", {"target": ["a dog"], "model": "/etc"}, "model"),
        ("edit", {"target": ["a dog"], "describer": "some/model"}, "describer"),
        ("edit", {}, "target"),
        ("generate", {}, "prompt"),
        ("generate", {"prompt": "a cat", "tune": "/etc/tune.abc"}, "tune"),
        ("generate", {"prompt": "a cat", "melody": "../../etc/passwd"}, "melody"),
        ("interpolate", {"first": "/etc/passwd", "second": "a cat"}, "first"),
        ("interpolate", {"first": "a cat", "second": "a cat", "size": [64]}, "size"),
        ("mask", {"words": " "}, "words"),
        ("sing", {"lyrics": " "}, "lyrics"),
        ("replay", {"file": "0" * 32 + ".png"}, "file"),
    ],
)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_wrong_setting_is_named_in_one_sentence(
    client: TestClient, cat: str, verb: str, settings: dict[str, Any], field: str | None, language: str
) -> None:
    given = settings | ({"image": cat} if verb in ("edit", "mask") else {})
    answer = client.post(f"/api/{verb}", json=given, headers={"accept-language": language})
    assert answer.status_code in (404, 422), answer.text
    told = answer.json()
    assert told["field"] == field
    assert told["error"].strip()
    assert "--" not in told["error"]
    assert "Traceback" not in told["error"]
    assert "\n" not in told["error"]


def test_the_api_describes_every_verb(client: TestClient) -> None:
    told = client.get("/openapi.json").json()
    for verb, kind in REQUESTS.items():
        body = told["paths"][f"/api/{verb}"]["post"]["requestBody"]["content"]["application/json"]["schema"]
        fields = told["components"]["schemas"][body["$ref"].rpartition("/")[2]].get("properties", {})
        assert set(fields) == set(settings_of(kind))
        assert all(field.get("description") for field in fields.values())


def test_words_and_commands_by_the_api(client: TestClient, cat: str) -> None:
    words = {"text": "make it a doog", "source": "an orange cat on a beach"}
    told = client.post("/api/words", json=words).json()
    assert told["parts"][-1] == {"text": "doog", "start": 10, "end": 14, "state": "corrected", "nearest": "dog"}
    assert (told["kind"], told["interpretation"]) == ("instruction", "an orange puppy on a beach")
    chinese = client.post("/api/words", json=words, headers={"accept-language": "zh"}).json()
    assert all(not note.endswith(".") for note in chinese["notes"])
    known = client.get("/api/words", headers={"accept-language": "zh"}).json()
    assert {"value": "cat", "label": "猫"} in known["attributes"][0]["values"]
    sounds = client.get("/api/words", params={"medium": "sound"}).json()
    assert "instrument" in [attribute["name"] for attribute in sounds["attributes"]]
    assert client.get("/api/words", params={"model": "songbook"}).json() == {"attributes": [], "examples": []}
    asked = {"verb": "edit", "settings": {"image": cat, **CAT, "strength": 0.7}}
    written = client.post("/api/command", json=asked).json()
    assert written["command"].endswith(
        "--target 'make it a dog' --source 'an orange cat on a beach' --strength 0.7 --seed 1"
    )
    compile(written["python"], "copied", "exec")
    ways = {"verb": "compare", "settings": {"image": cat, **CAT, "methods": ["naive", "belm"]}}
    assert len(client.post("/api/command", json=ways).json()["command"].splitlines()) == 2
    refused = client.post("/api/command", json={"verb": "mask", "settings": {"image": cat, "words": "the cat"}})
    assert (refused.status_code, refused.json()["field"]) == (422, "verb")
    assert client.post("/api/command", json={"verb": "verify", "settings": {}}).json()["command"] == "regrow verify"
