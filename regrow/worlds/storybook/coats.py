"""Colours of the parts of an animal: five coats, each recognisable on every animal and in every place."""

from dataclasses import dataclass

from regrow.worlds.storybook.canvas import Colour

WHITE: Colour = (255, 255, 255)
INK: Colour = (36, 26, 34)
PINK: Colour = (247, 160, 168)
BLUSH: Colour = (250, 140, 140)
TONGUE: Colour = (238, 98, 116)
MOUTH: Colour = (122, 32, 46)
BEAK: Colour = (252, 150, 34)
BEAK_LINE: Colour = (150, 70, 12)
MOONLIGHT: Colour = (150, 168, 222)


@dataclass(frozen=True)
class Coat:
    """The colours of one fur (or plumage).

    Attributes:
        fur: the colour the coat is named after.
        shade: its darker part: far legs, stripes, a puppy's ears.
        light: its paler part: muzzle, chest.
        tip: the darkest part: a fox's ear tips and paws.
        patch: a puppy's patch around one eye.
        line: outlines.
        crease: thin lines on the fur itself, such as closed eyes and whiskers.
    """

    fur: Colour
    shade: Colour
    light: Colour
    tip: Colour
    patch: Colour
    line: Colour
    crease: Colour


COATS = {
    "orange": Coat(
        (247, 148, 46),
        (214, 106, 22),
        (255, 222, 170),
        (92, 48, 24),
        (158, 84, 34),
        (72, 32, 14),
        (72, 32, 14),
    ),
    "black": Coat(
        (58, 56, 68),
        (36, 34, 46),
        (158, 156, 172),
        (22, 20, 28),
        (128, 84, 56),
        (12, 10, 18),
        (206, 204, 220),
    ),
    "white": Coat(
        (252, 251, 248),
        (208, 212, 226),
        (255, 246, 232),
        (146, 148, 166),
        (186, 130, 84),
        (64, 60, 76),
        (64, 60, 76),
    ),
    "grey": Coat(
        (152, 158, 172),
        (112, 118, 134),
        (224, 228, 236),
        (60, 62, 76),
        (128, 90, 66),
        (40, 42, 54),
        (40, 42, 54),
    ),
    "brown": Coat(
        (146, 90, 50),
        (104, 60, 30),
        (232, 198, 156),
        (60, 34, 20),
        (196, 146, 96),
        (46, 24, 12),
        (46, 24, 12),
    ),
}
"""The coats by colour name."""
