// @ts-check
/** `<regrow-presets>`: named settings and styles for prompts, which can be shared as a file. */
import {get, put, remove} from "../api.js";
import {button, chooser, entry, popup, tool} from "../controls.js";
import {verbOf} from "../create.js";
import {Stored, change, html, icon, light, nothing, save, state, t, toast} from "./light.js";

/** @typedef {{name: string, verb: string, settings: Record<string, any>, style: string}} Preset */

const start = () => ({presets: /** @type {Preset[]} */ ([]), error: /** @type {any} */ (null)});
const addressOf = (/** @type {string} */ name) => `/presets/${encodeURIComponent(name)}`;
const store = (/** @type {Preset} */ preset) => put(addressOf(preset.name), preset);

export class RegrowPresets extends Stored(light(start)) {
  /** @param {() => Promise<any>} [work] what changes the presets */
  renew(work = async () => {}) {
    return this.tried(async () => {
      await work();
      this.presets = await get("/presets");
    });
  }

  /** Apply a preset's settings, and put the prompt into its style. @param {Preset} preset */
  apply({name, settings: {model: other, strength = null, ...rest}, style}) {
    const {words, model, keep, settings} = state.create, [before, after = ""] = (style || "{prompt}").split("{prompt}");
    const has = (/** @type {string} */ line) => line.startsWith(before) && line.endsWith(after);
    const lines = words.split("\n").map((line) => (!line || has(line) ? line : before + line + after));
    change({words: lines.join("\n"), model: other ?? model, keep: strength, settings: rest});
    toast(t("presets_applied", {name}), {undo: () => change({words, model, keep, settings})});
  }

  async store(/** @type {any} */ event) {
    event.preventDefault();
    const form = event.target, name = form.elements.name.value.trim(), style = form.elements.style.value.trim();
    const {model, keep, settings} = state.create;
    if (style && !style.includes("{prompt}")) {
      this.error = new Error(t("presets_no_place"));
      return;
    }
    const all = {...settings, ...(model && {model}), ...(keep !== null && {strength: keep})};
    if (await this.renew(() => store({name, verb: verbOf(), settings: all, style}))) form.reset();
  }

  /** Add the presets of a file. @param {File} file */
  bring(file) {
    return this.renew(async () => {
      const read = file.text().then((text) => JSON.parse(text).presets.map(
        (/** @type {Preset} */ {name, verb, settings, style}) => ({name, verb, settings, style})));
      const presets = await read.catch(() => Promise.reject(new Error(t("presets_no_file", {name: file.name}))));
      for (const preset of presets) await store(preset);
    });
  }

  async forget(/** @type {Preset} */ preset) {
    const {name} = preset;
    if (await this.renew(() => remove(addressOf(name))))
      toast(t("presets_removed", {name}), {undo: () => this.renew(() => store(preset))});
  }

  render() {
    const {presets, error} = this;
    const out = () => save("regrow-presets.json", "application/json", JSON.stringify({presets}, null, 2));
    return popup("presets", icon("board"), t("presets"), html`
      ${presets.length ? html`<ul class="entries">${presets.map((one) => entry({
        title: one.name, more: one.style, act: () => this.apply(one),
        beside: tool("trash", t("presets_remove", {name: one.name}), () => this.forget(one)),
      }))}</ul>` : html`<p class="muted">${t("presets_none")}</p>`}
      ${error ? html`<p class="error" role="alert">${error.message || t("form_no_server")}</p>` : nothing}
      <form class="stack" @submit=${this.store}>
        <label class="field"><span>${t("presets_name")}</span>
          <input name="name" required maxlength="60" autocomplete="off"><small>${t("presets_what")}</small></label>
        <label class="field"><span>${t("presets_style")}</span>
          <input name="style" placeholder=${t("presets_example")} autocomplete="off">
          <small>${t("presets_style_why")}</small></label>
        <div class="row form-wrap"><button class="button primary">${t("presets_save")}</button>
          ${button("", t("presets_export"), out, {disabled: !presets.length})}
          ${chooser(t("presets_import"), ([file]) => this.bring(file), {accept: ".json"})}</div></form>`,
      {kind: "form-presets stack", toggled: ({newState}) => newState === "open" && this.renew()});
  }
}
customElements.define("regrow-presets", RegrowPresets);
