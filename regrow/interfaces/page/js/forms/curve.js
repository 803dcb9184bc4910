// @ts-check
/** Curves over steps as SVG; axis labels are HTML, so that they keep their size on a phone. */
import {html, nothing, svg} from "../../vendor/lit.js";

/** @typedef {{name: string, points: [number, number][]}} Series */

/** @param {number} value */
const said = (value) => String(Number(value.toPrecision(3)));

/** @param {Series[]} series @param {string} x its name @param {string} y its name */
export function curve(series, x, y) {
  const points = series.flatMap((one) => one.points).filter((point) => point.every(Number.isFinite));
  if (points.length < 2) return nothing;
  const [xs, ys] = [0, 1].map((axis) => points.map((point) => point[axis]));
  const [left, right, low, high] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const across = (/** @type {number} */ at) => (100 * (at - left)) / (right - left || 1);
  const down = (/** @type {number} */ at) => 100 - (100 * (at - low)) / (high - low || 1);
  // the last point is drawn twice, so that a curve of one point is a dot
  const line = (/** @type {[number, number][]} */ given) => [...given, ...given.slice(-1)]
    .filter((point) => point.every(Number.isFinite))
    .map(([at, is]) => `${across(at).toFixed(2)},${down(is).toFixed(2)}`).join(" ");
  const last = series.map(({name, points: all}) => `${name} ${said(all.at(-1)?.[1] ?? NaN)}`).join(", ");
  return html`<figure class="curve" role="img" aria-label="${y}: ${last}">
    <figcaption class="row small"><b>${y}</b>
      ${series.map(({name}, i) => html`<span class="curve-${i}">${name}</span>`)}</figcaption>
    <div class="curve-field"><svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
      ${series.map((one, i) => svg`<polyline class="curve-${i}" points=${line(one.points)}></polyline>`)}</svg>
      <i>${said(high)}</i><i>${said(low)}</i></div>
    <small class="row muted"><span class="grow">${said(left)}</span>${x} ${said(right)}</small></figure>`;
}
