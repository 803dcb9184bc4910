// @ts-check
/** The part of the picture that the model will see, from the server; requested again when it may have changed. */
import {post} from "../api.js";
import {modelOf, requestOf} from "../create.js";
import {EMPTY, state, update} from "../store.js";

/**
 * @typedef {{top: number, left: number, height: number, width: number}} Box
 * @typedef {{source: Box, target: Box, frame: [number, number], tiles: Box[]}} Placement
 */

/** The fields of an edit that the frame depends on. */
const FIELDS = ["image", "model", "mask", "region", "frame", "size", "feather", "tiles", "trajectory"];

let asked = "";
/** @type {Placement|null} */ let answer = null;

/** The place of the input in the model's frame; null if not known yet. */
export function placement() {
  if (!state.create.input || state.create.medium !== "picture" || !modelOf()) return null;
  const {settings} = requestOf({...state.create, extend: EMPTY.extend});
  const body = Object.fromEntries(FIELDS.filter((name) => name in settings).map((name) => [name, settings[name]]));
  const question = JSON.stringify(body);
  if (question === asked) return answer;
  if (!asked.includes(body.image)) answer = null;
  asked = question;
  const found = (/** @type {Placement|null} */ placed) => {
    if (question !== asked) return;
    answer = placed;
    update({});
  };
  post("/frame", body).then(found, () => found(null)); // errors are reported by the edit itself
  return answer;
}
