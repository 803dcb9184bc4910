// @ts-check
/** The tab Create: a fixed canvas, the prompt below it, history and settings to its right. */
import {tool} from "./controls.js";
import {Stored, html, icon, light, nothing, state, t} from "./forms/light.js";
import "./prompt.js";
import "./history.js";

const PARTS = ["canvas/canvas", "canvas/results", "sound/sound", "forms/more", "forms/compare", "forms/presets"];
for (const part of PARTS) import(`./${part}.js`);

const SIDES = {history: "clock", more: "settings"};
const start = () => ({
  side: localStorage.getItem("regrow side") ?? "history",
  sheet: false, // whether a phone shows history or settings
});

class Create extends Stored(light(start)) {
  /** @param {string} side */
  show(side) {
    Object.assign(this, {side, sheet: !(this.sheet && this.side === side)});
    localStorage.setItem("regrow side", side);
  }

  render() {
    const {side, sheet} = this;
    const hide = () => (this.sheet = false);
    const picture = html`<regrow-canvas></regrow-canvas><regrow-results></regrow-results>`;
    return html`
      <section class="stage" aria-label=${t("stage")} @pointerdown=${hide}>
        ${state.create.medium === "sound" ? html`<regrow-sound></regrow-sound>` : picture}
      </section>
      <regrow-prompt @side=${(/** @type {any} */ event) => this.show(event.detail)}></regrow-prompt>
      <aside class="side ${sheet ? "open" : ""}">
        <div class="row side-head">
          <div class="segmented" role="tablist" aria-label=${t("side")}>
            ${Object.entries(SIDES).map(([name, picture]) => html`
              <button role="tab" id="side-${name}" aria-selected=${side === name} @click=${() => this.show(name)}>
                ${icon(picture)}<span>${t(`side_${name}`)}</span></button>`)}
          </div>
          <span class="grow"></span>
          <regrow-presets></regrow-presets>
          ${tool("close", t("close"), hide, {kind: "narrow-only"})}
        </div>
        <div class="side-body" role="tabpanel" aria-labelledby="side-${side}">
          <regrow-history ?hidden=${side !== "history"} @loaded=${hide}></regrow-history>
          ${side === "more" ? html`<regrow-more></regrow-more>` : nothing}
        </div>
      </aside>`;
  }
}
customElements.define("regrow-create", Create);
