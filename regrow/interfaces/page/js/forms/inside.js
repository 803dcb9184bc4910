// @ts-check
/** `<regrow-inside>`: inspect what a model makes of a picture or a sound, and verify the program. */
import {fold} from "../controls.js";
import {unfinished} from "../create.js";
import {curve} from "./curve.js";
import {mediumOf} from "./fields.js";
import {asking} from "./form.js";
import {ask, figure, jobOf, standing} from "./jobs.js";
import {Stored, html, keep, light, list, loading, nothing, recall, state, t} from "./light.js";

const VERBS = ["inspect", "invert", "interpolate", "replay", "verify"];
const COLUMNS = ["state", "check", "error", "allowed", "formula", "paper", "against"];
/** Facts that are not figures. */
const OTHERS = ["alpha_bar", "rows", "identical", "sections", "guess", "differences", "file", "inputs"];

/** The rows of a verification in order, while they arrive. @param {string[][]} rows @param {boolean} open */
function proof(rows, open) {
  const count = (/** @type {string} */ name) => rows.filter(([verdict]) => verdict === name).length;
  const passed = count("pass"), all = passed + count("fail");
  return html`<p role="status"><b>${t(open ? "inside_proved_so_far" : "inside_proved", {passed, all})}</b></p>
    <div class="form-scroll" tabindex="0" role="region" aria-label=${t("inside_verify")}><table>
      <thead><tr>${COLUMNS.map((name) => html`<th scope="col">${t(`proof_${name}`)}</th>`)}</tr></thead>
      <tbody>${rows.map(([verdict, ...cells]) => html`<tr class="proof-${verdict}">
        <td><b>${t(`verdict_${verdict}`)}</b></td>${cells.map((words) => html`<td>${words}</td>`)}</tr>`)}
      </tbody></table></div>`;
}

/** Whether a repeated result is identical. @param {boolean} identical @param {string[][]} differences */
const verdict = (identical, differences) => html`<p class=${identical ? "inside-same" : "warning"} role="status">
    <b>${t(identical ? "inside_same" : "inside_other")}</b></p>
  ${differences.map(([name, then, now]) => html`<p class="small">${name}: ${then} → ${now}</p>`)}`;

/** The results of a job. @param {import("../api.js").Job} job */
function found(job) {
  const {facts, beside, results, verb} = job;
  const {alpha_bar: bars, rows, identical, differences = []} = facts;
  const figures = Object.entries(facts).filter(([name]) => !OTHERS.includes(name));
  const draw = (/** @type {[string, string]} */ [name, url]) => (url.endsWith(".safetensors")
    ? html`<a class="button" href=${url} download>${t("inside_path")}</a>`
    : mediumOf(url) === "picture" ? html`<a href=${url} target="_blank"><img class="inside-page" src=${url}
      alt=${t(verb === "inspect" ? "inside_page" : "inside_beside", {name})}></a>` : nothing);
  return html`${identical === undefined ? nothing : verdict(identical, differences)}
    ${rows ? proof(rows, unfinished(job)) : nothing}
    ${Object.entries(beside).map(draw)}
    ${results.length ? html`<div class="form-sheet">${results.map((item) => figure(item, item.words))}</div>` : nothing}
    ${bars ? curve([{name: "", points: Object.entries(bars).map(([step, bar]) => [Number(step), bar])}],
      t("inside_step"), t("inside_kept")) : nothing}
    ${figures.length ? fold(t("inside_facts"), list(figures), !results.length && !rows) : nothing}`;
}

const start = () => ({
  kept: {open: "inspect", values: /** @type {any} */ ({}), jobs: /** @type {any} by verb */ ({}), ...recall("inside")},
  error: /** @type {any} */ (null),
});

export class RegrowInside extends Stored(light(start)) {
  render() {
    const {open, values, jobs} = this.kept, given = values[open] ?? {}, job = jobOf(jobs[open]);
    const {[open]: _old, ...rest} = jobs; // what was made of other values is not shown beside new ones
    if (!state.schemas[open]) return loading();
    const show = (/** @type {string} */ verb) => () => {
      this.error = null;
      keep(this, "inside", {open: verb});
    };
    return html`<div class="stack"><div class="segmented form-tabs" role="tablist">${VERBS.map((verb) => html`
        <button type="button" role="tab" aria-selected=${verb === open} @click=${show(verb)}>
          ${t(`inside_${verb}`)}</button>`)}</div>
      <div class="form-split">${asking({
        schema: state.schemas[open], values: given, error: this.error, medium: mediumOf(given.image),
        abilities: state.models.find((one) => one.name === given.model)?.abilities,
        put: (now) => keep(this, "inside", {values: {...values, [open]: now}, jobs: unfinished(job) ? jobs : rest}),
        submit: () => this.tried(async () => keep(this, "inside", {jobs: {...jobs, [open]: await ask(open, given)}})),
        below: html`<button class="button primary" ?disabled=${unfinished(job)}>${t(`inside_go_${open}`)}</button>`,
      })}
      <section class="stack" aria-label=${t("inside_found")}>${job ? [standing(job), found(job)]
        : html`<p class="empty">${t(`inside_empty_${open}`)}</p>`}</section></div></div>`;
  }
}
customElements.define("regrow-inside", RegrowInside);
