// @ts-check
/** A piano roll: notes one after the other, heard and changed by mouse and keys. */
import {html, styleMap} from "../../vendor/lit.js";
import {clamp} from "../canvas/view.js";
import {tool} from "../controls.js";
import {light} from "../forms/light.js";
import {t} from "../texts.js";
import {audio} from "./player.js";

/** @typedef {{pitch: number|null, beats: number, syllable: string}} Note */

const NAMES = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"];
const [LOWEST, HIGHEST] = [48, 84]; // C3 to C6, the range of tunes
const ROW = 14, BEAT = 40, EDGE = 9; // pixels of a semitone, of a beat, and of the handle at a note's end
const GRAIN = 0.25; // beats

/** @param {number|null} pitch */
const nameOf = (pitch) =>
  pitch === null ? "R" : NAMES[Math.round(pitch) % 12] + (Math.floor(Math.round(pitch) / 12) - 1);

/** Notes as a request has them, such as "C4 G4:2 R". @param {Note[]} notes */
const textOf = (notes) =>
  notes.map(({pitch, beats}) => nameOf(pitch) + (beats === 1 ? "" : `:${+beats.toFixed(4)}`)).join(" ");

/** Play a note as a plain tone. @param {number|null} pitch */
function tone(pitch) {
  if (pitch === null) return;
  const clock = audio(), wave = new OscillatorNode(clock, {type: "triangle", detune: (pitch - 69) * 100});
  wave.connect(new GainNode(clock, {gain: 0.2})).connect(clock.destination);
  wave.start();
  wave.stop(clock.currentTime + 0.3);
}

/**
 * Follow a pointer until it is released.
 * @param {PointerEvent} event @param {(event: PointerEvent) => void} move @param {() => void} [end]
 */
export function dragged(event, move, end) {
  const box = /** @type {HTMLElement} */ (event.currentTarget);
  box.setPointerCapture(event.pointerId);
  box.onpointermove = move;
  box.onlostpointercapture = () => {
    box.onpointermove = box.onlostpointercapture = null;
    end?.();
  };
}

/** `at`: index of the selected note. */
export class RegrowRoll extends light(() => ({notes: /** @type {Note[]} */ ([]), at: 0})) {
  dragging = false;

  /** Actions of keys and buttons on the selected note. @type {Record<string, () => void>} */
  acts = {
    ArrowUp: () => this.raise(1),
    ArrowDown: () => this.raise(-1),
    "Shift ArrowUp": () => this.raise(12),
    "Shift ArrowDown": () => this.raise(-12),
    ArrowLeft: () => this.choose(this.at - 1),
    ArrowRight: () => this.choose(this.at + 1),
    "Shift ArrowRight": () => this.alter({beats: this.notes[this.at].beats + GRAIN}),
    "Shift ArrowLeft": () => this.alter({beats: this.notes[this.at].beats - GRAIN}),
    Enter: () => {
      const added = {pitch: this.level(this.at), beats: 1, syllable: ""};
      tone(added.pitch);
      this.put(this.notes.toSpliced(this.at + 1, 0, added), this.at + 1);
    },
    Delete: () => {
      const others = this.notes.toSpliced(this.at, 1);
      if (others.some(({pitch}) => pitch !== null)) this.put(others);
    },
    r: () => this.alter({pitch: this.notes[this.at].pitch === null ? this.level(this.at) : null}), // a rest, or a note
  };

  /** Select a note, and focus it. @param {number} at */
  async choose(at) {
    Object.assign(this, {at: clamp(at, 0, this.notes.length - 1)});
    await this.updateComplete;
    /** @type {HTMLElement|null} */ (this.querySelector('[aria-selected="true"]'))?.focus();
  }

  /** Show other notes, and send an event. @param {Note[]} notes @param {number} [at] */
  put(notes, at = this.at) {
    this.notes = notes;
    this.choose(at);
    if (!this.dragging) this.dispatchEvent(new CustomEvent("tune", {detail: textOf(notes)}));
  }

