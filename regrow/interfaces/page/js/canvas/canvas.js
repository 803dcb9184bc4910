// @ts-check
/** `<regrow-canvas>`: the picture in the middle, its mask, and previews of the result. */
import {LitElement, html, nothing} from "../../vendor/lit.js";
import {modelOf, working} from "../create.js";
import {Stored, change, state} from "../store.js";
import {t} from "../texts.js";
import {toast} from "../toasts.js";
import {bar} from "./bar.js";
import "./keys.js";
import {Mask} from "./mask.js";
import {forget, send} from "./mask_upload.js";
import {pane} from "./pane.js";
import {addressOf} from "./take.js";
import {Timeline} from "./timeline.js";
import {TOOLS, toolbar} from "./tools.js";
import {Pointers, View} from "./view.js";
import {welcome} from "./welcome.js";

/** @typedef {import("./view.js").Point} Point */

export class Canvas extends Stored(LitElement) {
  mask = new Mask();
  timeline = new Timeline();
  view = new View();
  pointers = new Pointers(this.view, this);
  /** @type {"original"|"result"|"split"|"beside"} */ mode = "original";
  /** @type {"pan"|"brush"|"eraser"|"box"|"lasso"} */ tool = "pan";
  brush = 10; // per cent of the longer side
  split = 50; // per cent of the width that shows the original
  held = false; // the original is shown for as long as a key or button is held
  finding = false; // whether the field that finds by words is open
  /** @type {Point[]|null} a box or a lasso that is being drawn */ draft = null;
  /** @type {Point|null} where the brush would draw */ cursor = null;
  /** @type {string|null|undefined} what is shown now */ inputId = undefined;
  /** @type {string|null} */ maskId = null;
  itemId = "";

  /** @param {Partial<Canvas>} changes */
  set(changes) {
    Object.assign(this, changes);
    this.requestUpdate();
  }

  /** Actions of keys. @type {Record<string, () => void>} */
  get acts() {
    return {
      "Ctrl z": () => this.travel(-1),
      "Ctrl Shift z": () => this.travel(1),
      "Ctrl y": () => this.travel(1),
      0: () => this.zoom(),
      "+": () => this.zoom(1.25),
      "-": () => this.zoom(0.8),
      " ": () => this.set({held: true}),
      ...(state.create.input && {
        i: () => this.fill(true),
        delete: () => this.fill(),
        ...Object.fromEntries(TOOLS.map(([name, key]) => [key, () => this.choose(name)])),
      }),
    };
  }

  /** The result that is shown, if there is one. */
  get item() {
    return state.create.results[state.create.shown];
  }

  /** The address of the picture that the result was made from; null if there is none. */
  get original() {
    const {input} = state.create, from = this.item?.input;
    return from && from !== input?.id ? addressOf(from) : (input?.preview ?? input?.url ?? null);
  }

  /** The size in pixels of the picture on the canvas. @returns {{width: number, height: number}} */
  get size() {
    const {input, settings} = state.create;
    const {width, height} = (this.mode !== "original" && this.item) || input || {};
    const [tall = 512, wide = 512] = [settings.size ?? modelOf()?.extent ?? []].flat(); // a number of a sound
    return {width: width || wide, height: height || tall};
  }

  shouldUpdate() {
    return state.create.medium === "picture"; // with a sound, this element is about to be removed
  }

  willUpdate() {
    const {input, mask, results} = state.create, {item, view} = this, id = item ? `${item.id} ${results.length}` : "";
    if ((input?.id ?? null) !== this.inputId) {
      this.open();
      this.showMask(mask);
    } else if (mask !== this.maskId) this.showMask(mask);
    this.timeline.keep();
    if (id !== this.itemId && (!item || this.mode === "original")) this.mode = item ? "result" : "original";
    this.itemId = id;
    const {width: w, height: h} = this.size;
    if (view.size.w === w && view.size.h === h) return;
    view.size = {w, h};
    view.fit();
  }

  updated() {
    const {clientWidth: w, clientHeight: h} = this.querySelector(".pane") ?? {}, {view} = this;
    if (!w || !h || (w === view.pane.w && h === view.pane.h)) return;
    view.pane = {w, h};
    if (view.fitted) view.fit();
    this.requestUpdate();
  }

