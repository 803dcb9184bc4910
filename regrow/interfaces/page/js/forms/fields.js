// @ts-check
/** The control of one field of a request's schema. */
import {html, nothing} from "../../vendor/lit.js";
import {upload} from "../api.js";
import {button, chip, chooser, dropped, held, tool, typed} from "../controls.js";
import {icon} from "../icons.js";
import {state} from "../store.js";
import {t} from "../texts.js";

/**
 * @typedef {{name: string, label: string, help: string, type: string, of?: string|null, default: any,
 *   required?: boolean, optional?: boolean, least?: number|null, most?: number|null, step?: number|null,
 *   slider?: [number, number]|null,
 *   choices?: {value: any, label: string, help?: string, needs?: string|null}[]|null, group: string, media?: string[]|null,
 *   methods?: string[]|null, needs?: string|null, accept?: string|null}} Field
 * @typedef {{name: string, label: string}} Group
 * @typedef {{verb: string, title: string, intro: string, groups: Group[], fields: Field[]}} Schema
 * @typedef {{id: string, described: string, invalid: boolean, put: (value: any) => void,
 *   refuse: (sentence: string) => void}} Binding
 */

const same = (/** @type {any} */ a, /** @type {any} */ b) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

/** Whether a value differs from the field's default. @param {Field} field @param {any} value */
export const differs = (field, value) => value !== undefined && !same(value, field.default);

/** Whether method, medium and model use a field, or support one of its choices.
 * @param {{media?: string[]|null, methods?: string[]|null, needs?: string|null}} field
 * @param {{method?: string, medium?: string, abilities?: Record<string, any>|null}} chosen */
export const heeds = (field, {method, medium, abilities}) =>
  (!field.media || !medium || field.media.includes(medium)) &&
  (!field.methods || !method || field.methods.includes(method)) &&
  (!field.needs || !abilities || !!abilities[field.needs]);

/** The label of a value that is shown as a default. @param {Field} field @param {any} value @returns {string} */
export function named(field, value) {
  const label = field.choices?.find((one) => same(one.value, value))?.label;
  const words = typeof value === "boolean" ? t(value ? "form_on" : "form_off") : [value ?? ""].flat().join(", ");
  return label ?? (words || t("form_none"));
}

const ENDINGS = {picture: /\.(png|jpe?g|webp|gif|bmp)$/i, sound: /\.(wav|flac|mp3|ogg|m4a|opus)$/i};

/** The kind of a stored file, by the suffix of its id. */
export const mediumOf = (id = "") => Object.entries(ENDINGS).find(([, ending]) => ending.test(id))?.[0];

/** A stored file as a picture or a player. @param {string} id */
function shown(id) {
  const url = id.includes("/") ? `/api/results/${id}` : `/api/files/${id}`;
  const draw = {
    picture: () => html`<img src=${url} alt=${t("form_chosen")}>`,
    sound: () => html`<audio controls preload="metadata" src=${url} aria-label=${t("form_chosen")}></audio>`,
  };
  return draw[/** @type {"picture"|"sound"} */ (mediumOf(id))]?.() ?? html`<span>${id}</span>`;
}

/** The choices of fields that name a model. @param {Field} f */
function offered(f) {
  const models = ["model", "start", "codec"].includes(f.name) ? state.models : [];
  return [...(f.choices ?? []), ...models.map(({name, about}) => ({value: name, label: about}))];
}

const number = (/** @type {string} */ text) => (text.trim() === "" || Number.isNaN(Number(text)) ? null : Number(text));

