"""A sheet shows the pictures it was given, where they belong, and text that stays in its column."""

import numpy as np
import pytest
import torch

from regrow.media.files import MediaError
from regrow.media.image.picture import load, read_recipe, save, to_uint8
from regrow.media.image.sheet import GAP, MARGIN, Cell, Row, sheet

RED = torch.tensor([1.0, -1, -1]).view(3, 1, 1)
BLUE = torch.tensor([-1.0, -1, 1]).view(3, 1, 1)


def boxes(page: torch.Tensor, colour: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Top, left, height and width of what has exactly this colour."""
    ys, xs = np.nonzero((to_uint8(page) == colour).all(-1))
    return ys.min(), xs.min(), ys.max() - ys.min() + 1, xs.max() - xs.min() + 1


def test_pictures_lie_in_columns_of_the_cell_size():
    page = sheet([Row("", [Cell(RED.expand(3, 30, 30)), Cell(BLUE.expand(3, 500, 250))])], cell=100)
    assert boxes(page, (255, 0, 0)) == (MARGIN + 5, MARGIN + 5, 90, 90)  # three times larger, in the middle
    assert boxes(page, (0, 0, 255)) == (MARGIN, MARGIN + 100 + GAP + 25, 100, 50)
    assert page.shape[-1] == 2 * MARGIN + 200 + GAP
    values = to_uint8(page)
    for border in (values[:MARGIN], values[-MARGIN:], values[:, :MARGIN], values[:, -MARGIN:]):
        assert (border == 255).all()


def test_small_pictures_keep_their_pixels_as_squares():
    noise = torch.rand(3, 20, 20, generator=torch.Generator().manual_seed(0)) * 2 - 1
    page = to_uint8(sheet([Row("", [Cell(noise)])], cell=80))
    shown = page[MARGIN : MARGIN + 80, MARGIN : MARGIN + 80]
    assert np.array_equal(shown[::4, ::4], to_uint8(noise))
    assert np.array_equal(shown[3::4, 3::4], to_uint8(noise))


def test_long_captions_wrap_within_their_cell():
    words = "PSNR 31.2 dB to the source, measured outside the mask, and averyveryverylongnamewithoutanyspaceinit"
    short = sheet([Row("Row", [Cell(RED.expand(3, 64, 64), ["a"]), Cell(RED.expand(3, 64, 64))])], cell=128)
    long = sheet([Row("Row", [Cell(RED.expand(3, 64, 64), ["a", words]), Cell(RED.expand(3, 64, 64))])], cell=128)
    assert long.shape[-1] == short.shape[-1]
    assert long.shape[-2] > short.shape[-2] + 5 * 13
    values = to_uint8(long)
    assert (values[:, MARGIN + 128 + 1 : MARGIN + 128 + GAP] == 255).all()


def test_a_long_sheet_with_rows_of_different_length(tmp_path):
    rows = [Row(f"Row {i}", [Cell(RED.expand(3, 8, 8), ["name", "figure"])] * (1 + i % 3)) for i in range(20)]
    page = sheet(rows, cell=64, title="A heading that is much too long for such a narrow sheet and wraps")
    assert page.shape[-2] > 20 * 64
    assert (to_uint8(page)[-MARGIN:] == 255).all()
    save(tmp_path / "sheet.png", page, {"rows": 20})
    assert torch.equal(load(tmp_path / "sheet.png").pixels, page)
    assert read_recipe(tmp_path / "sheet.png") == {"rows": 20}


def test_letters_the_font_lacks_are_spelled_or_marked():
    cell = RED.expand(3, 64, 64)

    def named(text: str) -> torch.Tensor:
        return sheet([Row(text, [Cell(cell)])])

    assert torch.equal(named("café 64 × 64 → 32 – 1"), named("cafe 64 x 64 -> 32 - 1"))
    assert torch.equal(named("小狗"), named("??"))
    assert torch.equal(named("a\n\t b"), named("a b"))


def test_what_cannot_be_laid_out(tmp_path):
    cell = Cell(RED.expand(3, 64, 64))
    for rows in ([], [Row("empty", [])], [Row("", [cell]), Row("empty", [])]):
        with pytest.raises(MediaError, match="every row a picture"):
            sheet(rows)
    with pytest.raises(MediaError, match="use 64 or more"):
        sheet([Row("", [cell])], cell=63)
    (tmp_path / "font.ttf").write_text("no font")
    with pytest.raises(MediaError, match=r"font\.ttf is not a readable font"):
        sheet([Row("a", [cell])], font=tmp_path / "font.ttf")
