// @ts-check
/** The canvas of sounds: source and results one below the other on a common clock; one of them is audible. */
import {addressOf} from "../canvas/take.js";
import {modelOf} from "../create.js";
import {light} from "../forms/light.js";
import {Stored, change, state} from "../store.js";
import {t} from "../texts.js";
import "../canvas/keys.js";
import {letter, stage} from "./lanes.js";
import {Player, decode} from "./player.js";
import {dragged} from "./roll.js";
import {spansOf} from "./track.js";

/**
 * @typedef {import("../api.js").Item} Item @typedef {"before"|"after"} Side
 * @typedef {{url: string, id: string, name: string, seconds: number, before: number, item: Item|null}} Lane `before`:
 *   seconds that it has before the source begins
 */

const MOST_ADDED = 120; // seconds
const QUIETEST = 0.001; // amplitude; below it is noise
const clock = (/** @type {number} */ at) => `${Math.floor(at / 60)}:${(at % 60).toFixed(1).padStart(4, "0")}`;

/** @param {AudioBuffer} buffer */
const peakOf = (buffer) => {
  let peak = 0;
  for (let i = 0; i < buffer.numberOfChannels; i++)
    for (const sample of buffer.getChannelData(i)) peak = Math.max(peak, Math.abs(sample));
  return peak;
};

/** `heard`: address of a lane. */
export class RegrowSound extends Stored(light(() => ({looped: false, heard: ""}))) {
  moving = false; // whether the playhead is drawn in every frame
  player = Object.assign(new Player(), {changed: () => this.requestUpdate()});
  /** @type {Map<string, AudioBuffer|string>} samples by address, or why there are none */ samples = new Map();
  /** @type {Map<string, number>} greatest amplitudes by address */ peaks = new Map();

  disconnectedCallback() {
    super.disconnectedCallback();
    this.player.pause();
  }

  /** Actions of keys. @type {Record<string, () => void>} */
  get acts() {
    const heard = this.lanes().map((lane, i) => [letter(i).toLowerCase(), () => this.hear(lane)]);
    return {" ": () => this.player.toggle(), ...Object.fromEntries(heard)};
  }

  get sings() {
    return Boolean(modelOf()?.abilities?.sings_notes);
  }

  /** All sounds on the canvas: the source or the melody to play, and the results. @returns {Lane[]} */
  lanes() {
    const {input, settings: {melody}, results, extend} = state.create;
    const none = {name: "", seconds: 0, before: 0, item: null};
    const source = input?.medium === "sound" ? input : melody && {url: addressOf(melody), id: melody};
    const before = (/** @type {Item} */ {verb, job}) =>
      verb === "extend" ? (state.jobs[job]?.settings.before ?? extend.before) : 0;
    return [
      ...(source ? [{...none, ...source}] : []),
      ...results.filter(({medium}) => medium === "sound")
        .map((item) => ({...none, ...item, name: item.words, item, before: before(item)})),
    ];
  }

  /** The common amplitude scale of all lanes: quiet recordings are visible, and lanes can be compared. */
  get peak() {
    return Math.max(QUIETEST, ...this.lanes().map(({url}) => this.peaks.get(url) ?? 0));
  }

  /** @param {Lane} lane */
  seconds(lane) {
    const samples = this.samples.get(lane.url);
    return samples instanceof AudioBuffer ? samples.duration : lane.seconds;
  }

  /** The common clock: the second at which the source begins, and where all ends. @param {Lane[]} lanes */
  scale(lanes = this.lanes()) {
    const {extend, input} = state.create, base = Math.max(extend.before, ...lanes.map(({before}) => before));
    const ends = lanes.map((lane) => base - lane.before + this.seconds(lane));
    return {base, total: Math.max(0.1, input ? base + (input.seconds ?? 0) + extend.after : 0, ...ends)};
  }

  willUpdate() {
    const lanes = this.lanes(), {results, shown, span} = state.create;
    const made = results.map(({url}) => url).join(), chosen = results[shown]?.url;
    if (this.made !== undefined && (made !== this.made || chosen !== this.chosen)) this.heard = chosen ?? "";
    [this.made, this.chosen] = [made, chosen];
    const lane = lanes.find(({url}) => url === this.heard) ?? lanes[0];
    this.heard = lane?.url ?? "";
    for (const {url} of lanes) if (!this.samples.has(url)) this.fetch(url);
    const {base, total} = this.scale(lanes), buffer = this.samples.get(this.heard), {player} = this;
    const track = lane && buffer instanceof AudioBuffer ? {buffer, offset: base - lane.before} : null;
    const loop = this.looped ? (spansOf(span)[0]?.map((second) => second + base) ?? [0, total]) : null;
    const moved = track?.buffer !== player.track?.buffer || track?.offset !== player.track?.offset;
    if (moved || String(loop) !== String(player.loop)) player.set({track, loop});
  }

  /** @param {string} url */
  async fetch(url) {
    this.samples.set(url, "");
    const samples = await decode(url).catch(() => t("sound_unreadable"));
    this.samples.set(url, samples);
    if (samples instanceof AudioBuffer) this.peaks.set(url, peakOf(samples));
    this.requestUpdate();
  }

  updated() {
    if (!this.moving) this.follow();
  }

  /** Draw the playhead, and go on for as long as something plays. */
  follow() {
    const {total} = this.scale(), {player} = this, at = player.currentTime;
    const [line, said] = [".playhead", "output"].map((name) => /** @type {any} */ (this.querySelector(name)));
    if (line) line.style.left = `${(100 * Math.min(at, total)) / total}%`;
    if (said) said.textContent = line ? `${clock(at)} / ${clock(total)}` : "";
    this.moving = Boolean(player.voice);
    if (this.moving) requestAnimationFrame(() => this.follow());
  }

  /** @param {Lane} lane @param {number} [from] second of the clock */
  hear(lane, from) {
    if (from !== undefined) this.player.set({from});
    if (lane.item) change({shown: state.create.results.indexOf(lane.item)});
    this.heard = lane.url;
    this.requestUpdate();
  }

  /** @param {string} span */
  span(span) {
    change({span, ...(span && {extend: {before: 0, after: 0}})});
  }

  /** Add seconds before or after the source. @param {Side} side @param {number} seconds */
  extend(side, seconds) {
    const added = Math.min(MOST_ADDED, Math.max(0, Math.round(seconds * 10) / 10));
    change({extend: {...state.create.extend, [side]: added}, span: ""});
  }

  /** Drag an end outwards, in the scale that the drag began with. @param {PointerEvent} event @param {Side} side */
  pull(event, side) {
    const seconds = state.create.extend[side], width = this.querySelector(".lanes")?.clientWidth ?? 600;
    const perSecond = (side === "after" ? width : -width) / this.scale().total;
    dragged(event, ({clientX}) => this.extend(side, seconds + (clientX - event.clientX) / perSecond));
  }

  render() {
    return stage(this);
  }
}
customElements.define("regrow-sound", RegrowSound);
