// @ts-check
/** Shared by the parts of the page: base elements, storage in the browser, and formatting of figures. */
import {LitElement, html, nothing} from "../../vendor/lit.js";
import {t} from "../texts.js";
export {icon} from "../icons.js";
export {Stored, change, state, update} from "../store.js";
export {toast} from "../toasts.js";
export {html, nothing, t};

/**
 * A base for elements without a shadow root, so that the page's styles apply.
 * @template {object} T
 * @param {() => T} start the element's properties, as they are at first; it draws anew when one of them changes
 * @returns {new () => LitElement & T & {tried: (work: () => Promise<any>) => Promise<boolean>}}
 */
export const light = (start) => /** @type {any} */ (class extends LitElement {
  static properties = Object.fromEntries(Object.keys(start()).map((name) => [name, {attribute: false}]));

  constructor() {
    super();
    Object.assign(this, start());
  }

  createRenderRoot() {
    return this;
  }

  /** Run work that the server may refuse; its error is stored in `error`. @param {() => Promise<any>} work */
  async tried(work) {
    const self = /** @type {any} */ (this);
    self.error = null;
    await work().catch((error) => (self.error = error));
    return !self.error;
  }
});

/** Shown until the forms are loaded. */
export const loading = () => html`<p class="muted">${t("form_loading")}</p>`;

/** The server's error, if it names no field. @param {any} error */
export const problem = (error) =>
  error && !error.field ? html`<p class="error" role="alert">${error.message || t("form_no_server")}</p>` : nothing;

/** The stored state of an element in this browser. @param {string} name @returns {any} */
export const recall = (name) => JSON.parse(localStorage.getItem(`regrow form ${name}`) ?? "{}");

/** Change the stored state. @param {any} element @param {string} name @param {Record<string, any>} changes */
export function keep(element, name, changes) {
  element.kept = {...element.kept, ...changes};
  localStorage.setItem(`regrow form ${name}`, JSON.stringify(element.kept));
}

/** A number of bytes in a suitable unit. @param {number} bytes */
export const size = (bytes) => (bytes < 1e9 ? `${Math.ceil(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`);

/** A fact, formatted for display. @param {any} value @returns {unknown} */
function read(value) {
  if (Number.isInteger(value)) return value.toLocaleString("en");
  if (typeof value === "number") return Number(value.toPrecision(4));
  if (typeof value === "boolean") return t(value ? "form_on" : "form_off");
  if (Array.isArray(value)) return value.map((one, i) => html`${i ? ", " : ""}${read(one)}`);
  return value && typeof value === "object" ? list(Object.entries(value)) : value;
}

/** Facts as a list, with translated names if there are any. @param {[string, any][]} facts @returns {unknown} */
export const list = (facts) => html`<dl class="form-facts">${facts.map(([name, value]) => {
  if (value == null || value === "" || value.length === 0) return nothing;
  const label = t(`fact_${name}`);
  return html`<dt>${label === `fact_${name}` ? name.replaceAll("_", " ") : label}</dt><dd>${read(value)}</dd>`;
})}</dl>`;

/** Let the browser save a file. @param {string} name @param {string} type @param {string} text */
export function save(name, type, text) {
  const href = URL.createObjectURL(new Blob([text], {type}));
  const link = Object.assign(document.createElement("a"), {download: name, href});
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
