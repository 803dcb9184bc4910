"""Draw the heads of the five animals, which differ in ears, snout and cheeks, visibly even in a small picture."""

from regrow.worlds.storybook.canvas import Pen
from regrow.worlds.storybook.coats import BEAK, BEAK_LINE, INK, MOUTH, PINK, WHITE, Coat
from regrow.worlds.storybook.faces import TURN, Gaze, Head, eyes, mouth


def cat(pen: Pen, head: Head, coat: Coat, expression: str) -> None:
    """Pointed ears with pink inside, slit green eyes, stripes, whiskers."""
    ears = [
        head.curve(
            (s * 0.93, 0.25),
            (s * 0.98, 0.85),
            (s * 0.9, 1.56),
            (s * 0.82, 1.56),
            (s * 0.5, 1.2),
            (s * 0.16, 0.8),
        )
        for s in (-1, 1)
    ]
    skull = head.curve(
        (0, 0.95),
        (0.62, 0.8),
        (0.98, 0.2),
        (1.04, -0.3),
        (0.62, -0.82),
        (0, -0.95),
        (-0.62, -0.82),
        (-1.04, -0.3),
        (-0.98, 0.2),
        (-0.62, 0.8),
    )
    pen.fill([*ears, skull], coat.fur, coat.line)
    for s in (-1, 1):
        pen.paint(head.curve((s * 0.8, 0.72), (s * 0.84, 1.3), (s * 0.38, 0.92)), PINK)
    for u, low in ((-0.22, 0.62), (0, 0.5), (0.22, 0.62)):
        pen.trace(head.curve((TURN * 0.5 + u, 0.88), (TURN * 0.7 + u * 0.9, low), closed=False), coat.shade, 2.2)
    u = TURN * 1.3
    pen.paint(head.oval(u - 0.2, -0.52, 0.28, 0.25), coat.light)
    pen.paint(head.oval(u + 0.2, -0.52, 0.28, 0.25), coat.light)
    pen.paint(head.oval(u, -0.66, 0.2, 0.2), coat.light)
    eyes(pen, head, coat, expression, Gaze((172, 224, 76), INK, slit=True))
    mouth(pen, head, expression, -0.48)
    pen.fill([head.curve((u - 0.13, -0.28), (u + 0.13, -0.28), (u, -0.43))], PINK, INK)
    for s in (-1, 1):
        for v, tilt in ((-0.34, 0.1), (-0.54, -0.08)):
            pen.trace(head.curve((u + s * 0.52, v), (s * 1.3 + u * 0.5, v + tilt), closed=False), coat.crease, 0.9)


def puppy(pen: Pen, head: Head, coat: Coat, expression: str) -> None:
    """Big hanging ears, a broad pale muzzle with a big black nose, a patch around one eye."""
    skull = head.curve(
        (0, 0.97),
        (0.6, 0.82),
        (0.92, 0.3),
        (0.94, -0.35),
        (0.6, -0.9),
        (0, -1.02),
        (-0.6, -0.9),
        (-0.94, -0.35),
        (-0.92, 0.3),
        (-0.6, 0.82),
    )
    pen.fill([skull], coat.fur, coat.line)
    pen.paint(head.oval(TURN - 0.42, 0.08, 0.36, 0.44, 12), coat.patch)
    u = TURN * 1.3
    pen.paint(head.oval(u, -0.5, 0.6, 0.46), coat.light)
    pen.paint(head.oval(TURN * 0.8, 0.5, 0.11, 0.4), coat.light)
    eyes(pen, head, coat, expression, Gaze(WHITE, (96, 56, 30), height=0.06))
    mouth(pen, head, expression, -0.52, 0.36, tongue=True)
    pen.fill(
        [
            head.curve(
                (u - 0.26, -0.18),
                (u, -0.12),
                (u + 0.26, -0.18),
                (u + 0.16, -0.4),
                (u, -0.48),
                (u - 0.16, -0.4),
            )
        ],
        INK,
        INK,
    )
    pen.paint(head.oval(u + 0.06, -0.22, 0.08, 0.05), (150, 146, 160))
    for s in (-1, 1):
        ear = head.curve(
            (s * 0.5, 0.86),
            (s * 0.86, 0.82),
            (s * 1.2, 0.3),
            (s * 1.36, -0.5),
            (s * 1.12, -0.92),
            (s * 0.84, -0.6),
            (s * 0.8, 0.1),
        )
        pen.fill([ear], coat.shade, coat.line)


