// @ts-check
/** The tools to the left of the canvas: modes of the pointer, and actions on the mask. */
import {html, nothing} from "../../vendor/lit.js";
import {ApiError, get, post} from "../api.js";
import {tool} from "../controls.js";
import {modelOf, refused, unfinished} from "../create.js";
import {change, state, update} from "../store.js";
import {t} from "../texts.js";

/** @typedef {import("./canvas.js").Canvas} Canvas */

/** Tools, each with its key; icons have the tools' names. @type {[Canvas["tool"], string][]} */
export const TOOLS = [["pan", "h"], ["brush", "b"], ["eraser", "e"], ["box", "r"], ["lasso", "l"]];

/** @param {Canvas} canvas */
export function toolbar(canvas) {
  const {input, mask} = state.create, {mode, timeline: {moments, at}, finding} = canvas, disabled = !input;
  const blind = disabled || modelOf()?.abilities.finds_words === false;
  const toggle = async () => {
    canvas.set({finding: !finding});
    await canvas.updateComplete;
    /** @type {HTMLElement|null} */ (canvas.querySelector(finding ? "[data-do=find]" : ".find input"))?.focus();
  };
  const brushes = canvas.tool === "brush" || canvas.tool === "eraser";
  return html`<div class="tools" role="toolbar" aria-label=${t("canvas_tools")}>
    ${TOOLS.map(([name, key]) => tool(name, t(`canvas_tool_${name}`), () => canvas.choose(name),
      {disabled, pressed: !disabled && canvas.tool === name, key: key.toUpperCase()}))}
    ${tool("search", t("canvas_find"), toggle, {name: "find", disabled: blind, pressed: finding && !disabled})}
    <hr>
    ${tool("invert", t("canvas_do_invert"), () => canvas.fill(true), {disabled, key: "I"})}
    ${tool("trash", t("canvas_do_clear"), () => canvas.fill(),
      {name: "clear", disabled: disabled || !(canvas.mask.share || mask), key: "Delete"})}
    ${tool("undo", t("canvas_do_undo"), () => canvas.travel(-1), {disabled: !moments[at - 1], key: "Ctrl+Z"})}
    ${tool("redo", t("canvas_do_redo"), () => canvas.travel(1), {disabled: !moments[at + 1], key: "Ctrl+Y"})}
    ${brushes && !disabled && mode === "original" ? html`<input class="brush-size" type="range" min="1" max="50"
      .value=${String(canvas.brush)} aria-label=${t("canvas_size")} title="${t("canvas_size")} ([ ])"
      @input=${(/** @type {any} */ {target}) => canvas.set({brush: Number(target.value)})}>` : nothing}
    ${finding && !disabled ? html`<form class="find card" @submit=${(/** @type {any} */ event) => find(event, canvas)}
      @keydown=${({key = ""}) => key === "Escape" && toggle()}>
      <label class="field"><span>${t("canvas_find")}</span><div class="row">
        <input name="words" required autocomplete="off" class="grow" placeholder=${t("canvas_find_example")}>
        <button class="button primary">${t("canvas_find_go")}</button></div></label></form>` : nothing}
  </div>`;
}

/** Let the model find something by words, and show the mask. @param {any} event @param {Canvas} canvas */
async function find(event, canvas) {
  event.preventDefault();
  const words = event.target.words.value.trim(), {input, source, model} = state.create;
  if (!words || !input || state.taking) return;
  canvas.set({finding: false});
  update({taking: t("canvas_finding"), problem: null});
  try {
    let job = await post("/mask", {image: input.id, words, source, model: model || modelOf()?.name});
    while (unfinished(job)) job = await get(`/jobs/${job.id}/wait?seconds=30`);
    if (!job.facts.file) throw new ApiError(job.error || t("canvas_not_found", {words}));
    if (state.create.input?.id === input.id) change({mask: job.facts.file});
    canvas.set({mode: "original"});
  } catch (error) {
    refused(error);
  }
  update({taking: ""});
}
