// @ts-check
/** Keys of the canvas; the canvases of pictures and of sounds define the actions. */
import {isTyping} from "../shortcuts.js";

const stage = () => /** @type {any} */ (document.querySelector("regrow-canvas, regrow-sound"));

document.addEventListener("keydown", (event) => {
  const {target, key} = event, held = event.ctrlKey || event.metaKey ? (event.shiftKey ? "Ctrl Shift " : "Ctrl ") : "";
  if (event.defaultPrevented || event.altKey || isTyping(target) || document.querySelector("dialog[open]")) return;
  const act = stage()?.acts[held + key.toLowerCase()];
  const control = "button, a, input:not([type=radio]), summary, [role=option]";
  if (!act || (key === " " && target instanceof Element && target.matches(control))) return;
  event.preventDefault();
  act();
});

window.addEventListener("resize", () => stage()?.requestUpdate());
for (const kind of ["keyup", "pointerup", "pointercancel", "blur"])
  window.addEventListener(kind, () => stage()?.held && stage().set({held: false}));
