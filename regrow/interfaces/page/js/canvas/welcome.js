// @ts-check
/** The canvas before there is a picture or a sound. */
import {html, nothing} from "../../vendor/lit.js";
import {get} from "../api.js";
import {take} from "../create.js";
import {icon} from "../icons.js";
import {state, update} from "../store.js";
import {t} from "../texts.js";
import {sources} from "./take.js";

/** @type {(import("../api.js").StoredFile & {words?: string})[]|null} */
let examples = null;

export function welcome() {
  const {medium} = state.create;
  if (!examples) {
    examples = [];
    get("/examples").then((found) => {
      examples = found;
      update({});
    }, () => (examples = null)); // requested again when the canvas is next drawn
  }
  return html`<div class="welcome empty">
    ${icon(medium)}
    <h2>${t("canvas_drop")}</h2>
    <p class="muted">${t(`canvas_or_${medium}`)}</p>
    <div class="row">${sources(true)}</div>
    ${examples?.length ? html`<p class="small muted">${t("canvas_examples")}</p>
      <div class="examples">${examples.map((one) => {
        const words = t("canvas_example", {name: one.words ?? one.name});
        return html`<button title=${words} aria-label=${words} @click=${() => take(one)}>
          ${one.medium === "picture" ? html`<img src=${one.url} alt="">` : icon("sound")}</button>`;
      })}</div>` : nothing}
  </div>`;
}
