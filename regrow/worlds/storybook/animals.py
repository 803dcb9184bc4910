"""Draw animals on a common skeleton, so that replacing a cat by a puppy moves neither head nor feet."""

from dataclasses import dataclass

from regrow.worlds.storybook.canvas import Canvas, Colour, Pen, Shape, curve, limb, oval
from regrow.worlds.storybook.coats import BEAK, BEAK_LINE, COATS, MOONLIGHT, WHITE, Coat
from regrow.worlds.storybook.faces import Head
from regrow.worlds.storybook.heads import FACES

HEADS = {"sitting": Head(0.03, 0.6), "standing": Head(0.17, 0.6)}
"""The head of every animal by pose, in units of its size; the ground is at 0."""

BALL_AT = 0.4
RED: Colour = (226, 46, 52)
RED_LINE: Colour = (116, 16, 26)
BLUE: Colour = (44, 104, 220)
BLUE_LINE: Colour = (16, 40, 104)


@dataclass(frozen=True)
class Figure:
    """An animal to draw: its attributes, and the position of its feet and its size in canvas units."""

    kind: str
    colour: str
    pose: str
    facing: str
    expression: str
    accessory: str
    x: float
    y: float
    size: float

    @property
    def forward(self) -> int:
        """The sign of the direction it faces along x."""
        return 1 if self.facing == "right" else -1

    @property
    def line(self) -> float:
        """The thickness of its outlines, never thinner than 1.3 pixels at 128."""
        return max(0.0105, 0.0165 * self.size)


def shadow(canvas: Canvas, figure: Figure, tint: Colour) -> None:
    """Draw the shadow on the ground, which is the same for every animal, so that replacing one does not move it."""
    wide, shift = (0.34, 0.0) if figure.pose == "sitting" else (0.4, -0.03)
    x = figure.x + figure.forward * shift * figure.size
    canvas.disc(x, figure.y, wide * figure.size, tint, 0.055 * figure.size, alpha=0.32)


def animal(canvas: Canvas, figure: Figure, moonlit: bool) -> None:
    """Draw an animal with what it wears into picture and mask; `moonlit` gives it a rim of pale light."""
    pen = Pen(canvas, figure.x, figure.y, figure.size, figure.facing, figure.line)
    coat, head = COATS[figure.colour], HEADS[figure.pose]
    scarf = figure.accessory == "red scarf"
    if figure.kind == "penguin":
        _penguin_body(pen, coat, figure, head)
        FACES["penguin"](pen, head, coat, figure.expression)
        if scarf:
            _scarf(pen, head)
    else:
        _four_legged_body(pen, coat, figure)
        # Draw the scarf before a face whose chin hangs over it; a penguin has no chin.
        if scarf:
            _scarf(pen, head)
        FACES[figure.kind](pen, head, coat, figure.expression)
    if figure.accessory == "blue hat":
        _hat(pen, head)
    pen.lift(MOONLIGHT if moonlit else None)


def ball(canvas: Canvas, figure: Figure) -> None:
    """Draw a beach ball beside the feet, in front if there is room in the picture, else behind.

    It covers the animal and is taken out of the mask: it belongs to the scene and not to the animal.
    """
    size = figure.size
    radius, line = 0.125 * size, figure.line
    ground = figure.y + 0.03 * size
    x = figure.x + figure.forward * BALL_AT * size
    if not radius < x < canvas.w - radius:
        x = figure.x - figure.forward * BALL_AT * size
    y = ground - radius
    # The same polygon for picture and mask, so that the two agree to the pixel.
    whole = oval(x, y, radius + line, radius + line)
    canvas.polygon(whole, RED_LINE)
    canvas.mark(whole, 0)
    canvas.disc(x, y, radius, RED)
    canvas.disc(x, y, radius * 0.62, WHITE, radius)
    canvas.disc(x, y, radius * 0.26, (255, 200, 40), radius)
    canvas.disc(x - radius * 0.4, y - radius * 0.45, radius * 0.16, WHITE)


