// @ts-check
/** The page: its bar, its tabs, and the server's events that update its state. */
import {LitElement, html, nothing} from "../vendor/lit.js";
import {get, language, listen} from "./api.js";
import {tool} from "./controls.js";
import {catchUp, learn, refused} from "./create.js";
import {icon} from "./icons.js";
import {openShortcuts} from "./shortcuts.js";
import {Stored, state, update} from "./store.js";
import {readTexts, t} from "./texts.js";

/** What each tab shows, and imports when it is first opened. @type {Record<string, [any, () => Promise<any>]>} */
const TABS = {
  create: [html`<regrow-create></regrow-create>`, () => import("./create_tab.js")],
  train: [html`<regrow-train class="page"></regrow-train>`, () => import("./forms/train.js")],
  inside: [html`<regrow-inside class="page"></regrow-inside>`, () => import("./forms/inside.js")],
  models: [html`<regrow-models class="page"></regrow-models>`, () => import("./forms/models.js")],
};

class App extends Stored(LitElement) {
  render() {
    const {tab, connected} = state;
    return html`
      <header class="bar">
        <a class="brand" href="#create" aria-label="regrow">
          <img src="/page/icon.svg" alt="" width="26" height="26"><b>regrow</b></a>
        <nav aria-label=${t("tabs")}>${Object.keys(TABS).map((name) => html`
          <a href="#${name}" aria-current=${name === tab ? "page" : "false"}>${t(`tab_${name}`)}</a>`)}</nav>
        <span class="grow"></span>
        <regrow-model-chip></regrow-model-chip>
        <regrow-queue></regrow-queue>
        ${tool("keyboard", t("shortcuts"), openShortcuts, {kind: "wide-only"})}
        <regrow-settings-bar></regrow-settings-bar>
      </header>
      ${connected ? nothing : html`<div class="banner row" role="alert">${icon("warn")}${t("server_gone")}</div>`}
      <main><h1 class="visually-hidden">${t(`tab_${tab}`)}</h1>${TABS[tab][0]}</main>`;
  }
}

function openTab() {
  const named = location.hash.slice(1);
  const tab = named in TABS ? named : "create";
  update({tab});
  TABS[tab][1]();
}

/** Send an event to the components that listen for it. @param {string} name @param {any} [detail] */
const tell = (name, detail) => window.dispatchEvent(new CustomEvent(`regrow-${name}`, {detail}));

const readModels = () => get("/models").then((models) => update({models}), refused);
const readForms = () => get(`/schemas?lang=${language.now}`).then((schemas) => update({schemas}), refused);

let lost = 0; // a timer: short interruptions are not reported
let source = /** @type {EventSource|null} */ (null); // none while the page is hidden: a browser has six connections

function connect() {
  source?.close();
  source = document.hidden ? null : listen({
    open: () => {
      clearTimeout(lost);
      update({connected: true, problem: state.problem?.field === "server" ? null : state.problem});
      readModels();
      readForms();
      tell("open");
    },
    lost: () => {
      clearTimeout(lost);
      lost = window.setTimeout(() => update({connected: false}), 800);
      if (source?.readyState !== EventSource.CLOSED) return; // the browser connects again by itself
      setTimeout(connect, 2000);
      // if the session has ended, go to the login page
      get("/jobs?active=1").catch(({status}) => status === 401 && location.reload());
    },
    hello: ({jobs}) => {
      jobs.forEach(learn);
      catchUp();
    },
    job: learn,
    queue: ({jobs}) => update({queue: jobs}),
    history: (data) => tell("history", data),
    training: (data) => tell("training", data),
    models: (data) => {
      tell("models", data);
      if (!data.pull) readModels();
    },
  });
}

await readTexts(["shell", "create", "history", "canvas", "sound", "forms"]);
await Promise.all([import("./settings_bar.js"), import("./queue.js")]);
customElements.define("regrow-app", App);
window.addEventListener("hashchange", openTab);
document.addEventListener("visibilitychange", connect);
openTab();
connect();
