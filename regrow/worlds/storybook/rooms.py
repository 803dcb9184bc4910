"""Draw the living room, with the time and weather outside its window."""

from random import Random

from regrow.worlds.storybook.canvas import Canvas, Colour, mix
from regrow.worlds.storybook.coats import WHITE
from regrow.worlds.storybook.skies import Light, cloud, moon


def living_room(canvas: Canvas, light: Light, random: Random) -> None:
    """Striped wallpaper, a window with the weather in it, a sofa, a lamp, a rug."""
    dusk = {"day": 0.0, "sunset": 0.16, "night": 0.34}[light.time]

    def indoors(colour: Colour) -> Colour:
        # Lamplight keeps a room bright at night, so it dims much less than the outside.
        return mix(colour, (70, 44, 84), dusk)

    wall = random.choice(((250, 222, 190), (204, 226, 214), (244, 208, 214), (208, 214, 240)))
    floor = 0.7 * canvas.h
    canvas.gradient(0, floor, [indoors(wall), indoors(mix(wall, WHITE, 0.25))])
    stripe = indoors(mix(wall, WHITE, 0.4))
    for number in range(0, round(canvas.w / 0.125) + 1, 2):
        canvas.box(number * 0.125, 0, 0.0625, floor, stripe)
    canvas.gradient(floor, canvas.h, [indoors((196, 132, 80)), indoors((166, 104, 60))])
    canvas.box(0, floor - 0.03, canvas.w, 0.035, indoors((255, 250, 240)))
    for share in (0.8, 0.91):
        canvas.line([(0, share * canvas.h), (canvas.w, share * canvas.h)], 0.011, indoors((144, 88, 50)))
    side = random.choice((-1, 1))
    _window(canvas, (0.5 - side * 0.22) * canvas.w, 0.07 * canvas.h, light, random)
    sofa = random.choice(((62, 128, 196), (58, 150, 118), (214, 84, 84), (148, 96, 190)))
    _sofa(canvas, (0.5 + side * 0.32) * canvas.w, floor + 0.06, indoors(sofa))
    lamp = (0.5 - side * 0.43) * canvas.w
    canvas.disc(lamp, 0.36 * canvas.h, 0.17, (255, 236, 160), alpha=0.35 if light.time != "day" else 0.2)
    canvas.line([(lamp, 0.76 * canvas.h), (lamp, 0.4 * canvas.h)], 0.02, (112, 78, 60))
    canvas.disc(lamp, 0.765 * canvas.h, 0.06, (112, 78, 60), 0.018)
    canvas.polygon(
        [
            (lamp - 0.05, 0.28 * canvas.h),
            (lamp + 0.05, 0.28 * canvas.h),
            (lamp + 0.1, 0.42 * canvas.h),
            (lamp - 0.1, 0.42 * canvas.h),
        ],
        (255, 222, 130),
    )
    rug = random.choice(((226, 96, 104), (86, 150, 206), (244, 178, 84), (120, 180, 130)))
    for grow, colour in ((1.0, rug), (0.84, mix(rug, WHITE, 0.55)), (0.7, mix(rug, WHITE, 0.15))):
        canvas.disc(0.5 * canvas.w, 0.9 * canvas.h, 0.46 * grow, indoors(colour), 0.095 * grow)


def _window(canvas: Canvas, x: float, y: float, light: Light, random: Random) -> None:
    half, high = 0.17, 0.36
    canvas.box(x - half - 0.024, y - 0.024, 2 * half + 0.048, high + 0.048, (255, 252, 244), 0.014)
    stops = light.sky()
    bands = 8
    for band in range(bands):
        colour = mix(stops[0], stops[2], band / (bands - 1))
        canvas.box(x - half, y + band * high / bands, 2 * half, high / bands, colour)
    if light.weather == "clear":
        if light.time == "night":
            moon(canvas, x + 0.085, y + 0.1, 0.055)
        else:
            canvas.disc(x + 0.085, y + (0.1 if light.time == "day" else 0.24), 0.06, (255, 226, 96))
    else:
        white = (150, 160, 178) if light.weather == "rainy" else (244, 246, 250)
        for dx, dy in ((-0.07, 0.09), (0.07, 0.12)):
            cloud(
                canvas,
                x + dx,
                y + dy,
                0.62,
                mix(white, (50, 58, 110), 0.6) if light.time == "night" else white,
            )
    for number in range(9):
        fall_x = x - half + 0.035 + (number % 3) * 0.12 + random.uniform(0, 0.03)
        fall_y = y + 0.13 + (number // 3) * 0.075 + random.uniform(0, 0.02)
        if light.weather == "rainy":
            canvas.line([(fall_x, fall_y), (fall_x - 0.014, fall_y + 0.045)], 0.011, (222, 238, 252))
        elif light.weather == "snowy":
            canvas.disc(fall_x, fall_y, 0.014, WHITE)
    ground = (250, 252, 255) if light.weather == "snowy" else (112, 192, 96)
    canvas.box(x - half, y + high - 0.05, 2 * half, 0.05, light.on(ground))
    canvas.box(x - 0.012, y, 0.024, high, (255, 252, 244))
    canvas.box(x - half, y + high * 0.5 - 0.012, 2 * half, 0.024, (255, 252, 244))
    canvas.box(x - half - 0.045, y + high + 0.015, 2 * half + 0.09, 0.03, (240, 230, 216), 0.01)


def _sofa(canvas: Canvas, x: float, y: float, colour: Colour) -> None:
    dark = mix(colour, (30, 20, 50), 0.25)
    canvas.box(x - 0.26, y - 0.34, 0.52, 0.3, dark, 0.06)
    canvas.box(x - 0.24, y - 0.15, 0.48, 0.12, mix(colour, WHITE, 0.15), 0.03)
    for left in (x - 0.3, x + 0.2):
        canvas.box(left, y - 0.22, 0.1, 0.21, colour, 0.04)
    canvas.box(x - 0.28, y - 0.08, 0.56, 0.07, colour, 0.025)
    for foot in (x - 0.26, x + 0.22):
        canvas.box(foot, y - 0.015, 0.04, 0.035, (90, 56, 40))