def _scarf(pen: Pen, head: Head) -> None:
    x, y = head.x, head.y - 0.235
    pen.fill(
        [limb(((x + 0.1, y), (x + 0.135, y - 0.1), (x + 0.125, y - 0.19)), (0.075, 0.085, 0.1))],
        RED,
        RED_LINE,
    )
    pen.fill(
        [limb(((x - 0.15, y + 0.015), (x, y - 0.02), (x + 0.15, y + 0.015)), (0.085, 0.095, 0.085))],
        RED,
        RED_LINE,
    )


def _hat(pen: Pen, head: Head) -> None:
    dome = head.curve((-0.5, 0.74), (-0.42, 1.12), (0, 1.36), (0.42, 1.12), (0.5, 0.74), (0, 0.7))
    pen.fill([head.oval(0, 1.42, 0.19, 0.2)], WHITE, BLUE_LINE)
    pen.fill([dome], BLUE, BLUE_LINE)
    brim = limb((head.at(-0.5, 0.72), head.at(0, 0.8), head.at(0.5, 0.72)), (0.075, 0.075, 0.075))
    pen.fill([brim], (120, 176, 255), BLUE_LINE)


def _tail(pen: Pen, coat: Coat, kind: str, pose: str) -> None:
    x, y = (-0.2, 0.08) if pose == "sitting" else (-0.33, 0.36)
    if kind == "cat":
        path = (
            (x, y),
            (x - 0.15, y + 0.02),
            (x - 0.21, y + 0.16),
            (x - 0.13, y + 0.28),
            (x - 0.18, y + 0.36),
        )
        pen.fill([limb(path, (0.075, 0.075, 0.07, 0.065, 0.06))], coat.fur, coat.line)
        pen.paint(limb(path[-2:], (0.05, 0.055)), coat.shade)
    elif kind == "puppy":
        path = ((x, y), (x - 0.09, y + 0.06), (x - 0.13, y + 0.17))
        pen.fill([limb(path, (0.09, 0.08, 0.05))], coat.fur, coat.line)
    elif kind == "rabbit":
        pen.fill([oval(x - 0.06, y + 0.03, 0.085, 0.08)], WHITE, coat.line)
    else:
        path = ((x, y), (x - 0.13, y + 0.03), (x - 0.2, y + 0.18), (x - 0.15, y + 0.36))
        pen.fill([limb(path, (0.09, 0.19, 0.23, 0.05))], coat.fur, coat.line)
        pen.paint(
            limb(((x - 0.2, y + 0.245), (x - 0.175, y + 0.3), (x - 0.15, y + 0.36)), (0.15, 0.11, 0.04)),
            WHITE,
        )


def _leg(x: float, top: float) -> Shape:
    return limb(((x, top), (x, top / 2), (x, 0.04)), (0.105, 0.095, 0.1))


