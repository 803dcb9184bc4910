// @ts-check
/** Temporary messages at the lower edge of the page, each with an undo button if possible. */
import {t} from "./texts.js";

let place = /** @type {HTMLElement|null} */ (null);

/**
 * @param {string} words
 * @param {{undo?: () => void, label?: string, seconds?: number}} [options] `undo` is offered as a button: it takes back
 *   what was done, or does what the label says
 */
export function toast(words, {undo, label = t("undo"), seconds = undo ? 8 : 4} = {}) {
  if (!place) {
    place = document.createElement("div");
    Object.assign(place, {id: "toasts", popover: "manual", role: "status"});
    document.body.append(place);
  }
  const said = document.createElement("div");
  said.className = "toast";
  const text = said.appendChild(document.createElement("span"));
  text.className = "grow";
  text.textContent = words;
  const button = said.appendChild(document.createElement("button"));
  button.className = undo ? "button" : "button quiet";
  button.textContent = undo ? label : t("close");
  const leave = () => {
    said.remove();
    if (place && !place.childElementCount) place.hidePopover();
  };
  button.onclick = () => {
    undo?.();
    leave();
  };
  // shown again, so that it is above dialogs opened in the meantime
  if (place.matches(":popover-open")) place.hidePopover();
  place.append(said);
  place.showPopover();
  setTimeout(leave, seconds * 1000);
}
