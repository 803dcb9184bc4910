// @ts-check
/** The prompt: source, target, and the button that starts the job. */
import {classMap, live, styleMap} from "../vendor/lit.js";
import {get, post} from "./api.js";
import {chip, popup, sheet, tool, typed} from "./controls.js";
import {asksNothing, cancel, heeded, modelOf, regrow, run, unfinished, verbOf, wishes, working} from "./create.js";
import {Stored, change, html, icon, light, nothing, state, t, update} from "./forms/light.js";
import {ahead} from "./queue.js";

/** @typedef {{text: string, start: number, end: number, state: string, nearest: string|null}} Part
 * `state`: "known", "corrected", "guess" or "unknown" */

/** @type {{parts: Part[], interpretation: string|null, guess: boolean, notes: string[]}} */
const UNREAD = {parts: [], interpretation: null, guess: false, notes: []};
const NOTHING = {attributes: /** @type {any[]} */ ([]), examples: /** @type {string[]} */ ([])};
const USUAL = 0.65; // position of the slider while the model chooses

/** The text box. */
const box = () => /** @type {HTMLTextAreaElement} */ (document.querySelector("regrow-prompt textarea"));

/** Replace a word by another. @param {number} start @param {number} end @param {string} word */
async function replace(start, end, word) {
  const {words} = state.create;
  change({words: words.slice(0, start) + word + words.slice(end)});
  box().focus();
  await /** @type {any} */ (box().closest("regrow-prompt")).updateComplete;
  box().setSelectionRange(start + word.length, start + word.length);
}

/** Start a job, or cancel the running one. */
function go() {
  if (working()) cancel();
  else if (asksNothing()) box().focus();
  else run();
}

const start = () => ({
  understood: UNREAD,
  known: NOTHING,
  group: "", // the attribute whose words are open
});

class Prompt extends Stored(light(start)) {
  read = this.knows = ""; // the last requests