  /** Start with another input. */
  open() {
    forget();
    this.inputId = state.create.input?.id ?? null;
    this.set({draft: null, finding: false, mode: this.item ? "result" : "original"});
    this.mask.resize(this.size.width, this.size.height);
    this.view.fitted = true;
  }

  /** Show a mask that was not painted: found by words, or from the history. @param {string|null} id */
  async showMask(id) {
    this.maskId = id;
    try {
      const file = id && id !== "auto" ? await (await fetch(addressOf(id))).blob() : null;
      if (id !== this.maskId || !(await this.mask.load(file))) return;
    } catch {
      change({mask: null});
      return toast(t("canvas_mask_gone"));
    }
    this.timeline.push(this.mask.share ? this.mask.png() : null, id);
    this.requestUpdate();
  }

  /** Finish a stroke: keep it, and upload the mask. */
  commit() {
    this.mask.measure();
    this.timeline.push(this.mask.share ? this.mask.png() : null, null);
    this.send();
  }

  send() {
    const {moment} = this.timeline;
    send(moment.png, (id) => (this.maskId = moment.mask = id));
    this.requestUpdate();
  }

  /** Cancel an unfinished stroke. */
  async restore() {
    await this.mask.load(await this.timeline.moment.png);
    this.requestUpdate();
  }

  /** Undo or redo. @param {-1|1} step */
  async travel(step) {
    const moved = this.timeline.move(step);
    if (!moved) return;
    const {moment, changes} = moved, sent = !moment.png || moment.mask;
    forget();
    this.maskId = sent ? moment.mask : state.create.mask;
    change({...changes, mask: this.maskId});
    if ("input" in changes) this.open();
    if (!(await this.mask.load(await moment.png))) return;
    if (!sent) this.send();
    this.requestUpdate();
  }

  /** Clear the mask, or invert it. @param {boolean} [inverted] */
  fill(inverted = false) {
    this.mask.fill(inverted ? "#fff" : "#000", inverted ? "difference" : "source-over");
    this.set({mode: "original"});
    this.commit();
  }

  /** @param {Canvas["tool"]} tool */
  choose(tool) {
    this.set({tool: tool === this.tool ? "pan" : tool, draft: null, mode: tool === "pan" ? this.mode : "original"});
  }

  /** Zoom by a factor; without one, fit the picture. @param {number} [factor] */
  zoom(factor) {
    if (factor) this.view.zoom(factor);
    else this.view.fit();
    this.requestUpdate();
  }

  /** The point of the pane under the pointer. @param {MouseEvent} event @returns {Point} */
  local({clientX, clientY}) {
    const boxes = [...this.querySelectorAll(".pane")].map((one) => one.getBoundingClientRect());
    const {left, top} = boxes.findLast((box) => clientX >= box.left && clientY >= box.top) ?? boxes[0];
    return {x: clientX - left, y: clientY - top};
  }

  render() {
    const {input} = state.create, {item, mode, pointers} = this, job = working();
    const empty = !input && !item && !job, beside = mode === "beside" && this.original && !job?.preview;
    const share = job?.state === "running" && job.progress?.steps ? job.progress.index / job.progress.steps : null;
    return html`
      ${toolbar(this)}
      <div class="easel ${beside ? "beside" : ""}" role="group" data-tool=${this.tool}
        aria-label=${t("canvas_easel")} aria-describedby="canvas-said">
        ${job || state.taking ? html`<progress class="edge" max="1" .value=${share ?? 0} ?data-waits=${share === null}
          aria-label=${t("canvas_progress")}></progress>` : nothing}
        ${empty ? welcome() : html`<div class="panes" @pointerdown=${pointers.press} @pointermove=${pointers.move}
          @pointerup=${pointers.lift} @pointercancel=${pointers.lift} @wheel=${pointers.wheel}
          @pointerleave=${() => this.set({cursor: null})}>
          ${beside ? [pane(this, "input", t("canvas_original")), pane(this, "result", t("canvas_result"))]
            : pane(this, this.held || mode === "original" || !item ? "input" : "result")}</div>`}
      </div>
      ${bar(this, job)}`;
  }
}
customElements.define("regrow-canvas", Canvas);
