// @ts-check
/** The keys that work everywhere, and the sheet that lists all of them. */
import {html} from "../vendor/lit.js";
import {sheet} from "./controls.js";
import {asksNothing, run} from "./create.js";
import {state} from "./store.js";
import {t} from "./texts.js";

/** Keys by what they do. */
const KEYS = {
  create: {run: "Ctrl Enter", cancel: "Esc", paste: "Ctrl V", help: "?"},
  picture: {
    brush: "B", eraser: "E", box: "R", lasso: "L", invert: "I", undo: "Ctrl Z", redo: "Ctrl Y",
    fit: "0", compare: "Space",
  },
  sound: {sounds: "A B C", play: "Space"},
};

export const openShortcuts = () =>
  sheet(t("shortcuts"), html`<div class="columns">${Object.entries(KEYS).map(([title, keys]) => html`
    <section><h3>${t(`keys_${title}`)}</h3><dl>${Object.entries(keys).map(([words, pressed]) => html`<div>
      <dt>${pressed.split(" ").map((key) => html`<kbd>${key}</kbd>`)}</dt><dd>${t(`key_${words}`)}</dd></div>`)}</dl>
    </section>`)}</div>`, "shortcuts");

const TYPED = "textarea, select, input:not([type=checkbox], [type=range], [type=radio])";

/** Whether the focus is in a text field. @param {EventTarget|null} target @returns {target is HTMLElement} */
export const isTyping = (target) => target instanceof HTMLElement && target.matches(TYPED);

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && state.tab === "create") {
    event.preventDefault();
    if (asksNothing()) return;
    if (isTyping(event.target)) event.target.blur(); // keeps the text, and uncovers the canvas
    run();
  } else if (event.key === "?" && !isTyping(event.target)) openShortcuts();
});
