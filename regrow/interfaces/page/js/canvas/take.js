// @ts-check
/** Take in files: dropped on the canvas, pasted, chosen or photographed; or make a result the input. */
import {html} from "../../vendor/lit.js";
import {upload} from "../api.js";
import {chooser, sheet} from "../controls.js";
import {modelOf, refused, take} from "../create.js";
import {icon} from "../icons.js";
import {change, state, update} from "../store.js";
import {t} from "../texts.js";
import {toast} from "../toasts.js";

const READ = "image/*,audio/*,.mid,.midi,.abc,.musicxml,.mxl";

/** The address of a file or a result. @param {string} id */
export const addressOf = (id) => `/api/${id.includes("/") ? "results" : "files"}/${id}`;

/** Upload a file, and make it the input. @param {File|null|undefined} file */
export async function takeFile(file) {
  if (!file) return;
  update({taking: t("canvas_taking"), problem: null});
  try {
    const stored = await upload(file, file.name), before = state.create;
    if (stored.medium === "tune") takeNotes("tune", stored.id);
    else take(stored);
    if (before.medium === "sound" && before.input) toast(t("sound_replaced"), {undo: () => change(before)});
  } catch (error) {
    refused(error);
  }
  update({taking: ""});
}

/**
 * Make a new sound from the notes of a file: sung, or played by other instruments.
 * @param {"tune"|"melody"} name @param {string} id
 */
export function takeNotes(name, id) {
  const singer = [modelOf(), ...state.models].find((model) => model?.abilities?.sings_notes);
  if (name === "tune" && !singer) return toast(t("sound_no_singer"), {seconds: 8});
  const {duration, loop, melody, tune, ...settings} = state.create.settings; // a melody sets the length itself
  take(null);
  change({medium: "sound", ...(name === "tune" && {model: singer.name}), settings: {...settings, [name]: id}});
}

/** Make a result the input. @param {import("../api.js").Item} item */
export const takeResult = ({id, name, url, medium, width, height, seconds}) =>
  take({id, url, name, medium, width, height, seconds, recipe: null});

/** Choose a file, or take a photograph. @param {boolean} [large] with words */
export const sources = (large = false) => {
  const kind = large ? "button" : "icon-button", hidden = large ? "" : "visually-hidden", accept = READ;
  const face = (/** @type {string} */ picture, /** @type {string} */ words) =>
    html`<span class="row" title=${words}>${icon(picture)}<span class=${hidden}>${words}</span></span>`;
  return html`
    ${chooser(face("folder", t("canvas_choose")), ([file]) => takeFile(file), {kind, accept})}
    <button class=${kind} data-do="camera" @click=${photograph}>${face("camera", t("canvas_camera"))}</button>`;
};

/** Let the reader take a photograph, in a dialog. */
async function photograph() {
  const asked = navigator.mediaDevices?.getUserMedia({video: {width: {ideal: 1280}}});
  const stream = await asked?.catch(() => null);
  if (!stream) return toast(t("canvas_no_camera"), {seconds: 8});
  const shoot = (/** @type {any} */ {target}) => {
    const video = target.previousElementSibling, page = document.createElement("canvas");
    [page.width, page.height] = [video.videoWidth, video.videoHeight];
    page.getContext("2d")?.drawImage(video, 0, 0);
    page.toBlob((blob) => blob && takeFile(new File([blob], "camera.png", {type: "image/png"})));
    target.closest("dialog").close();
  };
  const dialog = sheet(t("canvas_camera"), html`<video autoplay muted playsinline .srcObject=${stream}></video>
    <button class="button primary" autofocus @click=${shoot}>${t("canvas_camera_take")}</button>`, "camera");
  dialog.addEventListener("close", () => stream.getTracks().forEach((track) => track.stop()));
}

for (const kind of /** @type {const} */ (["dragover", "dragleave", "drop"]))
  document.addEventListener(kind, (event) => {
    const stage = /** @type {Element} */ (event.target).closest?.(".stage");
    document.querySelector(".stage")?.classList.toggle("dragged", Boolean(stage) && kind === "dragover");
    if (stage) event.preventDefault();
    if (stage && kind === "drop") takeFile(event.dataTransfer?.files[0]);
  });

document.addEventListener("paste", (event) => {
  const file = event.clipboardData?.files[0];
  if (!file || state.tab !== "create") return;
  event.preventDefault();
  takeFile(file);
});
