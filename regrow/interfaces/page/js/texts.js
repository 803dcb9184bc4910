// @ts-check
/** The page's own words in the reader's language; tables in ../texts/*.json hold both languages under one key. */
import {language} from "./api.js";

/** @type {Record<string, {en: string, zh: string}>} */
let table = {};

/** Read the tables; `names` are files of ../texts without their ending. @param {string[]} names */
export async function readTexts(names) {
  language.now = localStorage.getItem("regrow language") || (navigator.language.startsWith("zh") ? "zh" : "en");
  document.documentElement.lang = language.now === "zh" ? "zh-CN" : "en";
  const read = names.map(async (name) => (await fetch(`/page/texts/${name}.json`)).json());
  table = Object.assign({}, ...(await Promise.all(read)));
}

/** The words under a key, with `{name}` replaced. @param {string} key @param {Record<string, any>} [figures] */
export function t(key, figures = {}) {
  const words = table[key]?.[/** @type {"en"|"zh"} */ (language.now)];
  if (words === undefined) return key; // a test finds keys that are missing
  return words.replace(/\{(\w+)\}/g, (whole, name) => (name in figures ? String(figures[name]) : whole));
}
