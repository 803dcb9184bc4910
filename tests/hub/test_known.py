"""The table of known checkpoints: its numbers are counted again, and it says what it does not know."""

import json
from collections import Counter

import pytest

from regrow.hub.known import ROLES, TABLE, known, known_checkpoints, near
from regrow.models.engines.counting import count_flops, count_parameters, empty_module

PARTS = json.loads(TABLE.read_text(encoding="utf-8"))["parts"]
COUNTED = [name for name, part in PARTS.items() if part["class"]]
PUBLISHED = {
    "sd-1.5-unet": 3.44e9,
    "audioldm-s-unet": 740e6,
    "audioldm-m-unet": 1.66e9,
    "audioldm-vae": 222e6,
    "audioldm2-unet": 1_387_964_784,
    "stable-audio-open-transformer": 4.23e9,
    "stable-audio-open-vae": 624e6,
    "t5-base": 439e6,
    "dance-diffusion-unet": 886e6,
    "audio-diffusion-unet": 455e6,
}
"""Bytes of files in float32, as the hub's pages list them."""


@pytest.mark.parametrize("name", COUNTED)
def test_parameters_are_those_of_the_config(name: str) -> None:
    part = PARTS[name]
    assert count_parameters(empty_module(part["class"], part["config"])) == part["parameters"]


@pytest.mark.parametrize("name", ["sd-1.5-unet", "audioldm-s-unet", "ace-step-1.5-transformer", "dance-diffusion-unet"])
def test_flops_are_those_of_a_call(name: str) -> None:
    part = PARTS[name]
    assert count_flops(empty_module(part["class"], part["config"]), part["inputs"]) == part["flops"]


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_are_those_of_the_published_files(name: str) -> None:
    assert 4 * PARTS[name]["parameters"] == pytest.approx(PUBLISHED[name], rel=0.005)


def test_every_checkpoint_can_be_told_from_the_others() -> None:
    table = known_checkpoints()
    for attribute in ("name", "hub"):
        assert max(Counter(getattr(one, attribute).lower() for one in table).values()) == 1
    for one in table:
        assert one.hub.count("/") == 1
        assert {part.role for part in one.parts} <= set(ROLES)
        assert [part.role for part in one.parts].count("network") == 1
        assert one.medium in ("picture", "sound")
        assert one.layout == "diffusers" or one.note, f"{one.name} does not say how it is converted"
        assert known(one.name) is known(one.hub.upper()) is one


def test_a_number_that_was_not_counted_says_where_it_is_from() -> None:
    for part in PARTS.values():
        assert (part["class"] is None) == (part["config"] is None)
        assert part["flops"] is None or part["inputs"]
        if part["class"] is None:
            assert part["parameters"] is None or "figure" in part["from"]


def test_what_is_unknown_stays_unknown() -> None:
    unsure = known("stable-audio-3-medium")
    assert (unsure.parameters, unsure.download, unsure.licence_text) == (None, None, "check the card")
    assert known("sd-1.5").licence_text == "CreativeML OpenRAIL-M (check the card)"
    assert known("audioldm2").licence_text == "CC BY-NC-SA 4.0"


def test_the_command_gets_pickles_only_where_that_was_asked_for() -> None:
    assert known("audioldm").command == "regrow models pull cvssp/audioldm-s-full-v2"
    assert known("dance-diffusion-maestro").command == "regrow models pull harmonai/maestro-150k --allow-pickle"
    assert known("ace-step-1.5").command == "regrow models pull FOLDER"


def test_an_unknown_name_is_answered_with_those_like_it() -> None:
    with pytest.raises(ValueError, match=r"no known checkpoint 'audioldm3'; did you mean audioldm"):
        known("audioldm3")
    with pytest.raises(ValueError, match=r"'ace-step'; did you mean ace-step-1\.5 or ace-step-1\.5-base"):
        known("ace-step")
    assert near("zzzz").startswith("; known are sd-1.5, sdxl")
    assert near("storybok", ["storybook"]) == "; did you mean storybook"


def test_a_class_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(ValueError, match=r"diffusers\.NoSuchModel cannot be built from"):
        empty_module("diffusers.NoSuchModel", {})
    with pytest.raises(ValueError, match=r"diffusers\.UNet1DModel cannot be built from"):
        empty_module("diffusers.UNet1DModel", {"time_embedding_type": "none"})
