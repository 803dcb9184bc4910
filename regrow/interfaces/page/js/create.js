// @ts-check
/** Requests of Create: made from the form, run as jobs, with their results. */
import {ApiError, get, post, remove} from "./api.js";
import {differs, heeds} from "./forms/fields.js";
import {EMPTY, change, state, subscribe, update} from "./store.js";
import {t} from "./texts.js";
import {toast} from "./toasts.js";

/**
 * @typedef {import("./api.js").Job} Job
 * @typedef {import("./api.js").Item} Item
 * @typedef {import("./api.js").StoredFile} StoredFile
 * @typedef {import("./forms/fields.js").Field} Field
 */

/** Fields with their own place on the page; all others are under More. */
export const PLACED = new Set(
  ["prompt", "target", "source", "strength", "seed", "image", "sound", "mask", "span", "model", "before", "after"],
);

/** Fields beside the piano roll, if the model sings notes. */
export const ROLL = ["lyrics", "to_lyrics", "tune"];

/** The chosen model, or the built-in one of the medium. */
export const modelOf = (create = state.create) =>
  state.models.find((model) => model.name === create.model) ??
  state.models.find((model) => model.embedded && model.medium === create.medium) ?? null;

/** The verb: edit or extend what is on the canvas, or generate. */
export const verbOf = (create = state.create) =>
  !create.input ? "generate" : create.extend.before > 0 || create.extend.after > 0 ? "extend" : "edit";

/** The prompts, one per line; for a singing model, the text is lyrics. */
export const wishes = (create = state.create) =>
  modelOf(create)?.abilities.sings_notes ? [] : create.words.split("\n").map((line) => line.trim()).filter(Boolean);

/** The fields of a request. @param {string} verb @returns {Field[]} none before the server has said them */
const fieldsOf = (verb) => state.schemas[verb]?.fields ?? [];

/** The fields of the verb that method, medium and model use; others are neither shown nor sent. */
export function heeded(create = state.create) {
  const fields = fieldsOf(verbOf(create));
  const method = create.settings.method ?? fields.find((field) => field.name === "method")?.default;
  const chosen = {method, medium: create.medium, abilities: modelOf(create)?.abilities ?? null};
  return fields.filter((field) => heeds(field, chosen));
}

/**
 * The request of the form; settings without effect are left out.
 * @returns {{verb: string, settings: Record<string, any>}}
 */
export function requestOf(create = state.create) {
  const verb = verbOf(create), names = heeded(create).map((field) => field.name);
  const asked = Object.entries(create.settings).filter(([name]) => names.includes(name));
  const model = create.model || modelOf(create)?.name;
  const {input, source, extend, mask, span, seed, keep: strength} = create, lines = wishes(create);
  /** @type {Record<string, Record<string, any>>} */
  const placed = {
    generate: {prompt: lines[0] ?? ""},
    extend: {...extend, sound: input?.id, prompt: lines[0] || source},
    edit: {image: input?.id, target: lines, source, strength, mask, span: span || null},
  };
  return {verb, settings: {...Object.fromEntries(asked), ...(model && {model}), seed, ...placed[verb]}};
}

/** Whether the form has neither words nor a song; if so, show an error. */
export function asksNothing(create = state.create) {
  const sung = ["lyrics", "to_lyrics", "tune", "singer", "bpm"].some((name) => create.settings[name]);
  if (wishes(create).length || sung || verbOf(create) === "extend") return false;
  update({problem: {sentence: t(`empty_${verbOf(create)}`), field: "target"}});
  return true;
}

/** Whether a job will still change. @param {Job|undefined|null} job */
export const unfinished = (job) => job?.state === "waiting" || job?.state === "running";

/** The running or waiting job of the form, or null. @returns {Job|null} */
export function working() {
  const job = state.create.job ? state.jobs[state.create.job] : null;
  return job && unfinished(job) ? job : null;
}

/** Wait until the schemas and models are loaded. @returns {Promise<any>} */
const formsHere = () => new Promise((done) => {
  const stop = subscribe(() => state.schemas.edit && done(stop()));
  update({}); // they may be here already
});

let kept = false, opened = ""; // a click that came before the server was ready; the result asked for last
let sent = Promise.resolve(); // requests reach the server in the order of the clicks

/**
 * Send the form's request; without an input, each prompt is a job. While a job runs, this adds to the queue.
 * @param {Partial<typeof EMPTY>} [changes] of the form, for this request alone
 */
export async function run(changes = {}) {
  update({problem: null});
  if (kept) return;
  const clicked = state.create;
  kept = true;
  await formsHere();
  kept = false;
  await (sent = sent.catch(() => {}).then(() => send(clicked, changes))); // a fault ends one request alone
}

/** @param {typeof EMPTY} clicked the form @param {Partial<typeof EMPTY>} changes */
async function send(clicked, changes) {
  try {
    await (await import("./canvas/mask_upload.js")).settled();
    const create = {...clicked, mask: state.create.mask, ...changes};
    const {verb, settings} = requestOf(create), lines = wishes(create);
    const each = verb === "generate" && lines.length > 1 ? lines.map((prompt) => ({prompt})) : [{}];
    const batch = working() ? [...state.create.batch] : [];
    for (const own of each) {
      const job = await post(`/${verb}`, {...settings, ...own});
      batch.push(job.id);
      change({batch: [...batch], job: working() ? state.create.job : job.id});
      state.jobs[job.id] ? settle(state.jobs[job.id]) : learn(job); // an event may come before this answer
    }
  } catch (error) {
    refused(error);
  }
}

/** Cancel all unfinished jobs of the form. */
export function cancel() {
  const open = state.create.batch.filter((id) => unfinished(state.jobs[id]));
  again = false;
  for (const id of open) post(`/jobs/${id}/cancel`).catch(refused);
}

