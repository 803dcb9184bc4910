// @ts-check
/** The bar below the canvas: choose a file, show the status, and switch the view. */
import {html, nothing} from "../../vendor/lit.js";
import {tool} from "../controls.js";
import {take} from "../create.js";
import {icon} from "../icons.js";
import {state} from "../store.js";
import {t} from "../texts.js";
import {placement} from "./placement.js";
import {sources, takeResult} from "./take.js";

/** @typedef {import("./canvas.js").Canvas} Canvas @typedef {import("../api.js").Job} Job */

/** @type {[Canvas["mode"], string][]} */
const MODES = [["original", "picture"], ["result", "check"], ["split", "compare"], ["beside", "grid"]];

/** @param {Canvas} canvas @param {Job|null} job */
export function bar(canvas, job) {
  const {item, view, mode} = canvas, any = state.create.input || item;
  const hold = () => canvas.set({held: true}); // keys.js lets go
  return html`<div class="under">
    ${any ? html`<div class="row">${sources()}
      ${tool("close", t("canvas_do_remove"), () => take(null), {name: "remove"})}</div>` : nothing}
    <output id="canvas-said" class="small muted">${said(canvas, job)}</output>
    ${item && canvas.original ? html`<div class="row">
      <div class="segmented" role="group" aria-label=${t("canvas_look")}>${MODES.map(([name, picture]) => html`
        <button data-mode=${name} aria-pressed=${mode === name} title=${t(`canvas_mode_${name}`)}
          aria-label=${t(`canvas_mode_${name}`)} @click=${() => canvas.set({mode: name})}>${icon(picture)}</button>`)}
      </div><span @pointerdown=${hold} @keydown=${({key = ""}) => key === " " && hold()}>
        ${tool("eye", t("canvas_hold"), () => {}, {name: "hold", pressed: canvas.held})}</span></div>` : nothing}
    ${any ? html`<span class="small muted zoom">${Math.round(view.k * 100)} %</span>
      ${tool("fit", t("canvas_do_fit"), () => canvas.zoom(), {key: "0", disabled: view.fitted})}` : nothing}
    ${item ? html`<div class="row">
      ${tool("pencil", t("canvas_do_reuse"), () => takeResult(item), {name: "reuse"})}
      <a class="icon-button" data-do="download" href=${item.url} download=${item.name} title=${t("canvas_do_download")}
        aria-label=${t("canvas_do_download")}>${icon("download")}</a></div>` : nothing}
  </div>`;
}

/** The status: progress of a job, or the part that the model will see. @param {Canvas} canvas @param {Job|null} job */
function said({mask, mode, size: {width, height}}, job) {
  const {steps, index, words} = job?.progress ?? {}, share = Math.max(1, Math.round(mask.share * 100));
  const pixels = (/** @type {{width: number, height: number}} */ box) => `${box.width} × ${box.height}`;
  if (state.taking) return state.taking;
  if (job?.state === "waiting") return job.place > 0 ? t("canvas_waiting", {count: job.place}) : t("canvas_starting");
  if (job) return [words, steps && `${index} / ${steps}`].filter(Boolean).join(" ");
  if (!state.create.input) return "";
  const found = state.create.mask === "auto" && t("canvas_mask_auto");
  const masked = found || (mask.share > 0 && t("canvas_mask_share", {share}));
  if (mode !== "original") return masked || "";
  const {source, target, tiles = []} = placement() ?? {}, all = pixels({width, height});
  return [
    masked,
    source && target && (source.width < width || source.height < height
      ? t("canvas_sees_part", {part: pixels(source), all})
      : pixels(source) !== pixels(target) && t("canvas_scaled", {size: pixels(target), all})),
    tiles.length > 1 && t("canvas_tiles", {count: tiles.length}),
  ].filter(Boolean).join(" · ");
}
