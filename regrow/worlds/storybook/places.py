"""Draw the five places, back to front, around the spot where the animal will stand."""

from random import Random

from regrow.worlds.storybook.canvas import Canvas, Colour, curve, mix
from regrow.worlds.storybook.coats import WHITE
from regrow.worlds.storybook.rooms import living_room
from regrow.worlds.storybook.skies import Light, falling, sky


def _hill(canvas: Canvas, heights: tuple[float, ...], colour: Colour) -> None:
    """Draw a smooth ridge through `heights` (fractions of the picture's height, left to right), filled below."""
    last = len(heights) - 1
    points = tuple(((i / last * 1.2 - 0.1) * canvas.w, v * canvas.h) for i, v in enumerate(heights))
    ridge = curve(points, closed=False).tolist()
    canvas.polygon([*ridge, (1.1 * canvas.w, canvas.h), (-0.1 * canvas.w, canvas.h)], colour)


def beach(canvas: Canvas, light: Light, random: Random) -> None:
    """Sea and sand, with a palm tree or a parasol at one side and a sail on the horizon."""
    horizon = 0.46 * canvas.h
    sky(canvas, light, horizon, random)
    canvas.gradient(
        horizon,
        0.68 * canvas.h,
        [light.on((18, 104, 190)), light.on((38, 150, 214)), light.on((110, 214, 226))],
    )
    sail = random.uniform(0.2, 0.8) * canvas.w
    canvas.polygon([(sail, horizon - 0.1), (sail, horizon - 0.015), (sail + 0.06, horizon - 0.015)], light.on(WHITE))
    canvas.polygon(
        [
            (sail - 0.045, horizon - 0.008),
            (sail + 0.065, horizon - 0.008),
            (sail + 0.045, horizon + 0.018),
            (sail - 0.025, horizon + 0.018),
        ],
        light.on((206, 62, 52)),
    )
    shore = tuple(0.655 + random.uniform(-0.02, 0.02) for _ in range(5))
    _hill(canvas, tuple(v - 0.022 for v in shore), light.on((240, 252, 255)))
    _hill(canvas, shore, light.on(mix((250, 220, 150), (255, 206, 160), random.random())))
    _hill(canvas, (0.84, 0.86, 0.83, 0.86, 0.84), light.on((243, 206, 132)))
    side = random.choice((-1, 1))
    x = (0.5 + side * random.uniform(0.36, 0.44)) * canvas.w
    if random.random() < 0.55:
        _palm(canvas, x, 0.78 * canvas.h, side, light)
    else:
        stripes = random.choice(((232, 66, 66), (52, 112, 220), (250, 170, 40)))
        _parasol(canvas, x, 0.8 * canvas.h, light.on(stripes), light)


def _palm(canvas: Canvas, x: float, y: float, side: int, light: Light) -> None:
    top_x, top_y = x - side * 0.07, y - 0.52
    canvas.line([(x, y), (x + side * 0.015, y - 0.25), (top_x, top_y)], 0.05, light.on((150, 98, 54)))
    for reach, drop, colour in (
        (0.24, 0.1, (30, 124, 66)),
        (-0.24, 0.1, (30, 124, 66)),
        (0.2, -0.06, (50, 158, 80)),
        (-0.2, -0.06, (50, 158, 80)),
        (0.12, 0.2, (40, 142, 72)),
        (-0.12, 0.2, (40, 142, 72)),
    ):
        leaf = curve(
            (
                (top_x, top_y),
                (top_x + reach * 0.5, top_y + drop * 0.3 - 0.07),
                (top_x + reach, top_y + drop),
                (top_x + reach * 0.5, top_y + drop * 0.4 + 0.005),
            )
        )
        canvas.polygon(leaf, light.on(colour))
    for dx in (-0.022, 0.024):
        canvas.disc(top_x + dx, top_y + 0.03, 0.026, light.on((112, 66, 36)))


def _parasol(canvas: Canvas, x: float, y: float, stripes: Colour, light: Light) -> None:
    canvas.line([(x, y), (x, y - 0.5)], 0.022, light.on((240, 232, 220)))
    top, rim, reach = y - 0.52, y - 0.33, 0.22
    for part in range(6):
        left, right = -reach + part * reach / 3, -reach + (part + 1) * reach / 3
        wedge = [(x + left * s, top + (rim - top) * t) for s, t in ((0.0, 0.0), (0.5, 0.14), (0.85, 0.5), (1.0, 1.0))]
        wedge += [(x + right * s, top + (rim - top) * t) for s, t in ((1.0, 1.0), (0.85, 0.5), (0.5, 0.14))]
        canvas.polygon(wedge, stripes if part % 2 == 0 else light.on(WHITE))