/** Show the server's error at the field that it names. @param {unknown} error */
export function refused(error) {
  if (!(error instanceof ApiError)) throw error;
  update({problem: {sentence: error.message || t("no_server"), field: error.message ? error.field : "server"}});
}

/** Store the state of a job; results of the form's jobs go into the form. @param {Job} job */
export function learn(job) {
  const before = state.jobs[job.id];
  if (before && !unfinished(before)) return; // a repeated event, or an answer that is older than one
  update({jobs: {...state.jobs, [job.id]: job}});
  settle(job);
}

/** @param {Job} job */
function settle(job) {
  const {batch} = state.create;
  if (!batch.includes(job.id) || unfinished(job)) return;
  const results = batch.flatMap((id) => state.jobs[id]?.results ?? []);
  const known = String(results.map((item) => item.id)) === String(state.create.results.map((item) => item.id));
  change({job: batch.find((id) => unfinished(state.jobs[id])) ?? job.id});
  if (results.length && !known) change({results, shown: batch.length > 1 ? results.length - 1 : 0});
  if (job.state !== "failed") return;
  change({batch: batch.filter((id) => id !== job.id)}); // so that a reload does not report it again
  update({problem: {sentence: job.error, field: null}});
}

/** After a reload or a lost connection: request the state of the form's jobs. */
export async function catchUp() {
  for (const id of state.create.batch) {
    await get(`/jobs/${id}`).then(learn, ({status}) =>
      status === 404 && change({batch: state.create.batch.filter((one) => one !== id)}));
  }
}

/** Put a file on the canvas, a song with its singer; the prompt stays. @param {StoredFile|null} input */
export function take(input) {
  const {create} = state;
  const medium = input?.medium === "sound" || input?.medium === "picture" ? input.medium : create.medium;
  const {words, keep, seed} = create, told = input?.recipe, sung = told?.settings.model;
  const singer = state.models.find(({name, abilities}) => name === sung && abilities.sings_notes)?.name;
  const same = medium === create.medium, settings = same ? {...create.settings} : {};
  for (const name of ["melody", ...ROLL, "singer", "accompany", "bpm", "key"]) delete settings[name];
  change({...EMPTY, words, keep, seed, model: singer ?? (same ? create.model : ""), medium, input, settings});
  if (told) toast(t("has_recipe"), {label: t("take_recipe"), undo: () => fill(told, {medium})});
}

/**
 * Restore the form from a result or a recipe.
 * @param {{verb: string, settings: Record<string, any>, input?: StoredFile|null, mask?: StoredFile|null,
 *   complete: boolean}} told
 * @param {Partial<typeof EMPTY>} shown
 */
function fill({verb, settings: all, input = null, mask, complete}, shown) {
  const {prompt, target, source = "", strength, seed = null, model = "", span, before = 0, after = 0} = all;
  const set = fieldsOf(verb).filter((field) => !PLACED.has(field.name) && differs(field, all[field.name]));
  change({
    ...EMPTY,
    model, input, source, seed, sourceTyped: Boolean(source),
    mask: mask?.id ?? (all.mask === "auto" ? "auto" : null),
    settings: Object.fromEntries(set.map(({name}) => [name, all[name]])),
    words: [target ?? prompt ?? ""].flat().join("\n"),
    span: span ?? "", extend: {before, after}, keep: typeof strength === "number" ? strength : null,
    described: `${input?.id} ${model}`,
    ...shown,
  });
  update({problem: null});
  if (!complete) toast(t("incomplete"), {seconds: 8});
}

/** Load a result's picture, words and settings back into the form. @param {Item} item */
export async function load(item) {
  const {id, medium, words, seed, verb} = item, told = await get(`/history/${(opened = id)}/settings`);
  const own = {...(words && verb !== "interpolate" && {words}), ...(seed !== null && {seed})};
  if (opened === id) fill(told, {medium, results: [item], ...own});
}

let again = false; // the slider moved while an edit was running
/** @type {Set<string>} jobs of positions that the slider only passed */
const passing = new Set();

/** Repeat the last edit from its cached path, at another position of the slider. @param {number} keep */
export async function regrow(keep) {
  change({keep});
  const last = state.jobs[state.create.job ?? ""];
  if (last?.verb !== "edit" || verbOf() !== "edit" || last.settings.image !== state.create.input?.id) return;
  if ((again = unfinished(last)) || last.settings.strength === keep) return;
  await run({seed: last.settings.seed});
  passing.add(state.create.job ?? "");
}

subscribe(() => {
  const job = state.jobs[state.create.job ?? ""];
  if (!again || !job || unfinished(job)) return;
  again = false; // reset before `regrow` changes the form, which calls this again
  regrow(/** @type {number} */ (state.create.keep));
  if (!passing.has(job.id)) return;
  for (const {id} of job.results) remove(`/history/${id}`).catch(() => {}); // it may be gone already
});

/** Let the model describe a new file, and show it on the line "I see". */
async function describe() {
  const {input, sourceTyped, described} = state.create, model = modelOf();
  const asked = `${input?.id} ${model?.name}`;
  if (!input || !model || sourceTyped || described === asked || !state.connected) return;
  change({described: asked, source: ""});
  if (!model.abilities.describes) return;
  update({looking: asked});
  try {
    let job = await post("/describe", {image: input.id, model: model.name});
    while (unfinished(job)) job = await get(`/jobs/${job.id}/wait?seconds=20`);
    const {create} = state;
    if (create.described === asked && !create.sourceTyped) change({source: job.facts.source ?? ""});
  } catch (error) {
    refused(error);
  }
  if (state.looking === asked) update({looking: ""});
}
subscribe(describe);
