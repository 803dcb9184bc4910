// @ts-check
/** Jobs of Look inside and Compare: submit, follow and show them. */
import {get, post} from "../api.js";
import {button, sheet} from "../controls.js";
import {learn, unfinished} from "../create.js";
import {html, icon, nothing, state, t} from "./light.js";

/** @typedef {import("../api.js").Job} Job @typedef {import("../api.js").Item} Item */

export const COPIES = /** @type {const} */ (["command", "python"]);
const fetched = new Set();

/** Submit a job; its id. @param {string} verb @param {Record<string, any>} settings @returns {Promise<string>} */
export async function ask(verb, settings) {
  const job = await post(`/${verb}`, settings);
  learn(job);
  return job.id;
}

/** The known state of a job; a finished one may have to be fetched. @param {string|undefined} id @returns {Job|null} */
export function jobOf(id = "") {
  // a deleted job is not shown
  if (id && !state.jobs[id] && !fetched.has(id)) get(`/jobs/${id}`).then(learn, () => {});
  fetched.add(id);
  return state.jobs[id] ?? null;
}

/**
 * Copy a request to the clipboard, as a command or as Python, and show it.
 * @param {{verb: string, settings: any}} request @param {"command"|"python"} kind
 */
export async function copyAs(request, kind) {
  const code = (await post("/command", request))[kind];
  const copied = await navigator.clipboard?.writeText(code).then(() => true, () => false);
  const said = t(copied ? "copied" : "copy_by_hand"); // browsers allow copying only on secure or local pages
  sheet(t(`copy_${kind}`), html`<p class="muted">${said}</p><pre class="form-said">${code}</pre>`);
}

/** The state of a job, with a button to cancel it. @param {Job} job */
export function standing(job) {
  const {id, state: now, place, progress: {index, steps, words}, error, summary, notes} = job;
  const said = now === "waiting" ? t("job_waits", {place}) : words || t("job_works");
  if (unfinished(job)) return html`<div class="row" role="status"><span class="grow">
    <progress max=${steps || nothing} .value=${steps ? index : nothing} aria-label=${said}></progress>
    <small class="muted">${said}</small></span>
    ${button("", t("job_cancel"), () => post(`/jobs/${id}/cancel`).catch(() => {}))}</div>`;
  if (now === "failed") return html`<p class="error" role="alert">${error}</p>`;
  if (now === "cancelled") return html`<p class="muted" role="status">${t("job_cancelled")}</p>`;
  return html`<div role="status">${summary}</div>${notes.map((note) => html`<p class="muted small">${note}</p>`)}`;
}

/** A result as a picture or a player, with a caption below. @param {Item} item @param {unknown} below */
export const figure = ({medium, thumbnail, url, words, name}, below) => html`<figure class="card form-figure">
  ${medium === "sound"
    ? html`<img src=${thumbnail} alt=""><audio controls preload="none" src=${url} aria-label=${words}></audio>`
    : html`<a href=${url} target="_blank"><img src=${url} alt=${words} loading="lazy"></a>`}
  <figcaption>${below} <a class="icon-button" href=${url} download=${name} aria-label=${t("form_download")}
    title=${t("form_download")}>${icon("download")}</a></figcaption></figure>`;
