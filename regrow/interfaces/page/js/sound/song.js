// @ts-check
/** A song: words and tune as settings of the request; the server assigns notes to words. */
import {guard, html, nothing} from "../../vendor/lit.js";
import {ApiError, post} from "../api.js";
import {takeNotes} from "../canvas/take.js";
import {light} from "../forms/light.js";
import {icon} from "../icons.js";
import {Stored, change, state} from "../store.js";
import {t} from "../texts.js";
import {toast} from "../toasts.js";
import "./roll.js";

/**
 * @typedef {{notes: import("./roll.js").Note[], text: string, lyrics: string, bpm: number, key: string, singer: string,
 *   lead: number, remarks: string[]}} Tune
 */

const FILE = /^[0-9a-f]{32}\.\w+$|^[\w-]+\/[\w.-]+\.\w+$/;
const TYPING = 400; // milliseconds without a change before a request to the server
const LINE = 4; // seconds of `after` that mean "a further line" in a request to extend

/** `tune`: what the roll shows; `own`: the unchanged song on the canvas, or null if that is not a song. */
const start = () => ({tune: /** @type {Tune|null} */ (null), own: /** @type {Tune|null} */ (null), problem: ""});

export class RegrowSong extends Stored(light(start)) {
  asked = "";
  input = ""; // the file of `own`

  /** Whether a new song is made, one is changed, or a line is added to one. */
  get kind() {
    return !state.create.input ? "new" : state.create.extend.after > 0 ? "line" : "change";
  }

  get words() {
    const {to_lyrics, lyrics} = state.create.settings;
    return (this.kind === "change" ? (to_lyrics ?? this.own?.lyrics) : lyrics) ?? "";
  }

  /** Change settings; empty ones are chosen by the model. @param {Record<string, any>} changes */
  set(changes) {
    const kept = Object.entries({...state.create.settings, ...changes}).filter(([, value]) => value);
    change({settings: Object.fromEntries(kept)});
  }

  /** Tempo, singer and key; a further line takes those of its song. */
  get voice() {
    const {bpm = 0, singer = "", key = ""} = state.create.settings, {kind, own} = this;
    if (kind !== "line" || !own) return {bpm, singer, key};
    return {bpm: Math.round(own.bpm), singer: own.singer, key: key || own.key};
  }

  updated() {
    const {input, settings: {tune = "", to_lyrics = "", lyrics = ""}} = state.create, {voice} = this;
    if (this.input !== (input?.id ?? "")) this.read(input?.id ?? "");
    const changed = this.own && {song: input?.id, tune, lyrics: to_lyrics, ...voice};
    const question = this.kind === "change" ? changed : tune ? {tune, lyrics, ...voice} : null;
    const asked = JSON.stringify(question);
    if (asked === this.asked || !this.isConnected) return;
    this.asked = asked;
    clearTimeout(this.timer);
    if (!question) [this.tune, this.problem] = [null, ""];
    else this.timer = setTimeout(() => this.ask(question, asked), this.tune ? TYPING : 0);
  }

  /** Request the notes of a song file. @param {string} id */
  async read(id) {
    [this.input, this.own] = [id, null];
    /** @type {Tune|null} */ let own = null;
    let other = false;
    try {
      if (id) own = await post("/tune", {song: id});
    } catch (error) {
      other = error instanceof ApiError && error.status === 400;
    }
    if (this.input !== id) return;
    this.own = own;
    if (!other) return;
    takeNotes("tune", id); // a sound that was not sung by regrow has only a melody
    toast(t("song_as_tune"), {seconds: 8});
  }

  /**
   * Request a tune, and show it; a tune requested by a button or from a file goes into the form.
   * @param {Record<string, any>} question @param {string} [asked] if given, the answer is ignored after a later request
   */
  async ask(question, asked) {
    /** @type {Tune|null} */ let tune = null;
    let problem = "";
    try {
      tune = await post("/tune", question);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      problem = error.message || t("no_server");
    }
    if (asked !== undefined && asked !== this.asked) return;
    this.problem = problem;
    if (tune) this.tune = tune;
    if (asked && !FILE.test(question.tune)) return;
    const {lyrics = ""} = state.create.settings;
    this.set({tune: tune?.text, lyrics: this.kind === "change" ? "" : lyrics || tune?.lyrics});
  }

  /** @param {string} words */
  write(words) {
    if (this.kind !== "change") this.set({lyrics: words});
    else this.set({to_lyrics: words.trim() === this.own?.lyrics.trim() ? "" : words});
  }

  /** Remove settings of the other kind. @param {string} kind */
  turn(kind) {
    change({extend: {before: 0, after: kind === "line" ? LINE : 0}, span: ""});
    this.set({tune: "", key: "", bpm: 0, singer: "", lyrics: "", to_lyrics: ""});
  }

  render() {
    const {kind, tune, words} = this, {settings} = state.create;
    const make = () => this.ask({lyrics: words, ...this.voice, seed: Math.floor(Math.random() * 2 ** 31)});
    return html`
      <section class="song stack" aria-label=${t("song")}>
        ${kind === "new" ? nothing : html`<div class="segmented">${["change", "line"].map((one) => html`
          <button aria-pressed=${kind === one} @click=${() => this.turn(one)}>${t(`song_${one}`)}</button>`)}</div>`}
        <label class="field"><span>${t(`song_words_${kind}`)}</span><textarea name="lyrics" rows="2"
          placeholder=${t("song_hint")} .value=${words}
          @input=${(/** @type {any} */ {target}) => this.write(target.value)}></textarea></label>
        ${this.problem ? html`<p class="error" role="alert">${this.problem}</p>` : nothing}
        ${tune ? html`<regrow-roll .notes=${guard([tune], () => tune.notes)}
          @tune=${(/** @type {CustomEvent} */ {detail}) => this.set({tune: detail, key: ""})}></regrow-roll>` : nothing}
        <div class="row">
          ${kind === "change" ? nothing : html`<button class="chip" ?disabled=${!words.trim()} @click=${make}>
            ${icon("dice")}${t("song_make")}</button>`}
          ${settings.tune ? html`<button class="chip" @click=${() => this.set({tune: ""})}>
            ${icon("close")}${t(kind === "change" ? "song_tune_back" : "song_tune_none")}</button>` : nothing}
          <span class="muted small">${tune ? tune.remarks.join(" ") : t("song_no_tune")}</span>
        </div>
      </section>`;
  }
}
customElements.define("regrow-song", RegrowSong);