def snow(canvas: Canvas, light: Light, random: Random) -> None:
    """White mountains, snowy firs at the sides, rolling snow."""
    sky(canvas, light, 0.66 * canvas.h, random)
    for u, top, half in ((random.uniform(0.15, 0.3), 0.26, 0.34), (random.uniform(0.65, 0.85), 0.2, 0.4)):
        x, y, foot = u * canvas.w, (top + random.uniform(-0.03, 0.04)) * canvas.h, 0.68 * canvas.h
        slope = (foot - y) / half
        canvas.polygon([(x, y), (x + half, foot), (x - half, foot)], light.on((134, 154, 196)))
        canvas.polygon([(x, y), (x + half, foot), (x + 0.04, foot)], light.on((112, 132, 180)))
        cap = 0.13
        edge = [
            (x + cap, y + cap * slope),
            (x + 0.06, y + cap * slope * 0.78),
            (x + 0.02, y + cap * slope * 1.12),
            (x - 0.045, y + cap * slope * 0.8),
            (x - cap, y + cap * slope),
        ]
        canvas.polygon([(x, y), *edge], light.on(WHITE))
    _hill(canvas, tuple(0.63 + random.uniform(-0.03, 0.03) for _ in range(5)), light.on((216, 230, 248)))
    for side in (-1, 1):
        for _ in range(random.choice((1, 1, 2))):
            scale = random.uniform(0.8, 1.15)
            _fir(
                canvas,
                (0.5 + side * random.uniform(0.33, 0.47)) * canvas.w,
                random.uniform(0.7, 0.77) * canvas.h,
                scale,
                light,
            )
    _hill(canvas, tuple(0.765 + random.uniform(-0.015, 0.015) for _ in range(5)), light.on((240, 246, 255)))
    _hill(canvas, (0.93, 0.95, 0.92, 0.94, 0.93), light.on((224, 236, 252)))


def _fir(canvas: Canvas, x: float, y: float, scale: float, light: Light) -> None:
    canvas.box(x - 0.017 * scale, y - 0.08 * scale, 0.034 * scale, 0.12 * scale, light.on((110, 72, 48)))
    for low, half, height in ((0.05, 0.13, 0.17), (0.14, 0.105, 0.16), (0.23, 0.08, 0.15)):
        foot, half, height = y - low * scale, half * scale, height * scale
        canvas.polygon([(x, foot - height), (x + half, foot), (x - half, foot)], light.on((28, 104, 84)))
        canvas.polygon(
            [
                (x, foot - height),
                (x + half * 0.5, foot - height * 0.5),
                (x + half * 0.16, foot - height * 0.42),
                (x - half * 0.12, foot - height * 0.58),
                (x - half * 0.5, foot - height * 0.5),
            ],
            light.on(WHITE),
        )


def meadow(canvas: Canvas, light: Light, random: Random) -> None:
    """Green hills, a round tree, a few big flowers."""
    sky(canvas, light, 0.66 * canvas.h, random)
    _hill(canvas, tuple(0.52 + random.uniform(-0.06, 0.06) for _ in range(5)), light.on((138, 206, 116)))
    _hill(canvas, tuple(0.6 + random.uniform(-0.05, 0.05) for _ in range(4)), light.on((104, 188, 88)))
    side = random.choice((-1, 1))
    x, y = (0.5 + side * random.uniform(0.33, 0.42)) * canvas.w, 0.7 * canvas.h
    canvas.polygon(
        [(x - 0.03, y - 0.2), (x + 0.03, y - 0.2), (x + 0.045, y + 0.02), (x - 0.045, y + 0.02)],
        light.on((134, 86, 50)),
    )
    leaves = random.choice(((46, 142, 66), (60, 156, 74), (92, 160, 54)))
    for dx, dy, radius in (
        (-0.1, -0.24, 0.1),
        (0.1, -0.24, 0.1),
        (0, -0.2, 0.1),
        (-0.055, -0.35, 0.1),
        (0.06, -0.34, 0.1),
    ):
        canvas.disc(x + dx, y + dy, radius, light.on(leaves))
    canvas.disc(x - 0.05, y - 0.35, 0.055, light.on(mix(leaves, WHITE, 0.2)))
    if random.random() < 0.5:
        for dx, dy in ((-0.08, -0.2), (0.06, -0.29), (0.11, -0.19), (-0.01, -0.38)):
            canvas.disc(x + dx, y + dy, 0.021, light.on((232, 58, 58)))
    _hill(canvas, (0.7, 0.68, 0.7, 0.685, 0.7), light.on((96, 188, 78)))
    canvas.gradient(0.72 * canvas.h, canvas.h, [light.on((96, 188, 78)), light.on((70, 164, 66))])
    for u, v in ((0.07, 0.8), (0.2, 0.9), (0.34, 0.79), (0.66, 0.8), (0.8, 0.91), (0.93, 0.8)):
        petals = random.choice(((255, 255, 255), (255, 214, 70), (246, 110, 150), (190, 130, 240)))
        _flower(
            canvas,
            (u + random.uniform(-0.04, 0.04)) * canvas.w,
            (v + random.uniform(-0.02, 0.03)) * canvas.h,
            light,
            petals,
        )


