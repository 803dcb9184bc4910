// @ts-check
/** `<regrow-train>`: start a training on a set of files (`<regrow-set>`) or a world, and watch all trainings. */
import {get, post} from "../api.js";
import {button, chooser, dropped, entry, fold, held, typed} from "../controls.js";
import {curve} from "./curve.js";
import {asking} from "./form.js";
import {Stored, html, icon, keep, light, loading, nothing, problem, recall, state, t, toast, update} from "./light.js";

const empty = () => ({
  value: "", // the name of the set, or a folder of this computer
  names: /** @type {string[]} what it holds */ ([]),
  left: 0, // files that are not uploaded yet
  refused: /** @type {string[]} */ ([]),
});

/** Sends `change` with `{value}`, the name of the set. A text file with a picture's name is its caption. */
export class RegrowSet extends light(empty) {
  async take(/** @type {File[]} */ files) {
    const fresh = `set-${new Date().toISOString().slice(0, 19).replace(/\D/g, "")}`;
    const value = /^set-\d+$/.test(this.value) ? this.value : fresh;
    Object.assign(this, {value, names: value === fresh ? [] : this.names, refused: [], left: files.length});
    for (const file of files) {
      const address = `/sets/${encodeURIComponent(value)}?name=${encodeURIComponent(file.name)}`;
      const refused = await post(address, file).then(() => "", ({message}) => message || t("form_no_server"));
      if (refused) Object.assign(this, {refused: [...this.refused, `${file.name}: ${refused}`]});
      else Object.assign(this, {names: [...new Set([...this.names, file.name])]});
      this.left -= 1;
    }
    if (this.names.length) this.tell(value);
  }

  tell(/** @type {string|null} */ value) {
    this.dispatchEvent(new CustomEvent("change", {detail: {value}}));
  }

  render() {
    const named = typed((words) => {
      this.names = [];
      this.tell(words.trim() || null);
    });
    const count = this.value ? this.names.length : 0;
    return html`<div class="form-file" @drop=${dropped((files) => this.take(files))} @dragover=${held}>
        <span class="muted" title=${this.names.join("\n")}>${count ? t("set_holds", {count}) : t("set_drop")}</span>
        ${chooser(html`${icon("folder")} ${t("set_choose")}`, (files) => this.take(files), {several: true})}
        ${this.left ? html`<progress aria-label=${t("set_sending")}></progress>` : nothing}
        <input placeholder=${t("set_folder")} aria-label=${t("set_folder")} .value=${this.value} @change=${named}></div>
      ${this.refused.map((words) => html`<p class="error small" role="alert">${words}</p>`)}`;
  }
}
customElements.define("regrow-set", RegrowSet);

/** @typedef {{name: string, state: "running"|"finished"|"stopped", step: number, loss: number|null, rate: number|null,
 *   left: number|null, losses: [number, number, string][], samples: string|null, said: string}} Training */

/** Store the state of a training; a new one comes first. @param {Training} training */
function learn(training) {
  const known = state.trainings ?? [], fresh = !known.some(({name}) => name === training.name);
  update({trainings: fresh ? [training, ...known] : known.map((one) => (one.name === training.name ? training : one))});
}
addEventListener("regrow-training", (/** @type {any} */ {detail}) => learn(detail));

/** The known progress of a training. @param {Training} training */
const standing = ({state: now, step, loss, rate, left}) => [
  now === "running" && !step ? t("train_starting") : t("train_step", {step}),
  loss != null && t("train_loss", {loss: loss.toFixed(4)}),
  rate && t("train_rate", {rate: rate.toFixed(1)}),
  left != null && t("train_left", {minutes: Math.max(1, Math.ceil(left / 60))}),
].filter(Boolean).join(" · ");

const start = () => ({
  kept: {values: /** @type {any} */ ({}), ...recall("train")},
  chosen: "", error: /** @type {any} */ (null), said: "", busy: false,
});

