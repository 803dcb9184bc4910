// @ts-check
/** The position of the picture in its pane, and the pointers that move it or draw on it. */
import {gestureOf} from "./gestures.js";

/** @typedef {{x: number, y: number}} Point @typedef {{w: number, h: number}} Extent */
/** @typedef {{move(points: Point[]): void, end(): void, cancel(): void}} Gesture of one pointer, until it is lifted */

/** @param {number} x @param {number} least @param {number} most */
export const clamp = (x, least, most) => Math.min(Math.max(x, least), most);

export class View {
  k = 1;
  x = 0;
  y = 0;
  fitted = true;
  /** @type {Extent} */ pane = {w: 1, h: 1};
  /** @type {Extent} */ size = {w: 1, h: 1};

  /** The scale at which the whole picture is visible. */
  get whole() {
    return Math.max(Math.min((this.pane.w - 2) / this.size.w, (this.pane.h - 2) / this.size.h), 1e-3);
  }

  fit() {
    this.k = this.whole;
    this.x = (this.pane.w - this.size.w * this.k) / 2;
    this.y = (this.pane.h - this.size.h * this.k) / 2;
    this.fitted = true;
  }

  /** @param {number} factor @param {Point} [at] stays where it is */
  zoom(factor, at = {x: this.pane.w / 2, y: this.pane.h / 2}) {
    const k = clamp(this.k * factor, Math.min(this.whole, 1), Math.max(this.whole * 16, 16));
    if (factor < 1 && Math.abs(k / this.whole - 1) < 0.06) return this.fit();
    this.x = at.x - ((at.x - this.x) * k) / this.k;
    this.y = at.y - ((at.y - this.y) * k) / this.k;
    this.k = k;
    this.pan(0, 0);
  }

  /** Move the picture; a part of it always stays visible. @param {number} dx @param {number} dy */
  pan(dx, dy) {
    const {pane, size, k} = this, kept = 48;
    this.x = clamp(this.x + dx, kept - size.w * k, pane.w - kept);
    this.y = clamp(this.y + dy, kept - size.h * k, pane.h - kept);
    this.fitted = false;
  }

  /** @param {Point} at in the pane @returns {Point} in the picture's pixels */
  inPicture = (at) => ({x: (at.x - this.x) / this.k, y: (at.y - this.y) / this.k});
}

/** One pointer draws, or moves the picture; two pinch; a wheel zooms. */
export class Pointers {
  /** @type {Map<number, Point>} */ #down = new Map();
  /** @type {Gesture|null} */ #gesture = null;

  /** @param {View} view @param {import("./canvas.js").Canvas} canvas */
  constructor(view, canvas) {
    this.view = view;
    this.canvas = canvas;
  }

  press = (/** @type {PointerEvent} */ event) => {
    const at = this.canvas.local(event), stage = /** @type {HTMLElement} */ (event.currentTarget);
    if (event.button > 1 || this.#down.size === 2) return;
    if (event.button === 1) event.preventDefault(); // the middle button pans, and does not scroll
    stage.setPointerCapture(event.pointerId);
    this.#down.set(event.pointerId, at);
    this.#gesture?.cancel(); // a second finger means a pinch instead of a stroke
    const draws = this.#down.size === 1 && event.button === 0;
    this.#gesture = draws ? gestureOf(this.canvas, this.view.inPicture(at), event.altKey) : null;
    this.canvas.requestUpdate();
  };

  move = (/** @type {PointerEvent} */ event) => {
    const {view, canvas} = this, at = canvas.local(event), before = this.#down.get(event.pointerId);
    const others = [...this.#down].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
    canvas.cursor = event.pointerType === "touch" ? null : view.inPicture(at);
    if (before && this.#gesture) {
      const events = event.getCoalescedEvents?.() ?? [];
      this.#gesture.move((events.length ? events : [event]).map((one) => view.inPicture(canvas.local(one))));
    } else if (before && !others.length) {
      view.pan(at.x - before.x, at.y - before.y);
    } else if (before) {
      const apart = (/** @type {Point} */ {x, y}) => Math.max(Math.hypot(x - others[0].x, y - others[0].y), 1);
      view.pan((at.x - before.x) / 2, (at.y - before.y) / 2);
      view.zoom(apart(at) / apart(before), {x: (at.x + others[0].x) / 2, y: (at.y + others[0].y) / 2});
    }
    if (before) this.#down.set(event.pointerId, at);
    canvas.requestUpdate();
  };

  lift = (/** @type {PointerEvent} */ event) => {
    if (!this.#down.delete(event.pointerId)) return;
    if (event.type === "pointercancel") this.#gesture?.cancel();
    else this.#gesture?.end();
    this.#gesture = null;
    this.canvas.requestUpdate();
  };

  wheel = (/** @type {WheelEvent} */ event) => {
    event.preventDefault();
    this.view.zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), this.canvas.local(event));
    this.canvas.requestUpdate();
  };
}
