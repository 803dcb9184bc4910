// @ts-check
/** `<regrow-results>`: a row of several results, such as of a grid; a click puts one on the canvas. */
import {LitElement, html, live, nothing} from "../../vendor/lit.js";
import {Stored, change, state} from "../store.js";
import {t} from "../texts.js";

/** Captions that distinguish results; otherwise their numbers. @param {import("../api.js").Item[]} items */
function labelsOf(items) {
  const names = /** @type {const} */ (["words", "method", "model"]);
  const telling = names.filter((name) => new Set(items.map((item) => item[name])).size > 1);
  return items.map((item, i) => telling.map((name) => item[name]).filter(Boolean).join(" · ") || `${i + 1}`);
}

class Results extends Stored(LitElement) {
  render() {
    const {results, shown} = state.create;
    if (results.length < 2) return nothing;
    return html`<div class="results" role="radiogroup" aria-label=${t("canvas_results")}>
      ${labelsOf(results).map((label, i) => html`<label title=${label}>
        <input class="visually-hidden" type="radio" name="shown" .checked=${live(i === shown)}
          @change=${() => change({shown: i})}>
        <img src=${results[i].thumbnail} alt="" loading="lazy"><span>${label}</span></label>`)}
    </div>`;
  }
}
customElements.define("regrow-results", Results);
