// @ts-check
/** The right end of the bar: model, language and theme. */
import {language} from "./api.js";
import {button, entry, popup, shut, tool} from "./controls.js";
import {modelOf, take} from "./create.js";
import {Stored, change, html, icon, light, nothing, state, t, toast} from "./forms/light.js";

/** Choose a model. @param {any} model */
function choose({name, medium}) {
  const before = state.create;
  if (before.input && before.medium !== medium) {
    take(null);
    toast(t("cleared"), {undo: () => change(before)});
  }
  change({model: name, medium, ...(medium !== before.medium && {settings: {}, results: []})});
  shut("model-list");
}

/** The name of a model, and whether it is built in. @param {any} model */
const about = ({about: words, problem, embedded}) =>
  html`${embedded ? html`<span class="tag">${t("carried")}</span> ` : nothing}${problem || words}`;

class ModelChip extends Stored(light(() => ({}))) {
  render() {
    const chosen = modelOf();
    const listed = ["picture", "sound"].map((medium) => html`
      <h3 class="small muted">${t(`models_${medium}`)}</h3>
      <ul class="entries">${state.models.filter((model) => model.medium === medium).map((model) => entry({
        picture: icon(medium), title: model.name, more: about(model), shown: model.name === chosen?.name,
        act: () => choose(model),
      }))}</ul>`);
    return popup("model-list", html`${icon("model")}<span class="visually-hidden">${t("model")}</span>
      <b class="cut">${state.create.model || chosen?.name}</b><span class="muted cut wide-only">${chosen?.about}</span>
      ${icon("down")}`, "", html`
      <div class="scroll">${listed}</div>
      <a class="button quiet" href="#models" @click=${() => shut("model-list")}>${icon("plus")}${t("model_more")}</a>`,
      {face: "button model"});
  }
}
customElements.define("regrow-model-chip", ModelChip);

const system = matchMedia("(prefers-color-scheme: dark)");
/** Whether the theme is dark, by choice or by the system. */
const isDark = () => (document.documentElement.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";

class SettingsBar extends Stored(light(() => ({}))) {
  /** Reload the page in the other language; its form is kept. */
  speak() {
    localStorage.setItem("regrow language", language.now === "zh" ? "en" : "zh");
    location.reload();
  }

  paint() {
    const theme = isDark() ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    localStorage.setItem("regrow theme", theme);
    this.requestUpdate();
  }

  render() {
    const other = language.now === "zh" ? html`<span lang="en">English</span>` : html`<span lang="zh-CN">中文</span>`;
    return html`${button("", other, this.speak, {kind: "quiet"})}
      ${tool(isDark() ? "sun" : "moon", t(isDark() ? "theme_light" : "theme_dark"), this.paint)}`;
  }
}
customElements.define("regrow-settings-bar", SettingsBar);
