// @ts-check
/** One sound: its waveform with the spans that may change, over its spectrogram. */
import Regions from "../../vendor/wavesurfer-regions.js";
import Spectrogram from "../../vendor/wavesurfer-spectrogram.js";
import WaveSurfer from "../../vendor/wavesurfer.js";
import {light} from "../forms/light.js";

const SHORTEST = 0.05; // seconds of a span

/** Spans as numbers. @param {string} text such as "2.0:4.5,6:7" */
export const spansOf = (text) => text.split(",").filter(Boolean).map((span) => span.split(":").map(Number));

/** Spans as requests have them, in order and without overlap. @param {number[][]} spans */
export function spanText(spans) {
  /** @type {number[][]} */
  const kept = [];
  for (const [begin, end] of spans.filter((span) => span[1] - span[0] >= SHORTEST).sort((a, b) => a[0] - b[0])) {
    const last = kept.at(-1);
    if (last && begin <= last[1]) last[1] = Math.max(last[1], end);
    else kept.push([begin, end]);
  }
  return kept.map((span) => span.map((second) => +second.toFixed(2)).join(":")).join(",");
}

/** `peak`: the amplitude that fills the height; `editable`: whether spans are drawn here. */
const start = () => ({buffer: /** @type {AudioBuffer|null} */ (null), peak: 1, spans: "", editable: false});

export class RegrowTrack extends light(start) {
  /** @type {WaveSurfer|null} */ waves = null;
  regions = Regions.create();

  disconnectedCallback() {
    super.disconnectedCallback();
    this.waves?.destroy();
  }

  /** @param {Map<string, any>} changed */
  updated(changed) {
    if (["buffer", "peak", "editable"].some((name) => changed.has(name))) this.draw();
    else this.show();
  }

  draw() {
    this.waves?.destroy();
    if (!this.buffer || !this.isConnected) return;
    const {buffer} = this, channels = buffer.numberOfChannels, colour = getComputedStyle(this).color; // the accent
    const rgb = (colour.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number);
    const spectrogram = Spectrogram.create({
      height: 60 / channels, splitChannels: channels > 1, fftSamples: 1024, scale: "mel",
      frequencyMax: Math.min(12000, buffer.sampleRate / 2), rangeDB: 75,
      gainDB: 15 - 20 * Math.log10(this.peak), // visible in both themes
      colorMap: Array.from({length: 256}, (_, i) => [...rgb.map((one) => one / 255), (i / 255) ** 1.5]),
    });
    this.regions = Regions.create();
    this.waves = WaveSurfer.create({
      container: this, height: 48, cursorWidth: 0, normalize: true, maxPeak: this.peak, waveColor: colour, progressColor: colour,
      plugins: [this.regions, spectrogram], duration: buffer.duration,
      peaks: Array.from({length: channels}, (_, i) => buffer.getChannelData(i)),
    });
    this.shade = `rgb(${rgb.join(" ")} / 28%)`;
    const drawn = () => this.showing || this.tell("spans", this.shown);
    this.regions.on("region-created", drawn);
    this.regions.on("region-updated", drawn);
    this.waves.on("interaction", (at) => this.tell("seek", at));
    this.waves.on("ready", () => {
      this.show();
      if (this.editable) this.regions.enableDragSelection({color: this.shade});
    });
  }

  /** The spans that are drawn. */
  get shown() {
    return spanText(this.regions.getRegions().map((one) => [one.start, one.end]));
  }

  /** Draw the spans of the form. */
  show() {
    if (!this.waves || this.spans === this.shown) return;
    const {shade: color, editable: drag} = this;
    this.showing = true;
    this.regions.clearRegions();
    for (const [start, end] of spansOf(this.spans)) this.regions.addRegion({start, end, color, drag, resize: drag});
    this.showing = false;
  }

  /** @param {string} name @param {any} detail */
  tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, {detail}));
  }
}
customElements.define("regrow-track", RegrowTrack);

new MutationObserver(() => {
  for (const track of document.querySelectorAll("regrow-track")) /** @type {RegrowTrack} */ (track).draw();
}).observe(document.documentElement, {attributeFilter: ["data-theme"]});