def _four_legged_body(pen: Pen, coat: Coat, figure: Figure) -> None:
    """Draw the body that cat, puppy, rabbit and fox share; their tails, chests and paws differ."""
    kind, pose = figure.kind, figure.pose
    _tail(pen, coat, kind, pose)
    paws = coat.tip if kind == "fox" else coat.light if kind == "cat" else coat.fur
    foot = 1.45 if kind == "rabbit" else 1.0
    chest = WHITE if kind == "fox" else coat.light
    if pose == "sitting":
        torso = curve(
            (
                (0.03, 0.48),
                (0.17, 0.42),
                (0.22, 0.24),
                (0.23, 0.08),
                (0.14, 0.015),
                (-0.14, 0.015),
                (-0.25, 0.06),
                (-0.25, 0.2),
                (-0.13, 0.42),
            )
        )
        pen.fill([torso], coat.fur, coat.line)
        for x in (-0.2, 0.235):
            pen.fill([oval(x, 0.035 * foot**0.5, 0.085 * foot, 0.042 * foot**0.5)], paws, coat.line)
        legs, top = (-0.035, 0.115), 0.26
    else:
        for x in (-0.13, 0.06):
            pen.fill([_leg(x, 0.22)], coat.shade, coat.line)
        torso = curve(
            (
                (-0.36, 0.33),
                (-0.3, 0.42),
                (-0.1, 0.43),
                (0.12, 0.46),
                (0.26, 0.42),
                (0.28, 0.28),
                (0.17, 0.17),
                (-0.08, 0.16),
                (-0.3, 0.19),
            )
        )
        pen.fill([torso, _leg(-0.27, 0.24), _leg(0.2, 0.24)], coat.fur, coat.line)
        legs, top = (-0.27, 0.2), 0.0
    if pose == "sitting":
        for x in legs:
            pen.fill([_leg(x, top)], coat.fur, coat.line)
    for x in legs:
        pen.fill([oval(x + 0.012, 0.03, 0.06 * foot**0.4, 0.036)], paws, coat.line)
    if pose == "sitting":
        pen.paint(
            curve(((0.04, 0.42), (0.15, 0.36), (0.15, 0.27), (0.04, 0.16), (-0.07, 0.27), (-0.07, 0.36))),
            chest,
        )
    else:
        pen.paint(curve(((0.2, 0.42), (0.268, 0.38), (0.268, 0.29), (0.2, 0.21), (0.12, 0.28), (0.12, 0.38))), chest)


def _penguin_body(pen: Pen, coat: Coat, figure: Figure, head: Head) -> None:
    """Draw an upright egg with hood, white belly, flippers and orange feet."""
    pose = figure.pose
    lean = head.x - 0.03
    middle = 0.03 + lean * 0.45
    if pose == "standing":
        pen.fill([limb(((middle - 0.2, 0.1), (middle - 0.3, 0.05)), (0.12, 0.03))], coat.fur, coat.line)
        for x in (middle - 0.11, middle + 0.15):
            pen.fill([oval(x, 0.03, 0.1, 0.04)], BEAK, BEAK_LINE)
    wide = 0.27 if pose == "sitting" else 0.245
    egg = curve(
        (
            (middle + lean * 0.4, 0.56),
            (middle + wide * 0.9, 0.4),
            (middle + wide, 0.2),
            (middle + wide * 0.7, 0.04),
            (middle, 0.02),
            (middle - wide * 0.7, 0.04),
            (middle - wide, 0.2),
            (middle + lean * 0.3 - wide * 0.85, 0.42),
        )
    )
    hood = oval(head.x, head.y + 0.005, 0.262, 0.25)
    up = figure.expression in ("happy", "surprised")
    flippers = []
    for side in (-1, 1):
        x = middle + lean * 0.3 + side * wide * 0.82
        tip = (x + side * 0.19, 0.47) if up else (x + side * 0.13, 0.13)
        elbow = (x + side * 0.1, 0.42) if up else (x + side * 0.1, 0.27)
        flippers.append(limb(((x, 0.37), elbow, tip), (0.13, 0.12, 0.05)))
    pen.fill([egg, hood, *flippers], coat.fur, coat.line)
    belly = curve(
        (
            (middle + lean * 0.5, 0.5),
            (middle + wide * 0.66, 0.36),
            (middle + wide * 0.74, 0.2),
            (middle + wide * 0.5, 0.07),
            (middle, 0.05),
            (middle - wide * 0.42, 0.07),
            (middle - wide * 0.62, 0.2),
            (middle + lean * 0.3 - wide * 0.5, 0.36),
        )
    )
    pen.paint(belly, WHITE if coat.fur[2] < 240 else (255, 240, 208))
    if pose == "sitting":
        for x, tilt in ((middle - 0.15, 12), (middle + 0.17, -12)):
            pen.fill([oval(x, 0.07, 0.075, 0.085, tilt)], BEAK, BEAK_LINE)
