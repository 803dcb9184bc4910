// @ts-check
/** `<regrow-models>`: the models on this machine, what each needs, and how to get more. */
import {get, post, remove} from "../api.js";
import {button, entry, fold, popup} from "../controls.js";
import {asking} from "./form.js";
import {Stored, change, html, icon, light, list, loading, nothing, problem, size, state} from "./light.js";
import {t, toast, update} from "./light.js";

/** @typedef {{name: string, problem: string, medium: "picture"|"sound", embedded: boolean, licence: string,
 *   about: string, size_bytes: number}} Model */

addEventListener("regrow-models", (/** @type {any} */ {detail}) => update({pull: detail.pull ?? state.pull}));

const addressOf = (/** @type {string} */ name) => `/models/${encodeURIComponent(name)}`;
const NAMES = ["family", "predicts", "steps", "guidance", "parameters", "training", "notes"];

/** The details of a model that are shown. @param {any} details @returns {[string, any][]} */
function facts({extent, words, hash, ...details}) {
  const known = words && Object.fromEntries(Object.entries(words).map(([name, values]) => [name, Object.keys(values)]));
  return [
    ["extent", Array.isArray(extent) ? extent.join(" × ") : `${extent} s`],
    ...NAMES.map((name) => /** @type {[string, any]} */ ([name, details[name]])),
    ["words", known],
    ["hash", hash?.slice(0, 16)],
  ];
}

/** The form that adds a model of this computer. */
const adding = () => ({
  verb: "models_add", title: t("models_add"), intro: "", groups: [{name: "", label: ""}],
  fields: ["path", "name", "base"].map((name) =>
    ({name, label: t(`models_${name}`), help: t(`models_${name}_why`), type: "text", default: "", group: ""})),
});

const start = () => ({
  chosen: /** @type {Model|null} */ (null),
  details: /** @type {any} */ (null),
  fit: /** @type {[string, string][]|null} */ (null),
  values: /** @type {Record<string, any>} by form */ ({}),
  error: /** @type {any} */ (null),
  asked: "", // the form to which the error belongs
});

export class RegrowModels extends Stored(light(start)) {
  firstUpdated() {
    this.tried(async () => update({pull: await get("/models/pull")}));
  }

  /** Show the facts about a model. @param {Model} chosen */
  show(chosen) {
    Object.assign(this, {chosen, details: null, fit: null, asked: ""});
    this.tried(() => get(addressOf(chosen.name)).then((got) => this.chosen === chosen && (this.details = got)));
  }

  weigh(/** @type {string} */ name) {
    const {chosen} = Object.assign(this, {asked: ""}), address = `/models/fit?name=${encodeURIComponent(name)}`;
    this.tried(() => get(address).then(({lines}) => this.chosen === chosen && (this.fit = lines)));
  }

  forget(/** @type {string} */ name) {
    this.tried(async () => {
      await remove(addressOf(name));
      this.chosen = null;
      toast(t("models_removed", {name}));
    });
  }

  /** @param {string} name @param {any} schema @param {() => Promise<any>} work @param {unknown} below */
  form(name, schema, work, below) {
    const submit = () => {
      this.asked = name;
      this.tried(work);
    };
    const put = (/** @type {any} */ values) => Object.assign(this, {values: {...this.values, [name]: values}});
    const error = this.asked === name ? this.error : null;
    return asking({schema, values: this.values[name] ?? {}, error, below, put, submit});
  }

  /** @param {Model} model */
  card({name, about, medium, embedded, problem: wrong}) {
    const {details, fit, error} = this;
    const use = () => {
      change({medium, model: name});
      location.hash = "create";
    };
    const sure = html`<p>${t("models_sure", {name})}</p>
      ${button("", t("models_remove"), () => this.forget(name), {kind: "danger"})}`;
    return html`<article class="card stack" aria-label=${name}><h3>${name}</h3><p>${about}</p>
      <div class="row form-wrap">${button("", t("models_use"), use, {kind: "primary"})}
        ${button("", t("models_fit"), () => this.weigh(name))}
        ${embedded ? nothing : popup("models-sure", html`${icon("trash")} ${t("models_remove")}`, "", sure,
          {kind: "form-sure", face: "button danger"})}</div>
      ${wrong ? html`<p class="warning">${wrong}</p>` : nothing}${fit ? list(fit) : nothing}
      ${details ? list(facts(details)) : error ? nothing : html`<progress aria-label=${t("form_loading")}></progress>`}
      ${details?.card ? fold(t("models_card"), html`<pre class="form-said">${details.card}</pre>`) : nothing}
      </article>`;
  }

  /** The form that downloads a model, and the progress of a download. */
  pulling() {
    const {pull} = state, {values, fit, chosen} = this, repo = values.pull?.repo, coming = pull?.state === "running";
    const stop = () => this.tried(async () => update({pull: await post("/models/pull/stop")}));
    const begin = async () => update({pull: await post("/models/pull", values.pull ?? {})});
    return this.form("pull", state.schemas.models_pull, begin, html`
      <p role="status">${pull?.said || (coming ? t("models_coming", {repo: pull.repo}) : "")}</p>
      ${coming && pull.size ? html`<progress max=${pull.size} .value=${pull.came} aria-label=${pull.repo}></progress>
        <small class="muted">${size(pull.came)} / ${size(pull.size)}</small>` : nothing}
      <div class="row form-wrap"><button class="button">${icon("download")} ${t("models_pull")}</button>
        ${coming ? button("", t("job_cancel"), stop) : nothing}
        ${button("", t("models_fit"), () => this.weigh(repo), {disabled: !repo})}</div>
      ${fit && !chosen ? list(fit) : nothing}`);
  }

  render() {
    const {models, schemas} = state, {error, values, chosen} = this;
    if (!schemas.models_pull) return loading();
    const add = async () => {
      await post("/models/add", values.add ?? {});
      this.values = {...values, add: {}};
      toast(t("models_added"));
    };
    return html`<div class="form-split"><section class="stack"><h2>${t("models_here")}</h2>
        <ul class="entries">${models.map((model) => entry({
          picture: icon(model.medium), title: model.name, shown: model.name === chosen?.name,
          act: () => this.show(model),
          more: html`${model.about}<br>${size(model.size_bytes)} · ${model.licence || t("models_no_licence")}`,
        }))}</ul></section>
      <section class="stack">
        ${this.asked ? nothing : problem(error)}${chosen ? this.card(chosen) : nothing}${this.pulling()}
        ${this.form("add", adding(), add, html`<button class="button">${icon("folder")} ${t("models_add")}</button>`)}
      </section></div>`;
  }
}
customElements.define("regrow-models", RegrowModels);
