// @ts-check
/** Controls, lists and sheets that all parts of the page share. */
import {html, nothing, render} from "../vendor/lit.js";
import {icon} from "./icons.js";
import {t} from "./texts.js";

/** A handler that passes on the value of a control. @param {(value: string, box: any) => any} take */
export const typed = (take) => (/** @type {any} */ event) => {
  event.stopPropagation();
  take(event.target.value, event.target);
};

/** Lets a file be dropped. @param {Event} event */
export const held = (event) => event.preventDefault();

/** A handler that passes on dropped files. @param {(files: File[]) => any} take */
export const dropped = (take) => (/** @type {DragEvent} */ event) => {
  event.preventDefault();
  event.stopPropagation();
  take([...(event.dataTransfer?.files ?? [])]);
};

/**
 * A button with words.
 * @param {string} picture "" for none @param {unknown} words @param {(event: any) => any} act
 * @param {{kind?: string, disabled?: boolean}} [more] `kind`: further classes
 */
export const button = (picture, words, act, {kind = "", disabled = false} = {}) => html`
  <button type="button" class="button ${kind}" ?disabled=${disabled} @click=${act}>
    ${picture && icon(picture)}${words}</button>`;

/**
 * A small button that is on or off.
 * @param {unknown} words @param {() => any} act @param {{pressed?: boolean, kind?: string, title?: string}} [more]
 */
export const chip = (words, act, {pressed, kind = "", title} = {}) => html`
  <button type="button" class="chip ${kind}" title=${title ?? nothing} aria-pressed=${pressed ?? nothing}
    @click=${act}>${words}</button>`;

/**
 * A button that chooses files of this computer.
 * @param {unknown} face @param {(files: File[]) => any} take
 * @param {{kind?: string, accept?: string|null, several?: boolean, id?: string, described?: string}} [more]
 */
export const chooser = (face, take, {kind = "button", accept, several = false, id, described} = {}) => html`
  <label class=${kind}>${face}<input type="file" class="visually-hidden" id=${id ?? nothing} accept=${accept || nothing}
    ?multiple=${several} aria-describedby=${described ?? nothing} @change=${typed((_, box) => {
      take([...box.files]);
      box.value = ""; // the same file can be chosen again
    })}></label>`;

/** Content that is shown on a click. @param {string} title @param {unknown} shown @param {boolean} [open] */
export const fold = (title, shown, open = false) =>
  html`<details ?open=${open}><summary>${title}</summary>${shown}</details>`;

/**
 * A button with an icon.
 * @param {string} picture @param {string} label @param {(event: any) => any} act
 * @param {{kind?: string, disabled?: boolean, pressed?: boolean, name?: string, key?: string}} [more]
 */
export const tool = (picture, label, act, {kind = "", disabled = false, pressed, name = picture, key} = {}) => html`
  <button type="button" class="icon-button ${kind}" data-do=${name} ?disabled=${disabled} aria-label=${label}
    aria-pressed=${pressed ?? nothing} title=${key ? `${label} (${key})` : label}
    @click=${act}>${icon(picture)}</button>`;

/**
 * A button, and the popup that it opens.
 * @param {string} id @param {unknown} face of the button @param {string} label @param {unknown} shown
 * @param {{kind?: string, face?: string, toggled?: (event: any) => any}} [more] `kind` and `face`: further classes
 */
export const popup = (id, face, label, shown, {kind = "", face: as = "icon-button", toggled} = {}) => html`
  <button type="button" class=${as} popovertarget=${id} aria-label=${label || nothing}
    title=${label || nothing}>${face}</button>
  <div id=${id} class="popover ${kind}" popover @toggle=${toggled ?? nothing}>${shown}</div>`;

/** @param {string} id of what `popup` drew */
export const shut = (id) => document.getElementById(id)?.hidePopover();

/**
 * An entry of a list: its title, the action of a click, and further actions.
 * @param {{picture?: unknown, title: string, more?: unknown, shown?: boolean, label?: string, act?: () => any,
 *   beside?: unknown}} one
 */
export function entry({picture, title, more, shown = false, label, act, beside}) {
  const face = html`${picture}<span class="grow"><b class="cut">${title}</b> <small>${more}</small></span>`;
  const open = html`<button type="button" class="open" title=${title} aria-label=${label ?? nothing}
    aria-current=${shown} @click=${act}>${face}</button>`;
  return html`<li class="entry ${shown ? "shown" : ""}">
    ${act ? open : html`<span class="open">${face}</span>`}${beside}</li>`;
}

/** A sheet over the page, until it is closed. @param {string} title @param {unknown} shown @param {string} [kind] */
export function sheet(title, shown, kind = "") {
  const dialog = document.body.appendChild(document.createElement("dialog"));
  dialog.className = `sheet ${kind}`;
  dialog.setAttribute("aria-label", title);
  dialog.onclose = () => dialog.remove();
  dialog.onclick = (event) => event.target === dialog && dialog.close();
  render(html`<header><h2>${title}</h2>${tool("close", t("close"), () => dialog.close())}</header>${shown}`, dialog);
  dialog.showModal();
  return dialog;
}
