// @ts-check
/** The history, newest first: search, stars, boards, delete and undo, and load results into the form. */
import {get, patch, post, remove} from "./api.js";
import {button, chip, chooser, entry, shut, tool, typed} from "./controls.js";
import {load, refused, take, unfinished} from "./create.js";
import {COPIES, copyAs} from "./forms/jobs.js";
import {Stored, change, html, icon, light, nothing, state, t, toast} from "./forms/light.js";

/** @typedef {import("./api.js").Item} Item */

const start = () => ({
  items: /** @type {Item[]} */ ([]),
  boards: /** @type {{name: string, count: number}[]} */ ([]),
  more: false, // whether there are older ones
  ready: false,
  search: "",
  board: "",
  starred: false,
  menu: /** @type {Item|null} */ (null), // the result whose menu is open
});

class History extends Stored(light(start)) {
  asked = 0;

  firstUpdated() {
    this.ask();
  }

  /** Load the list again, or its next page. @param {boolean} [further] */
  async ask(further = false) {
    const asked = ++this.asked;
    const query = new URLSearchParams({limit: "40", search: this.search, board: this.board});
    if (this.starred) query.set("starred", "true");
    if (further) query.set("before", this.items[this.items.length - 1].id);
    try {
      const {items, more, boards} = await get(`/history?${query}`);
      if (asked !== this.asked) return; // a later request is running
      Object.assign(this, {items: further ? [...this.items, ...items] : items, more, boards, ready: true});
    } catch (error) {
      refused(error);
    }
  }

  /** @param {{added?: Item[], removed?: string[], changed?: Item[]}} news */
  hear({added = [], removed = [], changed = []}) {
    if (added.length && (this.search || this.board || this.starred)) return void this.ask();
    const gone = new Set([...removed, ...added.map((item) => item.id)]);
    const kept = this.items.filter((item) => !gone.has(item.id));
    const items = kept.map((item) => changed.find((one) => one.id === item.id) ?? item);
    Object.assign(this, {items: [...added, ...items]});
  }

  /** @param {Item} item @param {{starred?: boolean, boards?: string[]}} marks */
  async mark(item, marks) {
    this.hear({changed: [{...item, ...marks}]});
    if (this.menu?.id === item.id) Object.assign(this, {menu: {...item, ...marks}});
    await patch(`/history/${item.id}`, marks).then(() => marks.boards && this.ask(), refused);
  }

  /** @param {Item} item */
  async drop(item) {
    await remove(`/history/${item.id}`);
    this.hear({removed: [item.id]});
    toast(t("deleted"), {undo: () => post(`/history/${item.id}/restore`).then(() => this.ask(), refused)});
  }

  /** Load a result into the form; unsent words in the form are not lost. @param {Item} item */
  async open(item) {
    const before = state.create;
    const lost = before.words.trim() && !before.batch.length && !before.results.length;
    await load(item).catch(refused);
    this.dispatchEvent(new CustomEvent("loaded"));
    if (lost) toast(t("loaded"), {undo: () => change(before)});
  }

  /** Make a result again, and say whether it is identical. @param {Item} item */
  async replay(item) {
    let job = await post("/replay", {file: item.id});
    toast(t("replaying"));
    while (unfinished(job)) job = await get(`/jobs/${job.id}/wait?seconds=20`);
    const verdict = job.facts.identical ? "identical" : "not_identical";
    toast(job.state === "done" ? t(verdict) : job.error || t("cancelled"), {seconds: 8});
  }

  /** Copy the request of this result, as command or Python. @param {Item} item @param {typeof COPIES[number]} kind */
  async copy({id, words, seed}, kind) {
    const {verb, settings} = await get(`/history/${id}/settings`);
    await copyAs({verb, settings: {...settings, ...(settings.target && {target: [words]}), seed}}, kind);
  }

