"""A mask painted by hand over the picture: a canvas of the browser's own, which needs no graphics card.

What is painted becomes a mask file like one that was dropped, white where a wish may act, so all else goes as with any
mask. gradio's ImageEditor would draw through WebGL, which not every browser has, and shows small pictures small.
"""

from pathlib import Path
from typing import Any

import gradio as gr

from regrow.interfaces.web.places import address
from regrow.interfaces.web.places import page as place
from regrow.interfaces.web.texts import said
from regrow.media.files import MediaError

CSS = """
.painter .tools { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin-bottom: .4rem }
.painter .tools button { padding: .35rem .7rem; border-radius: 6px; cursor: pointer;
  background: var(--button-secondary-background-fill); color: var(--button-secondary-text-color);
  border: 1px solid var(--border-color-primary) }
.painter .tools button[aria-pressed=true] { border-color: #15803d; box-shadow: inset 0 0 0 1px #15803d }
.painter .tools label { display: inline-flex; gap: .4rem; align-items: center; color: var(--body-text-color) }
.painter .board { position: relative; line-height: 0; max-width: 420px }
.painter .board img { width: 100%; border-radius: 4px }
.painter .board canvas { position: absolute; inset: 0; width: 100%; height: 100%; opacity: .6; cursor: crosshair;
  touch-action: none }
"""

SCRIPT = """
const most = 1024;  // pixels of the longer side: a mask is stretched over its picture anyway
const tool = (name, press) => {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = name;
  button.onclick = () => press(button);
  return button;
};
const build = () => {
  const root = element.querySelector('.painter'), { picture, mask, words } = props.value || {};
  if (!root) return;
  root.replaceChildren();
  if (!picture) return;
  const canvas = document.createElement('canvas'), ink = canvas.getContext('2d');
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', words.canvas);
  let last = null, erases = false;
  const save = () => {
    const { width, height } = canvas, whole = document.createElement('canvas');
    const painted = ink.getImageData(0, 0, width, height);
    let any = false;
    for (let i = 0; i < painted.data.length; i += 4) {
      const grey = painted.data[i + 3];
      any ||= grey > 0;
      painted.data.set([grey, grey, grey, 255], i);
    }
    if (!any) return trigger('painted', { path: '' });
    Object.assign(whole, { width, height });
    whole.getContext('2d').putImageData(painted, 0, 0);
    whole.toBlob(async blob => {
      const { path } = await upload(new File([blob], 'mask.png', { type: 'image/png' }));
      trigger('painted', { path });
    });
  };
  const size = Object.assign(document.createElement('input'), { type: 'range', min: 2, max: 40, value: 12 });
  const wide = document.createElement('label');
  wide.append(words.size, size);
  const modes = [tool(words.brush, () => choose(false)), tool(words.eraser, () => choose(true))];
  const choose = wanted => {
    erases = wanted;
    modes.forEach((button, i) => button.setAttribute('aria-pressed', (i === 1) === erases));
  };
  choose(false);
  const clear = tool(words.clear, () => { ink.clearRect(0, 0, canvas.width, canvas.height); save(); });
  const tools = document.createElement('div'), board = document.createElement('div');
  tools.className = 'tools';
  tools.append(...modes, wide, clear);
  board.className = 'board';
  const image = new Image();
  image.alt = '';
  image.onload = () => {
    const scale = Math.min(1, most / Math.max(image.naturalWidth, image.naturalHeight));
    canvas.width = Math.max(1, Math.round(image.naturalWidth * scale));
    canvas.height = Math.max(1, Math.round(image.naturalHeight * scale));
    if (!mask) return;
    const before = new Image();
    before.onload = () => {
      ink.drawImage(before, 0, 0, canvas.width, canvas.height);
      const found = ink.getImageData(0, 0, canvas.width, canvas.height);
      for (let i = 0; i < found.data.length; i += 4)
        found.data.set([34, 197, 94, found.data[i + 3] * found.data[i] / 255], i);
      ink.putImageData(found, 0, 0);
    };
    before.src = mask;
  };
  image.src = picture;
  const place = event => {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width * canvas.width,
            (event.clientY - box.top) / box.height * canvas.height];
  };
  const stroke = event => {
    const [x, y] = place(event);
    ink.globalCompositeOperation = erases ? 'destination-out' : 'source-over';
    ink.strokeStyle = '#22c55e';
    ink.lineCap = ink.lineJoin = 'round';
    ink.lineWidth = size.value / 100 * Math.max(canvas.width, canvas.height);
    ink.beginPath();
    ink.moveTo(...(last || [x, y]));
    ink.lineTo(x, y);
    ink.stroke();
    last = [x, y];
  };
  canvas.onpointerdown = event => { canvas.setPointerCapture(event.pointerId); last = null; stroke(event); };
  canvas.onpointermove = event => { if (last) stroke(event); };
  canvas.onpointerup = canvas.onpointercancel = () => {
    if (!last) return;
    last = null;
    ink.globalCompositeOperation = 'source-over';
    save();
  };
  board.append(image, canvas);
  root.append(tools, board);
};
build();
watch('value', build);
"""


def painter(**options: Any) -> gr.HTML:
    """A canvas over a picture. Its event "painted" tells where the mask lies, "" when nothing is painted any more."""
    return gr.HTML(value=None, html_template='<div class="painter"></div>', js_on_load=SCRIPT, **options)


def board(picture: str | None, mask: str | None, request: gr.Request) -> dict[str, Any]:
    """What a painter shows: a picture, and the mask that lies on it.

    Args:
        picture: a file of the page's own; None empties the painter.
        mask: likewise; None for a picture without.
        request: whose language its tools are named in.
    """
    names = ("canvas", "brush", "eraser", "size", "clear")
    return {
        "picture": address(picture) if picture else "",
        "mask": address(mask) if mask else "",
        "words": {name: said(f"painter_{name}", request) for name in names},
    }


def painted_file(path: str) -> str | None:
    """The mask that a browser says it has painted.

    Raises:
        MediaError: it is no file that was uploaded here.
    """
    if not path:
        return None
    file = Path(path).resolve()
    if not file.is_relative_to((place() / "uploads").resolve()) or not file.is_file():
        raise MediaError("What was painted did not arrive here: paint once more.")
    return str(file)
