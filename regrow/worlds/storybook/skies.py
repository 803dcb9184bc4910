"""Light and weather: how time and weather change the colours of a place, and rain and snow."""

from dataclasses import dataclass
from random import Random

from regrow.worlds.storybook.canvas import Canvas, Colour, mix
from regrow.worlds.storybook.coats import WHITE

SKIES: dict[str, tuple[Colour, ...]] = {
    "day": ((70, 164, 240), (150, 212, 250), (222, 244, 252)),
    "sunset": ((112, 84, 168), (244, 128, 132), (255, 206, 128)),
    "night": ((16, 20, 60), (36, 44, 104), (76, 84, 150)),
}
OVERCAST: dict[str, tuple[Colour, float]] = {
    "clear": (WHITE, 0.0),
    "cloudy": ((196, 206, 220), 0.5),
    "rainy": ((112, 126, 148), 0.68),
    "snowy": ((206, 214, 230), 0.55),
}


@dataclass(frozen=True)
class Light:
    """The time (`day`, `sunset`, `night`) and the weather of a picture."""

    time: str
    weather: str

    def on(self, colour: Colour) -> Colour:
        """Return how an outdoor thing of this colour looks in this light."""
        if self.time == "sunset":
            colour = mix(colour, (250, 128, 84), 0.24)
        elif self.time == "night":
            colour = (round(colour[0] * 0.44), round(colour[1] * 0.43), round(colour[2] * 0.62 + 12))
        grey, share = self.dull()
        return mix(colour, grey, share * 0.32)

    def sky(self) -> list[Colour]:
        """Return the colour stops of the sky from the top of the picture down to the horizon."""
        grey, share = self.dull()
        return [mix(stop, grey, share) for stop in SKIES[self.time]]

    def dull(self) -> tuple[Colour, float]:
        """Return the grey that the weather adds to all colours, and its opacity (0 to 1)."""
        grey, share = OVERCAST[self.weather]
        return (mix(grey, (24, 30, 70), 0.7), share) if self.time == "night" else (grey, share)


def sky(canvas: Canvas, light: Light, horizon: float, random: Random) -> None:
    """Paint the sky down to y=`horizon`, with sun, moon and stars when it is clear, and clouds."""
    canvas.gradient(0, horizon, light.sky())
    side = random.choice((0.16, 0.84))
    x, y = (side + random.uniform(-0.05, 0.05)) * canvas.w, random.uniform(0.13, 0.19) * canvas.h
    clouds = [(random.uniform(0.05, 0.95), random.uniform(0.08, 0.28), random.uniform(0.8, 1.2)) for _ in range(6)]
    stars = [(random.random(), random.uniform(0.02, 0.42), random.uniform(0.006, 0.009)) for _ in range(12)]
    if light.weather == "clear":
        if light.time == "night":
            for u, v, radius in stars:
                canvas.disc(u * canvas.w, v * canvas.h, radius, (255, 246, 200))
            moon(canvas, x, y)
        elif light.time == "sunset":
            sun_y = horizon - 0.05
            for radius, alpha in ((0.2, 0.25), (0.155, 0.4)):
                canvas.disc(x, sun_y, radius, (255, 232, 150), alpha=alpha)
            canvas.disc(x, sun_y, 0.115, (255, 236, 140))
        else:
            canvas.disc(x, y, 0.135, (255, 244, 170), alpha=0.5)
            canvas.disc(x, y, 0.095, (255, 214, 64))
            canvas.disc(x, y, 0.078, (255, 226, 96))
    white = {"clear": WHITE, "cloudy": (238, 242, 248), "rainy": (150, 160, 178), "snowy": (232, 236, 246)}[
        light.weather
    ]
    white = mix(white, (50, 58, 110), 0.72) if light.time == "night" else white
    white = mix(white, (255, 170, 150), 0.4) if light.time == "sunset" else white
    if light.weather == "clear":
        if light.time != "night":
            # One or two small clouds on the side without the sun, so that a clear sky looks clear.
            for u, v, scale in clouds[: random.choice((1, 2))]:
                cloud(
                    canvas,
                    (0.2 + 0.5 * u + (0.15 if side < 0.5 else -0.2)) * canvas.w,
                    v * canvas.h,
                    0.6 * scale,
                    white,
                )
    else:
        for number, (_, v, scale) in enumerate(clouds):
            cloud(
                canvas,
                (number + 0.3) / 5.6 * canvas.w,
                v * 0.9 * canvas.h,
                1.15 * scale,
                white if number % 2 else mix(white, light.sky()[0], 0.3),
            )


def moon(canvas: Canvas, x: float, y: float, radius: float = 0.09) -> None:
    """Draw a full moon with a halo and two pale craters."""
    canvas.disc(x, y, radius * 1.4, (210, 214, 250), alpha=0.25)
    canvas.disc(x, y, radius, (255, 244, 200))
    canvas.disc(x - radius * 0.33, y - radius * 0.22, radius * 0.24, (238, 222, 168))
    canvas.disc(x + radius * 0.33, y + radius * 0.33, radius * 0.18, (238, 222, 168))


def cloud(canvas: Canvas, x: float, y: float, scale: float, colour: Colour) -> None:
    """Draw a cloud of discs with a flat bottom around (x, y), about 0.3 units wide at scale 1."""
    for dx, dy, radius in (
        (-0.085, 0.0, 0.045),
        (-0.03, -0.028, 0.062),
        (0.04, -0.02, 0.055),
        (0.095, 0.004, 0.04),
    ):
        canvas.disc(x + dx * scale, y + dy * scale, radius * scale, colour)
    canvas.box(x - 0.125 * scale, y - 0.01 * scale, 0.255 * scale, 0.055 * scale, colour, 0.026 * scale)


def falling(canvas: Canvas, light: Light, random: Random, below: float = 1.0) -> None:
    """Draw rain as slanted streaks, or snow as big flakes, from the top down to y=`below` of the height."""
    if light.weather not in ("rainy", "snowy"):
        return
    columns, rows = 7, 6
    for row in range(rows):
        for column in range(columns):
            # A jittered grid: random positions would form clumps, which look like dirt.
            x = (column + 0.5 * (row % 2) + random.uniform(0.1, 0.6)) / columns * canvas.w
            y = (row + random.uniform(0.1, 0.7)) / rows * canvas.h * below
            if light.weather == "rainy":
                colour = (208, 226, 246) if light.time != "night" else (150, 178, 226)
                canvas.line([(x, y), (x - 0.022, y + 0.075)], 0.0105, colour)
            else:
                canvas.disc(x, y, random.uniform(0.011, 0.018), WHITE)
