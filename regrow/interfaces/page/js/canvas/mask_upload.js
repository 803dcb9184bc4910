// @ts-check
/** Upload the painted mask. */
import {upload} from "../api.js";
import {change} from "../store.js";

/** @type {{png: Promise<Blob>|null, keep: (id: string|null) => void}|null} what is not there yet */ let newest = null;
/** @type {Promise<void>} */ let going = Promise.resolve();

/** @param {Promise<Blob>|null} png null where nothing is @param {(id: string|null) => void} keep takes its id */
export function send(png, keep) {
  const one = (newest = {png, keep});
  going = (async () => {
    const id = png && (await upload(await png, "mask.png")).id;
    if (one !== newest) return;
    newest = null;
    keep(id);
    change({mask: id});
  })();
  going.catch(() => {}); // the next request uploads it again, and reports errors
}

/** Drop a pending upload, as it belongs to another input. */
export const forget = () => (newest = null);

/** Resolve when `create.mask` is the painted mask; reject with an ApiError if the server refused it. */
export async function settled() {
  await going.catch(() => newest && send(newest.png, newest.keep));
  await going;
}
