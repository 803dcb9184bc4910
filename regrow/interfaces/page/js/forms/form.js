// @ts-check
/** `<regrow-form>`: the form of any request, from its schema. */
import {repeat} from "../../vendor/lit.js";
import {tool} from "../controls.js";
import {control, differs, heeds, named} from "./fields.js";
import {html, light, nothing, problem, t} from "./light.js";

/** @typedef {import("./fields.js").Field} Field @typedef {import("./fields.js").Schema} Schema */

let forms = 0;
const start = () => ({
  schema: /** @type {Schema|undefined} */ (undefined),
  values: /** @type {Record<string, any>} what differs from the defaults, by name */ ({}),
  medium: /** @type {string|undefined} */ (undefined),
  abilities: /** @type {Record<string, any>|undefined} of the model */ (undefined),
  without: /** @type {string[]} names of fields that have a place elsewhere */ ([]),
  own: /** @type {Record<string, (value: any, put: (value: any) => void) => unknown>} controls that others draw */ ({}),
  error: /** @type {{message: string, field: string|null}|null} what the server refused */ (null),
  refused: /** @type {Record<string, string>} */ ({}),
});

/** Sends `change` with `{values, name}`. Shows only fields that method, medium and model use. */
export class RegrowForm extends light(start) {
  stem = `form-${forms++}`;

  valueOf(/** @type {Field} */ field) {
    return field.name in this.values ? this.values[field.name] : field.default;
  }

  put(/** @type {Field} */ field, /** @type {any} */ value) {
    const {[field.name]: _before, ...rest} = this.values;
    const values = differs(field, value) ? {...rest, [field.name]: value} : rest;
    Object.assign(this, {values, refused: {...this.refused, [field.name]: ""}});
    this.dispatchEvent(new CustomEvent("change", {detail: {values, name: field.name}}));
  }

  updated(/** @type {Map<string, unknown>} */ changed) {
    if (!changed.has("error") || !this.error?.field) return;
    const control = /** @type {HTMLElement|null} */ (this.querySelector(`#${this.stem}-${this.error.field}`));
    if (!control) return;
    control.closest("details")?.setAttribute("open", "");
    control.focus();
  }

  /** The error of a field, if any. @param {Field} field */
  wrong(field) {
    const value = this.valueOf(field), {name, least, most} = field;
    const out = typeof value === "number" && ((least != null && value < least) || (most != null && value > most));
    const refused = this.refused[name] || (this.error?.field === name ? this.error.message : "");
    if (refused || !out) return refused;
    return t(most == null ? "form_least" : least == null ? "form_most" : "form_range", {least, most});
  }

  row(/** @type {Field} */ field) {
    const {name, type, label, help} = field, id = `${this.stem}-${name}`, value = this.valueOf(field);
    const wrong = this.wrong(field), other = differs(field, value);
    const put = (/** @type {any} */ given) => this.put(field, given);
    const refuse = (/** @type {string} */ sentence) => 
      Object.assign(this, {refused: {...this.refused, [name]: sentence}});
    const to = {id, described: `${id}-help ${id}-wrong`, invalid: Boolean(wrong), put, refuse};
    const back = t("form_back", {label, value: named(field, field.default)});
    return html`<div class="form-field form-is-${type} ${other ? "differs" : ""}" data-field=${name}>
      <label id="${id}-label" for=${id}>${label}</label>
      ${other && type !== "file" ? tool("undo", back, () => put(field.default), {kind: "form-back"}) : nothing}
      ${this.own[name]?.(value, put) ?? control(field, value, to)}<small id="${id}-help" class="muted">${help}</small>
      <small id="${id}-wrong" class="form-wrong" role="alert">${wrong}</small></div>`;
  }

  render() {
    const {fields = [], groups = []} = this.schema ?? {}, by = fields.find((one) => one.name === "method");
    const chosen = {method: by && this.valueOf(by), medium: this.medium, abilities: this.abilities};
    const shown = fields.filter((field) => !this.without.includes(field.name) && heeds(field, chosen))
      .map((field) => ({...field, choices: field.choices?.filter((one) => heeds(one, chosen))}));
    const there = groups.filter(({name}) => shown.some((field) => field.group === name));
    const elsewhere = this.error && !shown.some((field) => field.name === this.error?.field);
    const drawn = (/** @type {string} */ name) => html`<div class="stack">
      ${repeat(shown.filter(({group}) => group === name), (field) => field.name, (field) => this.row(field))}</div>`;
    return html`${elsewhere ? problem({message: this.error?.message}) : nothing}
      ${there.map(({name, label}) => (name === "expert" && there.length > 1
        ? html`<details><summary>${label}</summary>${drawn(name)}</details>`
        : html`<fieldset>${there.length > 1 ? html`<legend>${label}</legend>` : nothing}${drawn(name)}</fieldset>`))}`;
  }
}
customElements.define("regrow-form", RegrowForm);

/**
 * The form of a request.
 * @typedef {{schema: Schema, values: Record<string, any>, error: any, put: (values: any) => void, own?: any,
 *   medium?: string, abilities?: any, without?: string[]}} Asked
 * @param {Asked} asked
 */
export const form = ({schema, values, error, put, own = {}, medium, abilities, without = []}) => html`
  <regrow-form .schema=${schema} .values=${values} .error=${error} .own=${own} .medium=${medium}
    .abilities=${abilities} .without=${without}
    @change=${(/** @type {CustomEvent} */ event) => put(event.detail.values)}></regrow-form>`;

/** A card with a form. @param {Asked & {submit: () => void, below: unknown}} asked `below`: its buttons */
export const asking = ({submit, below, ...asked}) => html`
  <form class="card stack" novalidate @submit=${(/** @type {Event} */ event) => (event.preventDefault(), submit())}>
    <h2>${asked.schema.title}</h2><p class="muted">${asked.schema.intro}</p>${form(asked)}${below}</form>`;