/** Renderers by kind of control. @type {Record<string, (f: Field, value: any, to: Binding) => any>} */
const CONTROLS = {
  line(f, value, {id, described, invalid, put}) {
    const numeric = f.type !== "text", options = offered(f);
    const take = typed((text, box) => {
      const read = numeric ? (number(text) ?? (f.optional ? null : f.default)) : text;
      box.value = String(read ?? ""); // a cleared box shows its default again
      put(read);
    });
    const automatic = f.default === null && !f.required && (numeric || options.length);
    return html`<input id=${id} type=${numeric ? "number" : "text"} autocomplete="off" aria-describedby=${described}
        aria-invalid=${invalid} list=${options.length ? `${id}-offered` : nothing} min=${f.least ?? nothing}
        max=${f.most ?? nothing} step=${f.type === "integer" ? 1 : "any"}
        placeholder=${automatic ? t("form_own") : nothing} .value=${String(value ?? "")} @change=${take}>
      ${options.length ? html`<datalist id="${id}-offered">${options.map((one) =>
        html`<option value=${one.value}>${one.label}</option>`)}</datalist>` : nothing}`;
  },
  /* a number with a slider for a part of its range; any number in range can be typed */
  slider(f, value, to) {
    const [low, high] = f.slider ?? [0, 1], at = typeof value === "number" ? value : null;
    return html`<span class="row form-slider"><input type="range" class="grow ${at === null ? "unset" : ""}"
      aria-label=${f.label} tabindex="-1" min=${low} max=${high} step=${f.step ?? 0.01} .value=${String(at ?? low)}
      @input=${typed((text, {nextElementSibling: box}) => (box.value = text))}
      @change=${typed((text) => to.put(number(text)))}>${CONTROLS.line(f, value, to)}</span>`;
  },
  area(f, value, {id, described, invalid, put}) {
    const list = f.type === "list", text = list ? (value ?? []).join("\n") : String(value ?? "");
    const lines = (/** @type {string} */ given) => given.split("\n").map((one) => one.trim()).filter(Boolean);
    const read = (/** @type {string} */ given) => (f.of === "text" ? lines(given) : lines(given).map(Number));
    return html`<textarea id=${id} rows=${Math.min(8, 2 + text.split("\n").length)} aria-describedby=${described}
      aria-invalid=${invalid} .value=${text} placeholder=${list ? t("form_one_a_line") : nothing}
      @change=${typed((given) => put(list ? read(given) : given))}></textarea>`;
  },
  /* one or more of several; other numbers can be typed */
  ticks(f, value, {id, described, put}) {
    const ticked = value ?? [], choices = f.choices ?? [];
    const others = ticked.filter((/** @type {any} */ one) => !choices.some((choice) => choice.value === one));
    const tick = (/** @type {any} */ one) =>
      put(ticked.includes(one) ? ticked.filter((/** @type {any} */ other) => other !== one) : [...ticked, one]);
    const add = typed((text, box) => {
      box.value = "";
      if (text && !ticked.includes(Number(text))) tick(Number(text));
    });
    const all = [...choices, ...others.map((/** @type {any} */ one) => ({value: one, label: one}))];
    return html`<div class="row form-wrap" role="group" id=${id} aria-labelledby="${id}-label"
      aria-describedby=${described}>${all.map(({value: one, label, help}) =>
        chip(label, () => tick(one), {pressed: ticked.includes(one), title: help}))}
      ${f.of === "text" ? nothing : html`<input type="number" step="any" class="form-other" @change=${add}
        placeholder=${t("form_another")} aria-label="${f.label}: ${t("form_another")}">`}</div>`;
  },
  pair(f, value, {id, described, invalid, put, refuse}) {
    const words = f.of === "text";
    const names = f.type === "size" ? [t("form_height"), t("form_width")] : [t("form_first"), t("form_second")];
    const take = typed((_, {parentElement: row}) => {
      const read = [...row.querySelectorAll("input")].map((box) => (words ? box.value : number(box.value)));
      const empty = read.filter((part) => part === null).length;
      empty === 1 ? refuse(t("form_both")) : put(empty ? null : read);
    });
    return html`<span class="row" role="group" aria-labelledby="${id}-label" aria-describedby=${described}>
      ${names.map((name, i) => html`<input class="grow" id=${i ? `${id}-${i}` : id} type=${words ? "text" : "number"}
        step=${f.step ?? "any"} aria-label=${name} placeholder=${name} .value=${String(value?.[i] ?? "")}
        aria-invalid=${invalid} @change=${take}>`)}</span>`;
  },
  choice(f, value, {id, described, invalid, put}) {
    const choices = f.choices ?? [], at = choices.findIndex((one) => same(one.value, value));
    return html`<select id=${id} aria-describedby=${described} aria-invalid=${invalid}
        @change=${typed((i) => put(choices[Number(i)].value))}>
        ${at < 0 ? html`<option selected disabled>${named(f, value)}</option>` : nothing}
        ${choices.map((one, i) => html`<option value=${i} .selected=${i === at}>${one.label}</option>`)}</select>
      ${choices[at]?.help ? html`<small class="muted">${choices[at].help}</small>` : nothing}`;
  },
  toggle: (_, value, {id, described, put}) => html`<input type="checkbox" role="switch" id=${id}
    aria-describedby=${described} .checked=${value === true} @change=${typed((_text, box) => put(box.checked))}>`,
  /* a file, or words if the field also takes these */
  file(f, value, to) {
    const words = f.type === "text";
    const chosen = value && (!words || /^[0-9a-f]{32}\.\w+$|^[\w-]+\/.+\.\w+$/.test(value));
    const take = (/** @type {File|undefined} */ one) => one && upload(one, one.name).then(
      ({id}) => to.put(id), (error) => to.refuse(error.message || t("form_no_server")));
    const {input: source, medium, results, shown: at} = state.create;
    const input = f.name === "file" ? (results[at] ?? (source?.recipe ? source : null)) : source; // to be replayed
    const there = input && input.id !== value && (!f.media || f.media.includes(medium));
    return html`<div class="form-file" @dragover=${held} @drop=${dropped(([one]) => take(one))}>
      ${chosen ? shown(value) : words ? CONTROLS.line(f, value, to) : html`<small>${t("form_drop")}</small>`}
      <span class="row">${chooser(html`${icon("folder")} ${t(chosen ? "form_other_file" : "form_file")}`,
          ([one]) => take(one), {id: words ? `${to.id}-file` : to.id, accept: f.accept, described: to.described})}
        ${there ? button("", t("form_from_create"), () => to.put(input.id)) : nothing}
        ${chosen ? tool("close", t("form_no_file"), () => to.put(f.default ?? (words ? "" : null))) : nothing}
      </span></div>`;
  },
};

/** @type {Record<string, string>} */
const BY_TYPE = {lines: "area", list: "area", size: "pair", switch: "toggle"};

/** The control of a field. @param {Field} f @param {any} value @param {Binding} to @returns {unknown} */
export function control(f, value, to) {
  const kind = f.type === "text" && f.accept ? "file" : f.type === "list" && f.choices ? "ticks" : f.slider && "slider";
  return (CONTROLS[kind || BY_TYPE[f.type] || f.type] ?? CONTROLS.line)(f, value, to);
}
