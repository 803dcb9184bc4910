// @ts-check
/** Sounds on a common clock, one of them audible: switching keeps the position, and loops have no gap. */

/** @typedef {{buffer: AudioBuffer, offset: number}} Track samples, and when they begin by the common clock */
/** @type {AudioContext|undefined} */ let context;
export const audio = () => (context ??= new AudioContext());

/** A sound of the server as samples of all its channels. @param {string} url */
export async function decode(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(answer.statusText);
  return audio().decodeAudioData(await answer.arrayBuffer());
}

export class Player {
  /** @type {Track|null} what is heard */ track = null;
  /** @type {number[]|null} begin and end of what is repeated */ loop = null;
  /** @type {AudioBufferSourceNode|null} what plays */ voice = null;
  begun = 0; // by the context's clock
  from = 0; // by the common clock

  changed = () => {}; // called when playing begins or ends

  get end() {
    return this.track ? this.track.offset + this.track.buffer.duration : 0;
  }

  /** Where the playhead is, in seconds. */
  get currentTime() {
    if (!this.voice) return this.from;
    const at = this.from + audio().currentTime - this.begun, [begin, end] = this.repeated() ?? [0, Infinity];
    return at < end ? Math.min(at, this.end) : begin + ((at - begin) % (end - begin));
  }

  /** The part of the loop within the audible sound. */
  repeated() {
    if (!this.loop || !this.track) return null;
    const [begin, end] = [Math.max(this.loop[0], this.track.offset), Math.min(this.loop[1], this.end)];
    return end - begin > 0.02 ? [begin, end] : null;
  }

  /** Change the audible sound, its position or the loop; playing continues. @param {Partial<Player>} changes */
  set(changes) {
    const {voice} = this;
    this.pause();
    Object.assign(this, changes);
    if (voice) this.play();
  }

  toggle() {
    if (this.voice) this.pause();
    else this.play();
  }

  play() {
    if (!this.track) return;
    const clock = audio(), repeated = this.repeated(), {buffer, offset} = this.track;
    void clock.resume(); // browsers allow sound only after the first click
    if (repeated && (this.from < repeated[0] || this.from >= repeated[1])) this.from = repeated[0];
    if (this.from >= this.end - 0.02) this.from = 0;
    const [loopStart, loopEnd] = (repeated ?? [offset, offset]).map((second) => second - offset);
    const node = new AudioBufferSourceNode(clock, {buffer, loop: Boolean(repeated), loopStart, loopEnd});
    node.connect(clock.destination);
    node.start(clock.currentTime + Math.max(0, offset - this.from), Math.max(0, this.from - offset));
    node.onended = () => this.voice === node && this.pause(0);
    [this.voice, this.begun] = [node, clock.currentTime];
    this.changed();
  }

  /** @param {number} [at] where the playhead stays */
  pause(at = this.currentTime) {
    const {voice} = this;
    [this.from, this.voice] = [at, null];
    voice?.stop();
    if (voice) this.changed();
  }
}
