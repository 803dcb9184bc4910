// @ts-check
/** Running and waiting jobs of the server; users can cancel and reorder their own. */
import {post} from "./api.js";
import {entry, popup, tool} from "./controls.js";
import {refused} from "./create.js";
import {Stored, html, icon, light, nothing, state, t} from "./forms/light.js";

/** The position of a waiting job, in words. @param {number} place */
export const ahead = (place) => (place > 0 ? t("queue_place", {place}) : t("queue_now"));

/** @param {any} job @param {any[]} waiting one's own waiting jobs in their order */
function row({id, words: asked, verb, state: now, place}, waiting) {
  const at = waiting.findIndex((job) => job.id === id);
  const words = asked || t(`verb_${verb}`);
  const {index = 0, steps = 0} = state.jobs[id]?.progress ?? {};
  const tell = (/** @type {string} */ what, body = {}) => post(`/jobs/${id}/${what}`, body).catch(refused);
  const move = (/** @type {any} */ before) => () => tell("move", {before: before?.id ?? null});
  return entry({
    title: words,
    more: now === "running"
      ? html`<progress max="1" .value=${steps ? index / steps : 0} aria-label=${words}></progress>`
      : ahead(place),
    beside: html`${at < 0 ? nothing : [
      tool("up", t("queue_up", {words}), move(waiting[at - 1]), {disabled: at === 0}),
      tool("down", t("queue_down", {words}), move(waiting[at + 2]), {disabled: at === waiting.length - 1}),
    ]}${tool("close", t("queue_cancel", {words}), () => tell("cancel"))}`,
  });
}

class Queue extends Stored(light(() => ({}))) {
  render() {
    const own = state.queue.filter((job) => job.own);
    const waiting = own.filter((job) => job.state === "waiting");
    const others = state.queue.length - own.length;
    const count = state.queue.length ? html`<span class="badge">${state.queue.length}</span>` : nothing;
    return popup("queue-list", html`${icon("queue")}${count}`, t("queue_label", {own: own.length, others}), html`
      <h2>${t("queue")}</h2>
      ${own.length ? html`<ol class="entries">${own.map((job) => row(job, waiting))}</ol>`
        : html`<p class="muted">${t("queue_empty")}</p>`}
      ${others ? html`<p class="muted small">${t("queue_others", {others})}</p>` : nothing}`, {kind: "queue"});
  }
}
customElements.define("regrow-queue", Queue);