  /** @param {any} changes of the filters */
  filter(changes) {
    Object.assign(this, changes);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), "search" in changes ? 200 : 0);
  }

  render() {
    const {items, boards, board, search, starred} = this;
    const filtered = search || starred || board;
    const nothingHere = html`<p class="empty">${icon(filtered ? "search" : "clock")}
      ${t(filtered ? "history_none" : "history_empty")}</p>`;
    return html`
      <div class="filters">
        <input type="search" class="grow" placeholder=${t("history_search")} aria-label=${t("history_search")}
          .value=${search} @input=${typed((words) => this.filter({search: words}))}>
        ${tool("star", t("only_starred"), () => this.filter({starred: !starred}), {pressed: starred})}
        ${chooser(html`${icon("upload")}<span class="visually-hidden">${t("session_open")}</span>`,
          ([file]) => post("/project", file).then(() => this.ask(), refused), {kind: "icon-button", accept: ".zip"})}
      </div>
      <div class="boards" role="group" aria-label=${t("boards")}>${boards.map(({name, count}) => {
        const pressed = board === name;
        return chip(`${name} ${count}`, () => this.filter({board: pressed ? "" : name}), {pressed});
      })}</div>
      ${items.length ? html`<ul class="entries items">${items.map((item) => this.row(item))}</ul>`
        : this.ready ? nothingHere : nothing}
      ${this.more ? button("", t("older"), () => this.ask(true)) : nothing}
      <div id="item-menu" class="popover" popover>${this.menu ? this.choices(this.menu) : nothing}</div>`;
  }

  /** @param {Item} item */
  row(item) {
    const named = item.verb !== "interpolate" && item.words; // a step between two files has only its share
    const words = named || `${t(`verb_${item.verb}`)} ${item.words}`.trim();
    const label = t(item.starred ? "unstar" : "star", {words}), more = item.guess ? t("a_guess") : item.model;
    return entry({
      picture: html`<img src=${item.thumbnail} alt="" loading="lazy">`,
      title: words,
      more: item.guess ? html`<span class="doubt">${more}</span>` : more,
      shown: state.create.results[state.create.shown]?.id === item.id,
      label: t("load", {words: `${words} ${more}`}),  // the complete text of the entry
      act: () => this.open(item),
      beside: html`${tool("star", label, () => this.mark(item, {starred: !item.starred}),
        {kind: item.starred ? "star on" : "star", pressed: item.starred})}
        ${tool("more", t("item_menu", {words}), (event) => this.openMenu(event.currentTarget, item), {kind: "dots"})}`,
    });
  }

  /** @param {HTMLElement} button @param {Item} item */
  openMenu(button, item) {
    const menu = /** @type {HTMLElement} */ (this.querySelector("#item-menu"));
    const {bottom, right} = button.getBoundingClientRect();
    this.menu = item;
    menu.style.top = `${Math.min(bottom + 4, innerHeight - 460)}px`;
    menu.style.left = `${Math.max(8, right - 240)}px`;
    menu.showPopover();
  }

  /** @param {Item} item */
  choices(item) {
    const done = (/** @type {() => any} */ act) => () => (shut("item-menu"), act());
    const link = (/** @type {string} */ picture, /** @type {string} */ href, /** @type {string} */ words) =>
      html`<a class="button quiet" href=${href} download @click=${done(() => {})}>${icon(picture)}${words}</a>`;
    const put = (/** @type {string} */ name, /** @type {boolean} */ on) =>
      this.mark(item, {boards: [...item.boards.filter((one) => one !== name), ...(on ? [name] : [])]});
    const boards = new Set([...this.boards.map((one) => one.name), ...item.boards]);
    const input = {...item, preview: item.thumbnail, recipe: null};
    return html`
      ${button("pencil", t("use_input"), done(() => take(input)), {kind: "quiet"})}
      ${button("loop", t("replay"), done(() => this.replay(item).catch(refused)), {kind: "quiet"})}
      ${COPIES.map((kind) =>
        button("copy", t(`copy_${kind}`), done(() => this.copy(item, kind).catch(refused)), {kind: "quiet"}))}
      ${link("download", item.url, t("download"))}
      ${link("folder", `/api/project?item=${encodeURIComponent(item.id)}`, t("session_save"))}
      <fieldset><legend class="small muted">${t("boards")}</legend>
        ${[...boards].map((name) => html`<label class="row"><input type="checkbox"
          .checked=${item.boards.includes(name)} @change=${typed((_, box) => put(name, box.checked))}>${name}</label>`)}
        <input name="board" maxlength="60" placeholder=${t("board_new")} aria-label=${t("board_new")}
          @change=${typed((name, box) => {
            box.value = "";
            if (name.trim()) put(name.trim(), true);
          })}>
      </fieldset>
      ${button("trash", t("delete"), done(() => this.drop(item).catch(refused)), {kind: "quiet danger"})}`;
  }
}
customElements.define("regrow-history", History);

const shown = () => /** @type {History|null} */ (document.querySelector("regrow-history"));
addEventListener("regrow-history", (/** @type {any} */ {detail}) => shown()?.hear(detail));
addEventListener("regrow-open", () => shown()?.ask());
