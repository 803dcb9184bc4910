"""English captions of a scene, from the plainest to the most detailed, and the choice of one in any language."""

from itertools import product
from random import Random
from typing import Literal, get_args

from regrow.messages.message import say
from regrow.worlds.storybook.scene import (
    ACCESSORIES,
    ANIMALS,
    COLOURS,
    EXPRESSIONS,
    FACINGS,
    PLACES,
    POSES,
    TIMES,
    WEATHERS,
    Scene,
)
from regrow.worlds.storybook.wording_zh import captions_zh

Language = Literal["en", "zh"]

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "animal": ANIMALS,
    "colour": COLOURS,
    "place": PLACES,
    "weather": tuple(dict.fromkeys(weather for allowed in WEATHERS.values() for weather in allowed)),
    "time": tuple(dict.fromkeys(time for allowed in TIMES.values() for time in allowed)),
    "pose": POSES,
    "facing": FACINGS,
    "accessory": ACCESSORIES,
    "expression": EXPRESSIONS,
}
"""Attributes of a scene that captions describe, and their values; the place decides on the weathers and times."""

PLACE_WORDS = {
    "beach": "on a beach",
    "snow": "in the snow",
    "meadow": "in a meadow",
    "night city": "in a city at night",
    "living room": "in a living room",
}
ACCESSORY_WORDS = {
    "none": "",
    "red scarf": "with a red scarf",
    "blue hat": "with a blue hat",
    "ball": "with a ball",
}
SKY_WORDS = {"clear": "sunny", "cloudy": "cloudy", "rainy": "rainy", "snowy": "snowy"}


def captions(scene: Scene, language: Language = "en") -> tuple[str, ...]:
    """Return captions of a scene without repetitions, the plainest first: "an orange cat on a beach".

    Raises:
        ValueError: there are no sentences in that language.
    """
    if language not in get_args(Language):
        raise ValueError(say("language_not_known", language=language, known=", ".join(map(repr, get_args(Language)))))
    return captions_zh(scene) if language == "zh" else _captions_en(scene)


def _captions_en(scene: Scene) -> tuple[str, ...]:
    place, weather, time = scene.place, scene.weather, scene.time
    animal, colour, accessory = scene.animal, scene.colour, scene.accessory
    pose, facing, expression = scene.pose, scene.facing, scene.expression
    where = PLACE_WORDS[place]
    with_it = ACCESSORY_WORDS[accessory]
    city = place == "night city"
    ground = "in a city" if city else where
    outlook = f"{ground} {_hour(weather, time)}"
    scenic = _scenic(place, weather, time)
    name = f"{colour} {animal}"
    found = [
        f"{name} {where}",
        f"{expression} {name} {where}",
        f"{name} {pose} {where}",
        f"{name} {with_it} {where}",
        f"{name} {outlook}",
        f"{expression} {name} {pose} {scenic}",
        f"{name} {with_it} {outlook}",
        f"{name} {pose} {where}, facing {facing}",
        f"{expression} {name} {with_it} {pose} {outlook}",
        f"{expression} {name} {with_it} {pose} {outlook}, facing {facing}",
    ]
    tidy = (" ".join(words.split()) for words in found)
    return tuple(dict.fromkeys(f"{'an' if words[0] in 'aeiou' else 'a'} {words}" for words in tidy))


def _hour(weather: str, time: str) -> str:
    if time == "sunset":
        return "at sunset" if weather == "clear" else f"at a {weather} sunset"
    return f"on a {SKY_WORDS[weather]} day" if time == "day" else f"on a {weather} night"


def _scenic(place: str, weather: str, time: str) -> str:
    """Return the place, with its weather as one adjective if English has one."""
    if place == "night city":
        return f"in a {weather} city at night" if weather in ("rainy", "snowy") else PLACE_WORDS[place]
    if place in ("beach", "meadow") and time == "day":
        before, noun = ("on", "beach") if place == "beach" else ("in", "meadow")
        return f"{before} a {SKY_WORDS[weather]} {noun}"
    return f"{PLACE_WORDS[place]} {_hour(weather, time)}"


def caption(scene: Scene, seed: int, language: Language = "en") -> str:
    """Return one of the captions, chosen by `seed`: the plainest for 40 % of the seeds, else any other.

    Raises:
        ValueError: there are no sentences in that language.
    """
    found = captions(scene, language)
    random = Random(f"caption {seed}")
    return found[0] if random.random() < 0.4 else random.choice(found[1:])


def _covering() -> list[Scene]:
    """Return scenes whose captions contain every word of every caption.

    Each part of a caption depends on few fields, so a few scenes are enough.
    """
    scenes = [
        Scene(place=place, weather=weather, time=time)
        for place in PLACES
        for weather, time in product(WEATHERS[place], TIMES[place])
    ]
    choices = {
        "animal": ANIMALS,
        "colour": COLOURS,
        "pose": POSES,
        "facing": FACINGS,
        "expression": EXPRESSIONS,
        "accessory": ACCESSORIES,
    }
    for name, allowed in choices.items():
        scenes += [Scene().replace(**{name: value}) for value in allowed]
    return scenes


VOCABULARY = tuple(
    sorted({word.strip(",") for scene in _covering() for text in captions(scene) for word in text.split()})
)
"""Every word that an English caption can contain, sorted, without punctuation."""
CHARACTERS = tuple(sorted({character for scene in _covering() for text in captions_zh(scene) for character in text}))
"""Every character that a Chinese caption can contain, sorted, with the full-width comma."""