def rabbit(pen: Pen, head: Head, coat: Coat, expression: str) -> None:
    """Very long upright ears with pink inside, round cheeks, two buck teeth."""
    ears = [head.oval(-0.4, 1.42, 0.27, 0.92, 7), head.oval(0.4, 1.42, 0.27, 0.92, -7)]
    skull = head.curve(
        (0, 0.9),
        (0.56, 0.76),
        (0.82, 0.2),
        (0.98, -0.4),
        (0.64, -0.88),
        (0, -0.98),
        (-0.64, -0.88),
        (-0.98, -0.4),
        (-0.82, 0.2),
        (-0.56, 0.76),
    )
    pen.fill(ears, coat.fur, coat.line)
    pen.paint(head.oval(-0.4, 1.42, 0.13, 0.7, 7), PINK)
    pen.paint(head.oval(0.4, 1.42, 0.13, 0.7, -7), PINK)
    pen.fill([skull], coat.fur, coat.line)
    u = TURN * 1.3
    for s in (-1, 1):
        pen.paint(head.oval(u + s * 0.23, -0.48, 0.32, 0.27), coat.light)
    eyes(pen, head, coat, expression, Gaze(WHITE, (70, 62, 120), height=0.04))
    mouth(pen, head, expression, -0.47, 0.28)
    if expression != "surprised":
        for s in (-1, 1):
            pen.fill([head.oval(u + s * 0.075, -0.62, 0.07, 0.14)], WHITE, INK)
    pen.fill([head.curve((u - 0.14, -0.26), (u + 0.14, -0.26), (u, -0.42))], PINK, INK)


def fox(pen: Pen, head: Head, coat: Coat, expression: str) -> None:
    """Big ears with dark tips, white cheeks running into a narrow pointed snout."""
    ears = [
        head.curve(
            (s * 0.98, 0.1),
            (s * 1.06, 0.9),
            (s * 0.95, 1.6),
            (s * 0.86, 1.6),
            (s * 0.46, 1.2),
            (s * 0.1, 0.74),
        )
        for s in (-1, 1)
    ]
    skull = head.curve(
        (0, 0.86),
        (0.62, 0.72),
        (0.94, 0.2),
        (1.28, -0.42),
        (0.78, -0.58),
        (0.46, -0.86),
        (0.22, -1.14),
        (0.04, -1.14),
        (-0.3, -0.86),
        (-0.78, -0.58),
        (-1.28, -0.42),
        (-0.94, 0.2),
        (-0.62, 0.72),
    )
    pen.fill([*ears, skull], coat.fur, coat.line)
    for s in (-1, 1):
        pen.paint(
            head.curve((s * 0.985, 1.15), (s * 0.95, 1.56), (s * 0.86, 1.57), (s * 0.6, 1.3), (s * 0.8, 1.12)),
            coat.tip,
        )
        pen.paint(head.curve((s * 0.82, 0.6), (s * 0.84, 1.05), (s * 0.42, 0.82)), coat.light)
    u = TURN * 1.3
    for s in (-1, 1):
        cheek = head.curve(
            (u + s * 0.03, -0.3),
            (u + s * 0.34, -0.2),
            (s * 0.8, -0.1),
            (s * 1.16, -0.4),
            (s * 0.76, -0.53),
            (0.06 + s * 0.36, -0.8),
            (0.13 + s * 0.03, -1.08),
        )
        pen.paint(cheek, WHITE)
    eyes(pen, head, coat, expression, Gaze((255, 206, 92), (136, 70, 20), height=0.06, spread=0.44))
    if expression == "happy":
        mouth(pen, head, expression, -0.66, 0.22)
    else:
        mouth(pen, head, expression, -0.74, 0.22)
    pen.fill([head.oval(u, -0.52, 0.17, 0.13)], INK, INK)
    pen.paint(head.oval(u + 0.05, -0.48, 0.05, 0.035), (150, 146, 160))


def penguin(pen: Pen, head: Head, coat: Coat, expression: str) -> None:
    """A white face inside a dark hood, and an orange beak (the hood itself belongs to the body)."""
    for s in (-1, 1):
        pen.paint(head.oval(TURN + s * 0.36, 0.04, 0.46, 0.56, -s * 8), WHITE)
    pen.paint(head.oval(TURN, -0.42, 0.62, 0.44), WHITE)
    eyes(pen, head, _on_white(coat), expression, Gaze(WHITE, INK, height=0.06, spread=0.38))
    u = TURN * 1.6
    if expression in ("happy", "surprised"):
        drop = 0.34 if expression == "happy" else 0.44
        pen.fill(
            [
                head.curve(
                    (u - 0.24, -0.3),
                    (u + 0.24, -0.3),
                    (u + 0.14, -0.3 - drop),
                    (u, -0.34 - drop),
                    (u - 0.14, -0.3 - drop),
                )
            ],
            BEAK,
            BEAK_LINE,
        )
        pen.paint(head.oval(u, -0.44, 0.13, drop * 0.5), MOUTH)
    pen.fill(
        [
            head.curve(
                (u - 0.34, -0.26),
                (u, -0.06),
                (u + 0.34, -0.26),
                (u + 0.1, -0.46),
                (u, -0.5),
                (u - 0.1, -0.46),
            )
        ],
        BEAK,
        BEAK_LINE,
    )


def _on_white(coat: Coat) -> Coat:
    """The same coat with creases that show on a penguin's white face."""
    return Coat(coat.fur, coat.shade, coat.light, coat.tip, coat.patch, INK, INK)


FACES = {"cat": cat, "puppy": puppy, "penguin": penguin, "rabbit": rabbit, "fox": fox}
"""The head of each animal."""
