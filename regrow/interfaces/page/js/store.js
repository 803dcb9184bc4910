// @ts-check
/** The state of the page, in one object; components read it and are notified of changes. */

/** @typedef {import("./api.js").Item} Item @typedef {import("./api.js").StoredFile} StoredFile */

/**
 * The form of Create; stored in the browser, so that it survives a reload, a closed browser and a killed server.
 * `settings` holds the settings under "More" that differ from their defaults, by the names of the request's fields.
 */
export const EMPTY = {
  medium: /** @type {"picture"|"sound"} */ ("picture"),
  model: "",
  input: /** @type {StoredFile|null} */ (null),
  mask: /** @type {string|null} */ (null), // a file's id, or "auto"
  span: "",
  extend: {before: 0, after: 0},
  words: "",
  source: "",
  sourceTyped: false,
  keep: /** @type {number|null} */ (null), // the strength; null chooses it by the kind of edit
  seed: /** @type {number|null} */ (null), // null draws one
  settings: /** @type {Record<string, any>} */ ({}),
  results: /** @type {Item[]} */ ([]),
  shown: 0,
  job: /** @type {string|null} */ (null), // the running job of the batch, else its last one
  batch: /** @type {string[]} */ ([]), // jobs of one click on the button
  described: "", // file and model of the last request for `source`
};

const KEY = "regrow create";

export const state = {
  /** @type {typeof EMPTY} */ create: load(),
  tab: "create",
  /** @type {Record<string, import("./api.js").Job>} */ jobs: {},
  /** @type {any[]} */ queue: [],
  /** @type {any[]} */ models: [],
  /** @type {any} the download of a model at work, or the last one */ pull: null,
  /** @type {any[]|null} */ trainings: null,
  /** @type {Record<string, any>} the forms of requests by verb, from /api/schemas */ schemas: {},
  /** @type {{sentence: string, field: string|null}|null} why the server refused the last request */ problem: null,
  taking: "", // what the canvas waits for: a file, or a mask found by words
  looking: "", // the file and model that are being described
  connected: true,
};

const listeners = new Set();

/** @param {(state: any) => void} listener @returns {() => void} stops it */
export function subscribe(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Change parts of the state. @param {Record<string, any>} changes */
export function update(changes) {
  Object.assign(state, changes);
  for (const listener of [...listeners]) listener(state);
}

/** Change the form of Create, and keep it. @param {Partial<typeof EMPTY>} changes */
export function change(changes) {
  const create = {...state.create, ...changes};
  try {
    localStorage.setItem(KEY, JSON.stringify(create));
  } catch {
    // storage is full or forbidden: the form lasts as long as the page
  }
  update({create});
}

function load() {
  try {
    return {...EMPTY, ...JSON.parse(localStorage.getItem(KEY) || "{}")};
  } catch {
    return {...EMPTY};
  }
}

/**
 * Lets a Lit element render again when the state changes, without a shadow root, so that the page's styles apply.
 * @template {new (...args: any[]) => any} T @param {T} Base
 */
export const Stored = (Base) =>
  class extends Base {
    createRenderRoot() {
      return this;
    }
    connectedCallback() {
      super.connectedCallback();
      this._unsubscribe = subscribe(() => this.requestUpdate());
    }
    disconnectedCallback() {
      super.disconnectedCallback();
      this._unsubscribe?.();
    }
  };
