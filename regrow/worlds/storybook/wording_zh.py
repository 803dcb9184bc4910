"""Simplified-Chinese captions of a scene, from the plainest to the most detailed.

As a small model reads character by character, a value has the same wording wherever grammar allows, and no character of
a colour is used for anything else (so a day is never "白天").
"""

from regrow.worlds.storybook.scene import Scene

ANIMAL_WORDS = {"cat": "猫", "puppy": "小狗", "penguin": "企鹅", "rabbit": "兔子", "fox": "狐狸"}
COLOUR_WORDS = {"orange": "橘", "black": "黑", "white": "白", "grey": "灰", "brown": "棕"}
POSE_WORDS = {"sitting": "坐", "standing": "站"}
FACING_WORDS = {"left": "面朝左边", "right": "面朝右边"}
EXPRESSION_WORDS = {"happy": "开心", "calm": "平静", "surprised": "惊讶", "sleepy": "困倦"}
PLACE_WORDS = {
    "beach": "沙滩上",
    "snow": "雪地里",
    "meadow": "草地上",
    "night city": "城市里",
    "living room": "客厅里",
}
ACCESSORY_WORDS = {"none": "", "red scarf": "戴着红围巾", "blue hat": "戴着蓝帽子", "ball": "带着球"}
WEATHER_WORDS = {"clear": "晴朗", "cloudy": "多云", "rainy": "下雨", "snowy": "下雪"}
TIME_WORDS = {"day": "一天", "sunset": "日落时分", "night": "夜晚"}
DAY_WORDS = {"clear": "晴天", "cloudy": "阴天", "rainy": "雨天"}
NIGHT_WORDS = {"clear": "夜晚", "cloudy": "夜晚", "rainy": "雨夜", "snowy": "雪夜"}


def captions_zh(scene: Scene) -> tuple[str, ...]:
    """Return captions of a scene without repetitions, the plainest first: "沙滩上的橘猫".

    At most 28 Chinese characters and two full-width commas each.
    """
    ground = PLACE_WORDS[scene.place]
    city = scene.place == "night city"
    where = f"夜晚的{ground}" if city else ground
    place = f"夜晚{ground}" if city else ground  # comes before a 的; a second one would be clumsy
    name = _name(scene.animal, scene.colour)
    feeling, pose = EXPRESSION_WORDS[scene.expression], POSE_WORDS[scene.pose]
    wears, facing = ACCESSORY_WORDS[scene.accessory], FACING_WORDS[scene.facing]
    wearing = wears and f"{wears}的"
    hour = _hour(scene.weather, scene.time)
    found = [
        f"{place}的{name}",
        f"{place}{feeling}的{name}",
        f"一只{name}{pose}在{where}",
        f"{place}{wearing or '的'}{name}",
        f"{hour}，{ground}有一只{name}",
        _scenic(scene, f"一只{feeling}的{name}{pose}在"),
        f"{hour}，{ground}有一只{wearing}{name}",
        f"一只{name}{pose}在{where}，{facing}",
        f"{hour}，{feeling}的{name}{wears}{pose}在{ground}",
        f"{hour}，{feeling}的{name}{wears}{pose}在{ground}，{facing}",
    ]
    return tuple(dict.fromkeys(found))


def _name(animal: str, colour: str) -> str:
    """Return colour and animal: a one-syllable animal takes a one-syllable colour, "橘猫", but "橘色小狗"."""
    colour, animal = COLOUR_WORDS[colour], ANIMAL_WORDS[animal]
    return f"{colour}{animal}" if len(animal) == 1 else f"{colour}色{animal}"


def _hour(weather: str, time: str) -> str:
    if (weather, time) == ("clear", "sunset"):
        return TIME_WORDS[time]
    return f"{WEATHER_WORDS[weather]}的{TIME_WORDS[time]}"


def _scenic(scene: Scene, opening: str) -> str:
    """Return the opening with the place; weather and time come before the place if Chinese grammar allows."""
    ground, weather = PLACE_WORDS[scene.place], scene.weather
    if scene.place == "night city":
        return f"{opening}{NIGHT_WORDS[weather]}的{ground}"
    if scene.place in ("beach", "meadow") and scene.time == "day":
        return f"{opening}{DAY_WORDS[weather]}的{ground}"
    return f"{_hour(weather, scene.time)}，{opening}{ground}"
