"""The forms and the bodies of the API are the request dataclasses, and show only what counts."""

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from regrow.core.methods.registry import method, names
from regrow.interfaces.server.schemas.abilities import abilities_of
from regrow.interfaces.server.schemas.bodies import body_of, own_defaults
from regrow.interfaces.server.schemas.forms import BUTTONS, TEXTS, forms, text_or
from regrow.interfaces.server.schemas.heed import ability_for, media_of, methods_heeding
from regrow.interfaces.server.schemas.requests import FORMS, Compare, Explore
from regrow.interfaces.server.schemas.settings import NOT_SERVED, settings_of
from regrow.media.medium import media
from regrow.models.open import open_model
from regrow.requests.edit import Edit
from regrow.requests.ranges import RANGES

TYPES = {"text", "lines", "number", "integer", "switch", "choice", "file", "size", "pair", "list"}


@pytest.mark.parametrize("verb", FORMS)
def test_a_body_has_the_fields_and_defaults_of_its_request(verb: str) -> None:
    settings = settings_of(FORMS[verb])
    schema = body_of(verb).model_json_schema()
    assert set(schema.get("properties", {})) == set(settings)
    assert set(schema.get("required", ())) == {name for name, setting in settings.items() if setting.is_required}
    for name, setting in settings.items():
        assert setting.description, f"{verb}: {name} has no words in the docstring"
    given = {
        "image": "a.png",
        "sound": "a.wav",
        "file": "a.png",
        "first": "a cat",
        "second": "a dog",
        "prompt": "a cat",
    }
    needed = {name: given.get(name, "some words") for name in schema.get("required", ())}
    made = body_of(verb).model_validate(needed).model_dump()
    assert json.dumps({name: made[name] for name in own_defaults(verb)}) == json.dumps(own_defaults(verb))


def test_the_least_and_the_most_are_the_requests_own() -> None:
    schema = json.dumps(body_of("edit").model_json_schema()["properties"]["steps"])
    assert f'"maximum": {RANGES["steps"][1]}' in schema
    with pytest.raises(ValidationError):
        body_of("edit").model_validate({"image": "a.png", "target": ["a dog"], "steps": 0})


@pytest.mark.parametrize("settings", [{"steps": "6"}, {"cache": 1}, {"target": "a dog"}, {"describer": "some/model"}])
def test_another_type_or_field_is_refused(settings: dict) -> None:
    with pytest.raises(ValidationError):
        body_of("edit").model_validate({"image": "a.png", "target": ["a dog"], **settings})


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_field_has_a_label_and_a_line_of_why(language: str) -> None:
    shown = forms(language)
    assert set(shown) == set(FORMS)
    for verb, form in shown.items():
        own = {name for name in settings_of(FORMS[verb]) if (verb, name) not in BUTTONS}
        assert {field["name"] for field in form["fields"]} == own - set(NOT_SERVED)
        for field in form["fields"]:
            assert field["label"], (verb, field)
            assert 0 < len(field["help"]) <= 130, (verb, field["name"])
            assert "\n" not in field["help"]
            assert field["type"] in TYPES
            values = [choice["value"] for choice in field["choices"]]
            assert len(set(values)) == len(values)
            if field["choices"] and field["default"] is not None and field["type"] == "choice":
                assert field["default"] in values
    json.dumps(shown)


def test_the_texts_of_forms_are_all_used_and_in_both_languages() -> None:
    texts = json.loads(TEXTS.read_text(encoding="utf-8"))
    assert all(set(words) == {"en", "zh"} and all(words.values()) for words in texts.values())
    known = {name for kind in FORMS.values() for name in settings_of(kind)}
    fields = [key.removesuffix(".help").split(".") for key in texts if key.startswith("field.")]
    assert all(parts[-1] in known and (len(parts) == 2 or parts[1] in FORMS) for parts in fields)
    assert {key.removeprefix("method.") for key in texts if key.startswith("method.")} == set(names())
    assert text_or("no.such.key", "en", "other") == "other"


def test_no_method_shows_what_it_refuses() -> None:
    """Whatever a request refuses with a method is not shown with it."""
    tried = {"eta": 0.5, "label": "arrives", "attention": "p2p", "negative": "a hat", "invert_guidance": 2.0,
             "image_guidance": 1.5}  # fmt: skip
    for name in names():
        for setting, value in tried.items():
            shown = methods_heeding(Edit, setting)
            try:
                Edit(image=TEXTS, target=("a dog",), method=name, **{setting: value})  # pyright: ignore[reportArgumentType]
            except ValueError:
                assert shown is not None, (name, setting)
                assert name not in shown, (name, setting)
    assert methods_heeding(Edit, "tolerance") == ("fixed_point",)
    assert methods_heeding(Edit, "seed") == tuple(
        name for name in names() if method(name).stochastic or method(name).seed_in_key or method(name).takes_eta
    )


def test_the_media_of_a_setting_are_those_that_take_it() -> None:
    probes = {"region": "0,0,1,1", "mask": TEXTS, "size": (64, 64), "tiles": True, "span": "0:1", "duration": 1.0}
    models = {"picture": open_model("storybook"), "sound": open_model("bandstand")}
    for medium in media():
        for name, value in probes.items():
            request = SimpleNamespace(**{name: value})
            try:
                medium.check(request, models[medium.name])
            except ValueError:
                assert medium.name not in media_of(Edit, name), (medium.name, name)
            else:
                assert medium.name in media_of(Edit, name), (medium.name, name)


def test_every_ability_that_a_form_asks_for_is_one_of_models() -> None:
    able = abilities_of(open_model("storybook"))
    wanted = {ability_for(name) for kind in FORMS.values() for name in settings_of(kind)} - {None}
    assert wanted <= set(able)
    assert able["describes"]
    assert able["has_path"]
    assert not able["sings"]
    singer = abilities_of(open_model("songbook"))
    assert singer["sings"]
    assert singer["sings_notes"]
    assert not singer["sings_styles"]
    assert abilities_of(open_model("bandstand"))["takes_notes"]


def test_a_sheet_or_a_comparison_has_bounds() -> None:
    plain = {"image": TEXTS, "target": ("a dog",)}
    with pytest.raises(ValueError, match="use fewer values"):
        Compare(**plain, methods=("naive",) * 9, strengths=(0.5,) * 8)
    with pytest.raises(ValueError, match="methods must be from"):
        Compare(**plain, methods=("no such",))
    with pytest.raises(ValueError, match="strengths must be above 0"):
        Explore(**plain, strengths=(0.0,))


def test_the_bodies_need_no_torch() -> None:
    """Routes are made before the server answers, and torch takes seconds."""
    code = (
        "import sys; from regrow.interfaces.server.schemas.bodies import body_of\n"
        "from regrow.interfaces.server.schemas.requests import FORMS\n"
        "[body_of(verb).model_json_schema() for verb in FORMS]; assert not {'torch', 'numpy', 'PIL'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_method_says_what_it_needs_of_a_model() -> None:
    (field,) = (one for one in forms("en")["edit"]["fields"] if one["name"] == "method")
    needs = {one["value"]: one["needs"] for one in field["choices"]}
    assert needs["direct_inversion"] is None
    assert needs["inpaint"] == "inpaints"
    assert needs["instruction"] == "edits_by_instruction"
    assert set(filter(None, needs.values())) <= set(abilities_of(open_model("storybook")))
