// @ts-check
/** The undo history: inputs with their fields, and the masks painted on each. */
import {state} from "../store.js";

/**
 * @typedef {{fields: Record<string, any>, png: Promise<Blob>|null, mask: string|null, made?: boolean}} Moment
 * `made`: its results were undone, and come back with it
 */

const MOST = 60;
const FIELDS = ["input", "medium", "results", "shown", "job", "batch", "source", "sourceTyped", "described"];
const fields = () => Object.fromEntries(Object.entries(state.create).filter(([name]) => FIELDS.includes(name)));

export class Timeline {
  /** @type {Moment[]} */ moments = [];
  at = -1;

  get moment() {
    return this.moments[this.at];
  }

  /** Update the fields of the present input, such as new results or a description. */
  keep() {
    const now = this.moment;
    if (now && now.fields.input?.id === state.create.input?.id) now.fields = fields();
  }

  /** @param {Promise<Blob>|null} png of the mask @param {string|null} mask its file, where the server has it */
  push(png, mask) {
    this.moments.splice(this.at + 1);
    this.moments.push({fields: fields(), png, mask});
    if (this.moments.length > MOST) this.moments.shift();
    this.at = this.moments.length - 1;
  }

  /** @param {-1|1} step @returns {{moment: Moment, changes: Record<string, any>}|null} null at the end */
  move(step) {
    const before = this.moment, moment = this.moments[this.at + step];
    if (!moment) return null;
    const same = before.fields.input?.id === moment.fields.input?.id;
    if (step < 0 && !same && before.fields.input && before.fields.results.length) { // first the results are undone
      before.made = true;
      const bare = {...before, made: false, fields: {...before.fields, results: [], shown: 0, job: null, batch: []}};
      this.moments.splice(this.at, 0, bare);
      return {moment: bare, changes: bare.fields};
    }
    this.at += step;
    const kept = same && !moment.made && !before.made;
    if (kept) moment.fields = before.fields; // undoing a stroke keeps the results
    return {moment, changes: kept ? {} : moment.fields};
  }
}
