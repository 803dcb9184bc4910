// @ts-check
/** Render the canvas of sounds. */
import {html, live, nothing, repeat, styleMap} from "../../vendor/lit.js";
import {sources, takeNotes, takeResult} from "../canvas/take.js";
import {welcome} from "../canvas/welcome.js";
import {tool} from "../controls.js";
import {take, working} from "../create.js";
import {icon} from "../icons.js";
import {state} from "../store.js";
import {t} from "../texts.js";
import {spanText, spansOf} from "./track.js";
import "./song.js";

/**
 * @typedef {import("./sound.js").RegrowSound} Sound @typedef {import("./sound.js").Lane} Lane
 * @typedef {import("./sound.js").Side} Side
 */

export const letter = (/** @type {number} */ index) => String.fromCharCode(65 + index);

/** A part of the clock. @param {number} left @param {number} width */
const part = (left, width) => styleMap({left: `${100 * left}%`, width: `${100 * width}%`});

/** @param {Lane} lane */
const named = ({item, name}) =>
  item ? name || t("sound_result") : name ? t("sound_original", {name}) : t("sound_melody");

/** @param {Sound} sound */
export function stage(sound) {
  const lanes = sound.lanes(), job = working(), {base, total} = sound.scale(lanes), playing = sound.player.voice;
  const any = lanes.length > 0;
  if (!any && !job && !sound.sings) return welcome();
  return html`
    <div class="sound">
      <div class="row transport">
        ${any ? html`${tool(playing ? "pause" : "play", t("sound_play"), () => sound.player.toggle(), {name: "play"})}
          ${tool("loop", t("sound_loop"), () => (sound.looped = !sound.looped), {pressed: sound.looped})}` : nothing}
        <output class="grow" aria-label=${t("sound_time")}></output>${sources()}</div>
      <div class="lanes" role="radiogroup" aria-label=${t("sound_heard")}>
        ${repeat(lanes, ({url}) => url, (lane, i) => row(sound, lane, letter(i), base, total))}
        ${job ? html`<div class="lane growing"><div class="row"><b class="letter">${letter(lanes.length)}</b>
          <span class="muted">${t("sound_growing")}</span></div>
          <img src=${job.preview ?? nothing} alt=""></div>` : nothing}
        ${any ? html`<div class="playhead"></div>` : nothing}</div>
      ${state.create.input && !sound.sings ? where(sound) : nothing}
      ${sound.sings ? html`<regrow-song></regrow-song>` : nothing}
    </div>`;
}

/** @param {Sound} sound @param {Lane} lane @param {string} name @param {number} base @param {number} total */
function row(sound, lane, name, base, total) {
  const {item, url, id} = lane, {create} = state, samples = sound.samples.get(url), source = !item && create.input;
  const {before, after} = source ? create.extend : {before: 0, after: 0}, length = sound.seconds(lane), {sings} = sound;
  const from = base - lane.before, free = source && !sings, notes = sings ? "tune" : "melody";
  const seek = (/** @type {CustomEvent} */ {detail}) => sound.hear(lane, detail + from);
  const buffer = samples instanceof AudioBuffer ? samples : null;
  /** @param {number} begin @param {number} wide @param {string} words */
  const added = (begin, wide, words) =>
    html`<div class="added" style=${part(begin / total, wide / total)}>${words}</div>`;
  return html`
    <div class="lane ${url === sound.heard ? "heard" : ""}">
      <div class="row"><label class="row grow"><input type="radio" name="heard" class="visually-hidden"
          aria-label="${name}: ${named(lane)}" .checked=${live(url === sound.heard)} @change=${() => sound.hear(lane)}>
          <b class="letter">${name}</b><span class="cut">${named(lane)}</span></label>
        ${source ? html`<button class="chip" title=${t(sings ? "sound_as_tune" : "sound_as_melody")}
          @click=${() => takeNotes(notes, id)}>${t("sound_melody_only")}</button>` : nothing}
        ${item ? html`<button class="chip" title=${t("sound_go_on_why")} @click=${() => takeResult(item)}>
          ${t("sound_go_on")}</button>` : tool("trash", t("sound_remove"), () => take(null))}
        <a class="icon-button" href=${url} download=${item?.name ?? lane.name} title=${t("sound_download")}
          aria-label="${t("sound_download")}: ${name}">${icon("download")}</a></div>
      <div class="wave">
        ${before ? added(from - before, before, `+${before} s`) : nothing}
        <div class="part" style=${part(from / total, (length || total) / total)}>
          <regrow-track .buffer=${buffer} .peak=${sound.peak} .editable=${Boolean(free)} .spans=${create.input ? create.span : ""}
            @seek=${seek}
            @spans=${(/** @type {CustomEvent} */ {detail}) => sound.span(detail)}></regrow-track>
          ${typeof samples === "string" && samples ? html`<p class="error">${samples}</p>` : nothing}
          ${free ? SIDES.map((side) => html`<div class="grip ${side}" title=${t(`sound_pull_${side}`)}
            @pointerdown=${(/** @type {PointerEvent} */ event) => sound.pull(event, side)}></div>`) : nothing}
        </div>
        ${after ? added(from + length, after, sings ? t("song_line") : `+${after} s`) : nothing}
      </div>
    </div>`;
}

const SIDES = /** @type {const} */ (["before", "after"]);

/** Which seconds may change, and how many are added, in numbers. @param {Sound} sound */
function where(sound) {
  const {span, extend} = state.create;
  // `.value` is set only where the form changes: a rendering for another reason must not take what is being typed
  const put = (/** @type {any} */ {target}) => target.reportValidity() &&
    (sound.span(spanText(spansOf(target.value))), (target.value = state.create.span));
  return html`
    <div class="row where"><label class="row grow">${t("sound_only")} <input class="grow" name="span"
        placeholder=${t("sound_all")} pattern="\\s*([\\d.]+\\s*:\\s*[\\d.]+\\s*(,\\s*|$))*" title=${t("sound_span")}
        .value=${span} @change=${put}></label>
      ${SIDES.map((side) => html`<label class="row">${t(`sound_longer_${side}`)} <input type="number" min="0" step="any"
        name=${side} .value=${String(extend[side])} @change=${(/** @type {any} */ {target}) =>
          (sound.extend(side, target.valueAsNumber || 0), (target.value = String(state.create.extend[side])))}>
        </label>`)}
    </div>`;
}
