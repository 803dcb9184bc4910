// @ts-check
/** `<regrow-compare>`: one edit by several methods, strengths, guidances and models, measured side by side. */
import {button, typed} from "../controls.js";
import {modelOf, requestOf, unfinished} from "../create.js";
import {EMPTY} from "../store.js";
import {form} from "./form.js";
import {COPIES, ask, copyAs, figure, jobOf, standing} from "./jobs.js";
import {Stored, change, html, keep, light, loading, nothing, recall, save, state, t} from "./light.js";

const AXES = ["methods", "strengths", "guidances", "models"];
const FIGURES = /** @type {const} */ (["psnr", "ssim", "evaluations", "seconds"]);

/** @typedef {import("./fields.js").Field} Field */
/** @typedef {{method: string, strength: number, guidance: number, model: string, psnr: number|null, ssim: number|null,
 *   evaluations: number|null, seconds: number|null, result: string|null, error: string|null}} Row */

/** The rows as CSV. @param {Row[]} rows */
export function csv(rows) {
  const names = /** @type {const} */ (["method", "strength", "guidance", "model", ...FIGURES, "result", "error"]);
  const cell = (value = "") => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  return [names, ...rows.map((row) => names.map((name) => row[name]))]
    .map((cells) => cells.map((value) => cell(String(value ?? ""))).join(",")).join("\r\n");
}

/** @typedef {""|typeof FIGURES[number]} Figure */

/** The rows sorted by a figure, best first; those without it come last. @param {Row[]} rows @param {Figure} by */
function sorted(rows, by) {
  if (!by) return rows;
  const sign = by === "psnr" || by === "ssim" ? -1 : 1;
  const rank = (/** @type {Row} */ row) => (row[by] == null ? Infinity : sign * Number(row[by]));
  return [...rows].sort((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b)));
}

const start = () => ({
  kept: {axes: /** @type {Record<string, any[]>} what is ticked */ ({}), job: "", ...recall("compare")},
  error: /** @type {any} */ (null),
  by: /** @type {Figure} */ (""),
});

export class RegrowCompare extends Stored(light(start)) {
  /** The request: the edit of the form, with the ticked values. */
  get settings() {
    return {...requestOf({...state.create, extend: EMPTY.extend}).settings, ...this.kept.axes};
  }

  /** The form of the comparison; its choices come from the other forms and the list of models. */
  get schema() {
    const {schemas, models, create} = state, {compare, explore} = schemas;
    const usual = (/** @type {any} */ {fields}, /** @type {string} */ name) =>
      fields.find((/** @type {Field} */ one) => one.name === name).default;
    const here = models.filter(({medium}) => medium === create.medium);
    const choices = (/** @type {string} */ name) => (name === "models"
      ? here.map((model) => ({value: model.name, label: model.name, help: model.about}))
      : usual(explore, name).map((/** @type {number} */ value) => ({value, label: value})));
    const axis = (/** @type {Field} */ one) => (one.name === "methods" ? one : {...one, choices: choices(one.name)});
    return {...compare, fields: compare.fields.filter(({name = ""}) => AXES.includes(name)).map(axis)};
  }

  copy(/** @type {"command"|"python"} */ kind) {
    return this.tried(async () => {
      const seed = state.create.seed ?? jobOf(this.kept.job)?.settings.seed ?? null;
      const ticked = Object.keys(this.kept.axes).length;
      const asked = ticked ? {verb: "compare", settings: {...this.settings, seed}} : requestOf();
      await copyAs(asked, kind);
    });
  }

  /** @param {Row[]} rows @param {import("../api.js").Item[]} results */
  sheet(rows, results) {
    const order = sorted(rows, this.by);
    const items = order.flatMap((row) => results.find(({id}) => id === row.result) ?? []);
    const methods = this.schema.fields.find((/** @type {Field} */ {name}) => name === "methods")?.choices ?? [];
    const nameOf = (/** @type {string} */ method) =>
      methods.find((/** @type {any} */ {value}) => value === method)?.label ?? method;
    const show = (/** @type {any} */ item) => () => {
      change({results: items, shown: items.indexOf(item)});
      this.closest("dialog")?.close();
    };
    const one = (/** @type {Row} */ row) => {
      const item = items.find(({id}) => id === row.result), own = t("form_own");
      const figures = FIGURES.filter((name) => row[name] != null);
      const words = html`<div class="grow"><b>${nameOf(row.method)}</b> ${row.model}
        <br>${t("compare_cell", {strength: row.strength ?? own, guidance: row.guidance ?? own})}
        <dl class="form-facts small">${figures.map((name) => html`
          <dt>${t(`figure_${name}`)}</dt><dd>${Number(Number(row[name]).toPrecision(4))}</dd>`)}</dl></div>`;
      if (item) return figure(item, html`${words}${button("", t("compare_show"), show(item))}`);
      return html`<figure class="card form-figure">${words}<p class="error small">${row.error}</p></figure>`;
    };
    return html`<div class="row form-wrap"><label class="row">${t("compare_sort")}
        <select @change=${typed((by) => Object.assign(this, {by}))}>
          <option value="">${t("compare_as_asked")}</option>
          ${FIGURES.map((name) => html`<option value=${name}>${t(`figure_${name}`)}</option>`)}</select></label>
        ${button("sheet", t("compare_csv"), () => save("compare.csv", "text/csv", csv(order)))}</div>
      <div class="form-sheet">${order.map(one)}</div>`;
  }

  render() {
    const {axes, job: id} = this.kept, {create, schemas} = state, job = jobOf(id);
    const {rows, measured = "whole"} = job?.facts ?? {};
    if (!schemas.compare) return loading();
    const count = AXES.reduce((product, axis) => product * (axes[axis]?.length || 1), 1);
    const run = () => this.tried(async () => keep(this, "compare", {job: await ask("compare", this.settings)}));
    const words = t(count === 1 ? "compare_go_one" : "compare_go", {count});
    return html`<div class="stack"><p class="muted">${t(create.input ? "compare_about" : "compare_no_input")}</p>
      ${form({schema: this.schema, values: axes, error: this.error, abilities: modelOf()?.abilities,
        put: (now) => keep(this, "compare", {axes: now})})}
      <div class="row form-wrap">
        ${button("", words, run, {kind: "primary", disabled: !create.input || unfinished(job)})}
        ${COPIES.map((kind) => button("copy", t(`copy_${kind}`), () => this.copy(kind)))}</div>
      ${job ? standing(job) : nothing}
      ${job && rows?.length ? html`<p class="muted small">${t(`compare_measured_${measured}`)}</p>
        ${this.sheet(rows, job.results)}` : nothing}</div>`;
  }
}
customElements.define("regrow-compare", RegrowCompare);
