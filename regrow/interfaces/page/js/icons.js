// @ts-check
/** Icons; ../icons.svg holds them as lines on a grid of 24 x 24. */
import {html} from "../vendor/lit.js";

// inlined, so that icons first needed when the server is gone are available
document.body.insertAdjacentHTML("beforeend", await (await fetch("/page/icons.svg")).text());

/** An icon by its name, hidden from screen readers, as its button has a label. @param {string} name */
export const icon = (name) =>
  html`<svg class="icon icon-${name}" viewBox="0 0 24 24" aria-hidden="true"><use href="#icon-${name}"></use></svg>`;
