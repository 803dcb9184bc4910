// @ts-check
/** Gestures of a pointer with the chosen tool. */
import {state} from "../store.js";
import {clamp} from "./view.js";

/** @typedef {import("./view.js").Point} Point @typedef {import("./canvas.js").Canvas} Canvas */

/**
 * @param {Canvas} canvas @param {Point} at in the picture's pixels @param {boolean} less takes away from the mask
 * @returns {import("./view.js").Gesture|null} null where the picture itself is moved
 */
export function gestureOf(canvas, at, less) {
  const {tool} = canvas;
  if (tool === "pan" || !state.create.input) return null;
  canvas.set({mode: "original"}); // the mask belongs to the input
  if (tool === "box" || tool === "lasso") return outline(canvas, at, less);
  return stroke(canvas, at, less || tool === "eraser");
}

/** @param {Canvas} canvas @param {Point} at @param {boolean} less */
function stroke(canvas, at, less) {
  const {mask, view} = canvas, size = (canvas.brush / 100) * Math.max(view.size.w, view.size.h);
  let last = at;
  const move = (/** @type {Point[]} */ points) => {
    mask.draw([last, ...points], less, size);
    last = points[points.length - 1];
  };
  move([{x: at.x + 1e-3, y: at.y}]);
  return {move, end: () => canvas.commit(), cancel: () => canvas.restore()};
}

/** A box or a lasso. @param {Canvas} canvas @param {Point} at @param {boolean} less */
function outline(canvas, at, less) {
  const {w, h} = canvas.view.size, box = canvas.tool === "box", round = box ? Math.round : Number;
  const inside = (/** @type {Point} */ {x, y}) => ({x: clamp(round(x), 0, w), y: clamp(round(y), 0, h)});
  const first = inside(at);
  let draft = [first];
  const leave = () => canvas.set({draft: null});
  return {
    move: (/** @type {Point[]} */ points) => {
      const last = inside(points[points.length - 1]);
      draft = box ? [first, {x: last.x, y: first.y}, last, {x: first.x, y: last.y}] : [...draft, ...points.map(inside)];
      canvas.set({draft});
    },
    end: () => {
      leave();
      if (draft.length < 3) return; // a click
      canvas.mask.draw(draft, less);
      canvas.commit();
    },
    cancel: leave,
  };
}
