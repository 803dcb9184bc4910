// @ts-check
/** Calls of the server's API, and its stream of events. Every function throws `ApiError` with the server's sentence. */

/**
 * @typedef {{id: string, job: string, name: string, verb: string, medium: "picture"|"sound", words: string,
 *   source: string, model: string, method: string, seed: number|null, made: string, url: string, thumbnail: string,
 *   starred: boolean, boards: string[], guess: boolean, width?: number, height?: number, seconds?: number,
 *   input: string|null}} Item a result
 * @typedef {{id: string, verb: string, state: "waiting"|"running"|"done"|"failed"|"cancelled", place: number,
 *   progress: {part: string, index: number, steps: number, words: string}, preview: string|null,
 *   settings: Record<string, any>, results: Item[], beside: Record<string, string>, notes: string[], summary: string,
 *   guess: boolean, facts: Record<string, any>, error: string, made: string, took: number|null}} Job
 * @typedef {{id: string, url: string, name: string, medium: "picture"|"sound"|"tune"|"other", width?: number,
 *   height?: number, seconds?: number, rate?: number, channels?: number, preview?: string|null,
 *   recipe: null|{verb: string, settings: Record<string, any>, complete: boolean}}} StoredFile
 */

export class ApiError extends Error {
  /** @param {string} sentence @param {number} status @param {string|null} field */
  constructor(sentence, status = 0, field = null) {
    super(sentence);
    this.status = status;
    this.field = field;
  }
}

/** The language of the page, and of the server's sentences. */
export const language = {now: "en"};

/**
 * @param {string} method @param {string} path without "/api" @param {any} [body] JSON, or a Blob as it is
 * @returns {Promise<any>}
 */
export async function call(method, path, body) {
  const raw = body instanceof Blob;
  const type = raw ? body.type || "application/octet-stream" : "application/json";
  const headers = {"accept-language": language.now, ...(body !== undefined && {"content-type": type})};
  const sent = fetch(`/api${path}`, {method, headers, body: raw || body === undefined ? body : JSON.stringify(body)});
  const answer = await sent.catch(() => {
    throw new ApiError(""); // no server: the page shows its own sentence
  });
  const text = await answer.text();
  const parsed = text && (answer.headers.get("content-type") || "").includes("json") ? JSON.parse(text) : text;
  if (!answer.ok) throw new ApiError(parsed.error || text || answer.statusText, answer.status, parsed.field ?? null);
  return parsed;
}

/** @param {string} path */
export const get = (path) => call("GET", path);
/** @param {string} path @param {any} [body] */
export const post = (path, body) => call("POST", path, body ?? {});
/** @param {string} path @param {any} body */
export const patch = (path, body) => call("PATCH", path, body);
/** @param {string} path @param {any} body */
export const put = (path, body) => call("PUT", path, body);
/** @param {string} path */
export const remove = (path) => call("DELETE", path);

/** Upload a file. @param {Blob} blob @param {string} name @returns {Promise<StoredFile>} */
export const upload = (blob, name) => post(`/files?name=${encodeURIComponent(name)}`, blob);

/**
 * Listen to the server for as long as the page is open; the browser connects again by itself.
 * @param {Record<string, (data: any) => void>} handlers by the event's name; "open" and "lost" have no data
 */
export function listen(handlers) {
  const source = new EventSource(`/api/events?lang=${language.now}`);
  for (const [name, handle] of Object.entries(handlers)) {
    if (name === "open") source.onopen = () => handle(null);
    else if (name === "lost") source.onerror = () => handle(null);
    else source.addEventListener(name, (event) => handle(JSON.parse(/** @type {MessageEvent} */ (event).data)));
  }
  return source;
}
