// @ts-check
/** A pane of the canvas: one picture with its overlays. */
import {html, nothing, styleMap, svg} from "../../vendor/lit.js";
import {working} from "../create.js";
import {state} from "../store.js";
import {t} from "../texts.js";
import {toast} from "../toasts.js";
import {placement} from "./placement.js";

/** @typedef {import("./canvas.js").Canvas} Canvas @typedef {import("./placement.js").Box} Box */

const lost = () => toast(t("canvas_gone"));

/** @param {Canvas} canvas @param {"input"|"result"} shown @param {string} [caption] */
export function pane(canvas, shown, caption = "") {
  const {view, item, mode, held} = canvas, {input} = state.create, preview = working()?.preview ?? null;
  const own = mode === "original" && input ? (input.preview ?? input.url) : (canvas.original ?? item?.url ?? null);
  const base = shown === "result" && item ? item.url : own;
  const painted = input && mode === "original" && !held && !preview;
  const split = mode === "split" && item && canvas.original && !held && !preview;
  const words = shown === "result" && item ? item.words : state.create.source || input?.name || "";
  const {w, h} = view.size;
  const lies = {left: `${view.x}px`, top: `${view.y}px`, width: `${w * view.k}px`, height: `${h * view.k}px`};
  return html`<figure>
    ${caption ? html`<figcaption class="small muted">${caption}</figcaption>` : nothing}
    <div class="pane"><div class="world" style=${styleMap(lies)}>
      ${base ? html`<img class="base" src=${base} alt=${words} draggable="false" @error=${lost}>` : nothing}
      ${split ? html`<img class="over" src=${canvas.original} alt=${t("canvas_original")} draggable="false"
          style="clip-path: inset(0 ${100 - canvas.split}% 0 0)">
        <div class="divider" style="left: ${canvas.split}%"></div>
        <input type="range" aria-label=${t("canvas_split")} .value=${String(canvas.split)}
          @pointerdown=${(/** @type {Event} */ event) => event.stopPropagation()}
          @input=${(/** @type {any} */ {target}) => canvas.set({split: target.valueAsNumber})}>` : nothing}
      ${preview && !held ? html`<img class="growing" src=${preview} alt=${t("canvas_growing")} draggable="false"
        style=${growing(w, h)}>` : nothing}
      ${painted ? html`${canvas.mask.canvas}${overlay(canvas, w, h)}` : nothing}
    </div></div></figure>`;
}

/** A preview of the model's frame, at the frame's place over the input. @param {number} w @param {number} h */
function growing(w, h) {
  const {source, target, frame} = placement() ?? {};
  if (!source || !target || !frame) return "inset: 0; width: 100%; height: 100%";
  const across = source.width / target.width, down = source.height / target.height;
  const left = (source.left - target.left * across) / w, top = (source.top - target.top * down) / h;
  return `left: ${left * 100}%; top: ${top * 100}%;
    width: ${((frame[1] * across) / w) * 100}%; height: ${((frame[0] * down) / h) * 100}%`;
}

/** Overlays: model's frame, drawing and brush. @param {Canvas} canvas @param {number} w @param {number} h */
function overlay({draft, cursor, tool, brush}, w, h) {
  const {source, tiles = []} = placement() ?? {}, brushing = cursor && (tool === "brush" || tool === "eraser");
  const path = (/** @type {Box} */ {left, top, width, height}) => `M${left} ${top}h${width}v${height}h${-width}z`;
  return html`<svg viewBox="0 0 ${w} ${h}" preserveAspectRatio="none" aria-hidden="true">
    <filter id="mask"><feColorMatrix values="0 0 0 0 0  0 0 0 0 .75  0 0 0 0 .4  1 0 0 0 0"></feColorMatrix></filter>
    ${source && (source.width < w || source.height < h) ? svg`<path class="frame" d=${path(source)}></path>
      <path class="unseen" fill-rule="evenodd" d="M0 0h${w}v${h}h${-w}z${path(source)}"></path>` : nothing}
    ${tiles.length > 1 ? tiles.map((tile) => svg`<path class="frame" d=${path(tile)}></path>`) : nothing}
    ${draft ? svg`<polygon points=${draft.map(({x, y}) => `${x},${y}`).join(" ")}></polygon>` : nothing}
    ${brushing ? svg`<circle cx=${cursor.x} cy=${cursor.y} r=${(brush / 200) * Math.max(w, h)}></circle>` : nothing}
  </svg>`;
}
