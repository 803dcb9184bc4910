"""Where an edit may change a picture: painted by hand, found by itself, a box, or a mask from a file."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from regrow.interfaces.web.assets import asset
from regrow.interfaces.web.fields import PictureField
from regrow.interfaces.web.own_files import caller_of
from regrow.interfaces.web.places import address
from regrow.interfaces.web.shared import Page
from regrow.interfaces.web.tabs.edit_settings import DEFAULTS
from regrow.interfaces.web.texts import said, text


@dataclass(frozen=True)
class Where:
    """The components; `mask` holds the mask that counts, whoever made it, and `painter` shows it on the picture."""

    whole: gr.Accordion
    find_mask: gr.Checkbox
    painter: gr.HTML
    mask: gr.Image
    region: gr.Textbox
    feather: gr.Slider
    stays: gr.State

    @property
    def settings(self) -> dict[str, Any]:
        """The components that are settings of an edit, by name."""
        return {"find_mask": self.find_mask, "mask": self.mask, "region": self.region, "feather": self.feather}


def where() -> Where:
    """Build the components."""
    with gr.Accordion(text("where"), open=False, elem_id="where") as whole:
        find_mask = gr.Checkbox(label=text("find_mask"), elem_id="find-mask")
        gr.Markdown(text("where_about"))
        canvas = painter(elem_id="painter")
        mask = PictureField(label=text("mask"), sources=["upload"], height=160, elem_id="mask")
        region = gr.Textbox(label=text("region"), placeholder="0.2,0.3,0.8,0.9", elem_id="region")
        feather = gr.Slider(0, 0.5, DEFAULTS["feather"], step=0.01, label=text("feather"))
    return Where(whole, find_mask, canvas, mask, region, feather, gr.State(False))


def follow_picture(page: Page, where: Where, image: gr.Image) -> None:
    """Show the picture and its mask in the painter, and what was painted in the mask's field.

    A mask stays while the words change, and where `stays` says so while the picture does; another picture has none.

    Args:
        page: whose files they are.
        where: the components.
        image: the field of the picture.
    """
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}

    def renewed(file: str | None, mask: str | None, stays: bool, request: gr.Request) -> tuple[Any, ...]:
        mask = mask if stays else None
        if not file:
            return board(None, None, request), mask, False
        try:
            return board(page.kept("picture", file, request), mask, request), mask, False
        except gr.Error:  # the field says what is wrong
            return board(None, None, request), mask, False

    def laid_on(file: str | None, mask: str | None, request: gr.Request) -> Any:
        return (
            board(page.kept("picture", file, request), mask and page.kept("picture", mask, request), request)
            if file
            else gr.skip()
        )

    def painted(event: gr.EventData, request: gr.Request) -> tuple[str | None, bool]:
        if not event.path:
            return None, False
        file = page.files.named(caller_of(request), str(event.path))
        if file is None:
            raise gr.Error(said("not_uploaded", request), print_exception=False)
        return file, False

    image.change(
        renewed, [image, where.mask, where.stays], [where.painter, where.mask, where.stays], queue=False, **quiet
    )
    for changed in (where.mask.upload, where.mask.clear):
        changed(laid_on, [image, where.mask], where.painter, queue=False, **quiet)
    last: dict[str, Any] = quiet | {"queue": False, "trigger_mode": "always_last"}
    where.painter.painted(painted, None, [where.mask, where.find_mask], **last)


def painter(**options: Any) -> gr.HTML:
    """Return a canvas over a picture, on which a mask is painted: white where an edit may act.

    It is a canvas of the browser's own: gradio's ImageEditor would draw through WebGL, which not every browser has, and
    shows small pictures small. Its event "painted" tells where the mask lies, "" when nothing is painted any more.
    """
    return gr.HTML(value=None, html_template='<div class="painter"></div>', js_on_load=asset("painter.js"), **options)


def board(picture: str | None, mask: str | None, request: gr.Request) -> dict[str, Any]:
    """What a painter shows: a picture, and the mask that lies on it.

    Args:
        picture: a file of the page's own; None empties the painter.
        mask: likewise; None for a picture without.
        request: whose language its tools are named in.
    """
    names = ("canvas", "brush", "eraser", "size", "undo", "clear")
    return {
        "picture": address(picture) if picture else "",
        "mask": address(mask) if mask else "",
        "words": {name: said(f"painter_{name}", request) for name in names},
    }