  updated() {
    const {words, source, medium} = state.create;
    const model = modelOf()?.name;
    if (!model || !state.connected) return;
    const read = JSON.stringify([words, source, model, verbOf()]);
    if (read !== this.read) {
      this.read = read;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.understand(read, {model, medium, source, verb: verbOf()}), 120);
    }
    if (model === this.knows) return;
    Object.assign(this, {knows: model, group: ""});
    get(`/words?model=${encodeURIComponent(model)}`).catch(() => NOTHING)
      .then((known) => model === this.knows && (this.known = known));
  }

  /** Request how the words will be understood. @param {string} read @param {Record<string, any>} about */
  async understand(read, about) {
    const {words} = state.create;
    // if unknown, the words are sent to the model unchanged
    const understood = words.trim() ? await post("/words", {...about, text: words}).catch(() => UNREAD) : UNREAD;
    if (read === this.read) this.understood = understood;
  }

  /** Insert a word: replace one of the same attribute, or append it. @param {any} attribute @param {string} word */
  say(attribute, word) {
    const {words} = state.create, rivals = attribute.values.flatMap((/** @type {any} */ one) => [one.value, one.label]);
    const rival = this.understood.parts.find((part) => rivals.includes(part.text.toLowerCase()));
    if (rival) replace(rival.start, rival.end, word);
    else replace(words.length, words.length, (words && !/\s$/.test(words) ? " " : "") + word);
  }

  render() {
    const {create, problem} = state;
    const verb = verbOf();
    const names = heeded().map((field) => field.name);
    const sings = modelOf()?.abilities.sings_notes; // then all words are lyrics, above
    const side = (/** @type {string} */ detail) => () => this.dispatchEvent(new CustomEvent("side", {detail}));
    const compare = () => sheet(t("compare"), html`<regrow-compare></regrow-compare>`);
    return html`
      ${!problem ? nothing : html`<p class="wrong error row" role="alert">${icon("warn")}
        <span class="grow">${problem.sentence}</span>${tool("close", t("close"), () => update({problem: null}))}</p>`}
      <div class=${classMap({composer: true, sings})}>
        ${this.words(verb)}
        <div class="sense">
          ${!create.input ? nothing : html`<label class="row seen">
            <span class="muted">${t(create.medium === "sound" ? "i_hear" : "i_see")}</span>
            <input .value=${create.source} aria-invalid=${problem?.field === "source"}
              placeholder=${state.looking ? t(`looking_${create.medium}`) : t("say_source")}
              @input=${typed((source) => change({source, sourceTyped: Boolean(source)}))}></label>`}
          ${this.meaning()}
        </div>
        <div class="chips" role="group" aria-label=${t("known_words")}>${this.chips()}</div>
        <div class="row acts">
          ${names.includes("seed") ? this.dice() : nothing}
          ${verb === "edit" ? tool("sheet", t("compare"), compare) : nothing}
          ${tool("clock", t("side_history"), side("history"), {kind: "narrow-only"})}
          ${tool("settings", t("side_more"), side("more"), {kind: "narrow-only"})}
          ${this.button(verb)}
        </div>
        ${names.includes("strength") ? this.slider() : nothing}
        ${this.told()}
      </div>`;
  }

  /** The text box, over a copy of its text that underlines unknown words. @param {string} verb */
  words(verb) {
    const {words, medium} = state.create;
    const {parts} = this.understood;
    const value = this.known.attributes[0]?.values[1]?.label;
    const example = verb === "edit" ? value && t("edit_example", {value}) : this.known.examples[0];
    const label = t(`ask_${verb}_${medium}`);
    const odd = parts.filter((part) => part.state !== "known");
    const marked = odd.map(({start, end, state: kind}, i) =>
      html`${words.slice(odd[i - 1]?.end ?? 0, start)}<mark class=${kind}>${words.slice(start, end)}</mark>`);
    return html`<div class="words">
      <div class="marks" aria-hidden="true">${marked}${words.slice(odd.at(-1)?.end ?? 0)}\u200b</div>
      <textarea rows="1" aria-label=${label} aria-describedby="meaning" .value=${words}
        aria-invalid=${["target", "prompt"].includes(state.problem?.field ?? "")}
        placeholder=${example ? `${label} ${t("such_as", {example})}` : label}
        @input=${typed((text) => (change({words: text}), state.problem && update({problem: null})))}
        @scroll=${typed((_, {previousElementSibling: marks, scrollTop}) => (marks.scrollTop = scrollTop))}></textarea>
      </div>`;
  }

  /** The prompt that the model will get. */
  meaning() {
    const {interpretation, guess, notes} = this.understood;
    const count = wishes().length;
    const several = count > 1 ? t("results", {count}) : "";
    const meant = [several, ...(interpretation ?? "").split("\n")].filter(Boolean).join(" · ");
    const words = guess && notes.length ? notes.join(" ") : meant;
    const lead = words === meant && interpretation ? html`<span class="muted">${t("i_grow")}</span> ` : nothing;
    return html`<output id="meaning" class=${classMap({meaning: true, guess})} title=${words}>${words
      ? html`${icon(guess ? "warn" : "check")}<span>${lead}${words}</span>` : nothing}</output>`;
  }

  chips() {
    const {parts} = this.understood;
    const odd = parts.filter((part) => part.state !== "known" && part.nearest);
    const open = this.known.attributes.find((attribute) => attribute.name === this.group);
    const nearest = odd.map(({text, nearest: near, start, end}) =>
      chip(html`<s>${text}</s> ${near}`, () => replace(start, end, near ?? text), {kind: "guess"}));
    const known = open
      ? [chip(html`${icon("back")}${open.label}`, () => (this.group = "")),
        ...open.values.map((/** @type {any} */ {label}) => chip(label, () => this.say(open, label)))]
      : this.known.attributes.map(({name, label}) => chip(label, () => (this.group = name)));
    return [nearest, known];
  }

  slider() {
    const {keep, job} = state.create;
    const at = keep ?? state.jobs[job ?? ""]?.facts.strength ?? USUAL;
    const share = `${Math.round(at * 100)} %`;
    return html`<div class="row keep">
      <label class="row grow"><span>${t("keep")}</span>
        <input type="range" class="grow" min="0.05" max="1" step="0.05" .value=${live(String(at))}
          aria-label=${t("keep_change")} aria-valuetext=${share} @input=${typed((value) => regrow(Number(value)))}>
        <span>${t("change")}</span></label>
      ${chip(keep === null ? t("auto") : share, () => change({keep: keep === null ? at : null}),
        {pressed: keep === null, title: t("keep_auto")})}</div>`;
  }

  dice() {
    const {seed, job} = state.create;
    const drawn = seed === null;
    const last = () => state.jobs[job ?? ""]?.settings.seed ?? Math.floor(Math.random() * 1e6);
    const toggle = () => change({seed: drawn ? last() : null});
    return html`${drawn ? nothing : html`<input type="number" class="grow" min="0" step="1" .value=${String(seed)}
        aria-label=${t("seed")} @change=${typed((value) => change({seed: value === "" ? null : Number(value)}))}>`}
      ${tool("dice", t(drawn ? "dice_on" : "dice_off"), toggle, {pressed: drawn})}`;
  }

  /** Notes on the last result: the first sentence, and the others on a click. */
  told() {
    const job = state.jobs[state.create.job ?? ""];
    const notes = job && !unfinished(job) ? [...job.notes, job.summary].filter(Boolean) : [];
    if (!notes.length) return nothing;
    const kind = job.guess ? "told guess" : "told";
    const face = html`${icon(job.guess ? "warn" : "check")}
      <span class="cut">${job.guess ? t("guessed") : nothing} ${notes[0]}</span>${icon("up")}`;
    return popup("notes", face, "", notes.map((note) => html`<p>${note}</p>`), {face: kind});
  }

  /** @param {string} verb */
  button(verb) {
    const job = working(), count = state.create.batch.filter((id) => unfinished(state.jobs[id])).length;
    const face = job ? t(count > 1 ? "cancel_all" : "cancel", {count}) : t(`go_${verb}`);
    const {index = 0, steps = 0, words = ""} = job?.progress ?? {};
    const done = job?.state === "running" && steps ? index / steps : 0;
    const where = job?.state === "waiting" ? ahead(job.place) : steps ? `${words} ${index}/${steps}` : words;
    return html`<button class=${classMap({button: true, go: true, primary: !job})} title=${job ? "" : "Ctrl+Enter"}
      style=${styleMap({"--done": `${done * 100}%`})} @click=${go}><b>${face}</b>
      ${job ? html`<small class="cut" role="status">${where}</small>` : nothing}</button>`;
  }
}
customElements.define("regrow-prompt", Prompt);