def _flower(canvas: Canvas, x: float, y: float, light: Light, petals: Colour) -> None:
    canvas.line([(x, y), (x, y + 0.06)], 0.0125, light.on((40, 124, 56)))
    for dx, dy in ((0.0, -0.022), (0.021, -0.006), (0.013, 0.018), (-0.013, 0.018), (-0.021, -0.006)):
        canvas.disc(x + dx, y + dy, 0.0155, light.on(petals))
    canvas.disc(x, y, 0.013, light.on((250, 176, 36) if petals[2] > 100 else (190, 110, 30)))


def night_city(canvas: Canvas, light: Light, random: Random) -> None:
    """Houses with lit windows under the moon, a pavement, a street lamp."""
    sky(canvas, light, 0.75 * canvas.h, random)
    x = -random.uniform(0.0, 0.1)
    while x < canvas.w:
        width, top = random.uniform(0.13, 0.2), random.uniform(0.22, 0.36) * canvas.h
        canvas.box(x, top, width, 0.74 * canvas.h - top, (44, 46, 100))
        x += width
    x = -random.uniform(0.02, 0.14)
    walls = ((58, 40, 92), (36, 52, 100), (76, 42, 84), (30, 62, 94))
    shade = random.randrange(len(walls))
    while x < canvas.w:
        columns = random.choice((2, 3))
        width, top = 0.04 + columns * 0.085, random.uniform(0.3, 0.48) * canvas.h
        canvas.box(x, top, width, 0.76 * canvas.h - top, walls[shade % len(walls)])
        canvas.box(x - 0.01, top - 0.01, width + 0.02, 0.024, mix(walls[shade % len(walls)], WHITE, 0.15))
        shade += 1
        y = top + 0.05
        while y < 0.7 * canvas.h:
            for column in range(columns):
                lit = random.random() < 0.62
                canvas.box(x + 0.04 + column * 0.085, y, 0.046, 0.056, (255, 212, 98) if lit else (24, 26, 62))
            y += 0.1
        x += width + random.choice((0.0, 0.03))
    canvas.gradient(0.745 * canvas.h, canvas.h, [(96, 92, 132), (66, 64, 104)])
    canvas.box(0, 0.745 * canvas.h, canvas.w, 0.02, (134, 130, 168))
    side = random.choice((-1, 1))
    lamp = (0.5 + side * random.uniform(0.38, 0.44)) * canvas.w
    if light.weather == "snowy":
        canvas.gradient(0.765 * canvas.h, canvas.h, [(186, 196, 232), (150, 160, 208)])
    canvas.disc(lamp, 0.9 * canvas.h, 0.2, (255, 200, 90), 0.05, alpha=0.25)
    canvas.disc(lamp, 0.33 * canvas.h, 0.13, (255, 206, 96), alpha=0.32)
    canvas.line([(lamp, 0.9 * canvas.h), (lamp, 0.36 * canvas.h)], 0.026, (20, 22, 44))
    canvas.box(lamp - 0.04, 0.885 * canvas.h, 0.08, 0.03, (20, 22, 44), 0.01)
    canvas.disc(lamp, 0.33 * canvas.h, 0.052, (255, 236, 160))
    canvas.box(lamp - 0.05, 0.27 * canvas.h, 0.1, 0.026, (20, 22, 44), 0.01)


PLACES = {
    "beach": beach,
    "snow": snow,
    "meadow": meadow,
    "night city": night_city,
    "living room": living_room,
}


def place(canvas: Canvas, name: str, time: str, weather: str, layout: int) -> None:
    """Draw a whole background; the same four values always give the same pixels."""
    light = Light(time, weather)
    PLACES[name](canvas, light, Random(f"{name} {layout}"))
    if name != "living room":
        falling(canvas, light, Random(f"falling {layout}"))