  /** Change the selected note. @param {Partial<Note>} changes */
  alter(changes) {
    const before = this.notes[this.at], {pitch, beats, syllable} = {...before, ...changes};
    const note = {pitch: pitch && clamp(Math.round(pitch), LOWEST, HIGHEST), beats: clamp(beats, GRAIN, 64), syllable};
    if (note.pitch !== before.pitch) tone(note.pitch);
    this.put(this.notes.with(this.at, note));
  }

  /** @param {number} by semitones */
  raise(by) {
    const {pitch} = this.notes[this.at];
    if (pitch !== null) this.alter({pitch: pitch + by});
  }

  /** The last sung pitch up to a note. @param {number} index */
  level(index) {
    return this.notes.slice(0, index + 1).findLast(({pitch}) => pitch !== null)?.pitch ?? 60;
  }

  /** Drag a note in pitch, or its end in length. @param {PointerEvent} event @param {number} index */
  drag(event, index) {
    const {right} = /** @type {HTMLElement} */ (event.currentTarget).getBoundingClientRect();
    const {pitch, beats} = this.notes[index], longer = event.clientX > right - EDGE, before = textOf(this.notes);
    this.choose(index);
    tone(pitch);
    this.dragging = true;
    dragged(event, ({clientX, clientY}) => {
      if (longer) this.alter({beats: beats + Math.round((clientX - event.clientX) / BEAT / GRAIN) * GRAIN});
      else if (pitch !== null) this.alter({pitch: pitch + Math.round((event.clientY - clientY) / ROW)});
    }, () => {
      this.dragging = false;
      if (before !== textOf(this.notes)) this.put(this.notes);
    });
  }

  /** @param {Note} note @param {number} i @param {number} top the highest pitch that is shown */
  note({pitch, beats, syllable}, i, top) {
    const word = {"-": t("roll_syllable"), "~": t("roll_held")}[syllable] ?? syllable, chosen = i === this.at;
    const said = [pitch === null ? t("roll_rest") : nameOf(pitch), t("roll_beats", {beats: +beats.toFixed(2)}), word];
    const place = {width: `${beats * BEAT}px`, marginTop: `${(top - this.level(i)) * ROW}px`};
    const key = (/** @type {KeyboardEvent} */ event) => {
      const act = this.acts[(event.shiftKey ? "Shift " : "") + event.key];
      if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      act();
    };
    return html`<div class="note ${pitch === null ? "rest" : ""} ${syllable === "~" ? "held" : ""}" role="option"
      tabindex=${chosen ? 0 : -1} aria-selected=${chosen} aria-label=${said.filter(Boolean).join(", ")}
      style=${styleMap(place)} @pointerdown=${(/** @type {PointerEvent} */ event) => this.drag(event, i)}
      @focus=${() => this.choose(i)} @keydown=${key}>${{"-": "–", "~": ""}[syllable] ?? syllable}</div>`;
  }

  render() {
    if (!this.notes.length) return html``;
    const levels = this.notes.map((_, i) => this.level(i)), top = Math.max(...levels) + 3, {acts} = this;
    const height = `${(top - Math.min(...levels) + 4) * ROW}px`, rest = this.notes[this.at]?.pitch === null;
    return html`
      <div class="row">${tool("plus", t("roll_add"), acts.Enter)} ${tool("trash", t("roll_remove"), acts.Delete)}
        <button class="chip" aria-pressed=${rest} @click=${acts.r}>${t("roll_rest")}</button>
        <span class="muted small">${t("roll_how")}</span></div>
      <div class="roll" role="listbox" aria-label=${t("roll")} style=${styleMap({height})}>
        ${this.notes.map((note, i) => this.note(note, i, top))}</div>`;
  }
}
customElements.define("regrow-roll", RegrowRoll);