export class RegrowTrain extends Stored(light(start)) {
  firstUpdated() {
    this.tried(async () => update({trainings: await get("/trainings")}));
  }

  /** Start a training, or only show what would be used. @param {boolean} dry */
  async begin(dry) {
    Object.assign(this, {said: "", busy: true});
    await this.tried(async () => {
      const training = await post("/train", {...this.kept.values, dry_run: dry});
      if (dry) {
        this.said = training.said;
        return;
      }
      learn(training);
      this.chosen = training.name;
      toast(t("train_started"));
      await this.updateComplete;
      this.querySelector("article")?.scrollIntoView({block: "nearest"}); // on a phone it lies below the form
    });
    this.busy = false;
  }

  /** @param {Training} training @param {"stop"|"resume"} what */
  tell({name}, what) {
    this.tried(async () => {
      learn(await post(`/trainings/${encodeURIComponent(name)}/${what}`));
      toast(t(`train_told_${what}`));
    });
  }

  card(/** @type {Training} */ one) {
    const {name, state: now, losses, samples, said} = one;
    const pointsOf = (/** @type {string} */ kind) => losses.filter((row) => row[2] === kind)
      .map(([step, loss]) => /** @type {[number, number]} */ ([step, loss]));
    const series = [
      {name: t("train_curve"), points: pointsOf("training")},
      {name: t("train_held_out"), points: pointsOf("held out")},
    ];
    const act = now === "running" ? button("pause", t("train_stop"), () => this.tell(one, "stop"))
      : now === "stopped" ? button("play", t("train_resume"), () => this.tell(one, "resume")) : nothing;
    return html`<article class="card stack" aria-label=${name}><div class="row"><h3 class="grow">${name}</h3>
        <span class="tag">${t(`train_${now}`)}</span>${act}</div>
      <p class="muted" role="status">${standing(one)}</p>${problem(this.error)}
      ${curve(series.filter(({points}) => points.length), t("train_steps"), t("train_loss_axis"))}
      ${samples ? html`<a href=${samples} target="_blank"><img class="inside-page" src=${samples}
        alt=${t("train_samples", {name})}></a>` : nothing}
      ${said ? fold(t("train_said"), html`<pre class="form-said">${said}</pre>`) : nothing}</article>`;
  }

  render() {
    const {kept, error, busy, said, chosen} = this, {schemas, trainings} = state, schema = schemas.train;
    const all = trainings ?? [];
    if (!schema) return loading();
    const shown = all.find((one) => one.name === chosen) ?? all[0];
    const data = (/** @type {any} */ value, /** @type {(value: any) => void} */ put) => html`
      <regrow-set .value=${value ?? ""} @change=${(/** @type {CustomEvent} */ event) => {
        event.stopPropagation();
        put(event.detail.value);
      }}></regrow-set>`;
    return html`<div class="form-split">${asking({
        schema, values: kept.values, error, own: {data},
        put: (values) => keep(this, "train", {values}), submit: () => this.begin(false),
        below: html`<div class="row form-wrap">
            <button class="button primary" ?disabled=${busy}>${t("train_go")}</button>
            ${button("", t("train_dry"), () => this.begin(true), {disabled: busy})}</div>
          ${busy ? html`<progress aria-label=${t("job_works")}></progress>` : nothing}
          ${said ? html`<pre class="form-said" role="status">${said}</pre>` : nothing}`,
      })}
      <section class="stack" aria-label=${t("train_list")}>
        ${shown ? this.card(shown) : trainings ? html`<p class="empty">${t("train_none")}</p>` : nothing}
        ${all.length > 1 ? html`<ul class="entries">${all.map((one) => entry({
          title: one.name, more: t(`train_${one.state}`), shown: one === shown, act: () => (this.chosen = one.name),
        }))}</ul>` : nothing}</section></div>`;
  }
}
customElements.define("regrow-train", RegrowTrain);
