// @ts-check
/** The painted mask: white may change, black stays. At most 2,048 pixels per side. */

/** @typedef {import("./view.js").Point} Point */

const MOST = 2048;
const BLACK = 2; // of 255; faint pixels around a scaled edge count as black, as on the server

export class Mask {
  canvas = document.createElement("canvas"); // the page's styles show white in colour
  #pen = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d", {willReadFrequently: true}));
  #turn = 0;
  scale = 1; // pixels of the mask per pixel of the input
  share = 0; // of the picture that may change

  /** Start with an empty mask for an input of this size. @param {number} width @param {number} height */
  resize(width, height) {
    this.scale = Math.min(1, MOST / Math.max(width, height));
    this.canvas.width = Math.max(1, Math.round(width * this.scale));
    this.canvas.height = Math.max(1, Math.round(height * this.scale));
    this.fill("#000");
  }

  /** @param {Point[]} points of the input @param {boolean} less takes away @param {number} [size] of a line */
  draw(points, less, size) {
    const pen = this.#pen;
    pen.fillStyle = pen.strokeStyle = less ? "#000" : "#fff";
    pen.lineWidth = Math.max(size ?? 0, 1 / this.scale);
    pen.lineCap = pen.lineJoin = "round";
    pen.setTransform(this.scale, 0, 0, this.scale, 0, 0);
    pen.beginPath();
    for (const {x, y} of points) pen.lineTo(x, y);
    if (size) pen.stroke();
    else pen.fill();
    pen.resetTransform();
  }

  /** @param {string} colour @param {GlobalCompositeOperation} [how] "difference" with white inverts */
  fill(colour, how = "source-over") {
    Object.assign(this.#pen, {globalCompositeOperation: how, fillStyle: colour});
    this.#pen.fillRect(0, 0, this.canvas.width, this.canvas.height);
    this.#pen.globalCompositeOperation = "source-over";
    this.measure();
  }

  /** Show a mask file, or none. @param {Blob|null} file @returns {Promise<boolean>} false if another came */
  async load(file) {
    const turn = ++this.#turn, picture = file && (await createImageBitmap(file)), {width, height} = this.canvas;
    if (turn !== this.#turn) return false;
    this.fill("#000");
    if (picture) this.#pen.drawImage(picture, 0, 0, width, height);
    this.measure();
    return true;
  }

  /** @returns {Promise<Blob>} the mask as a file */
  png() {
    return new Promise((done, fail) => this.canvas.toBlob((blob) => (blob ? done(blob) : fail(new Error("no PNG")))));
  }

  /** Compute the painted share; call it when a stroke ends. */
  measure() {
    const {width, height} = this.canvas, {data} = this.#pen.getImageData(0, 0, width, height);
    let sum = 0;
    for (let i = 0; i < data.length; i += 4) if (data[i] > BLACK) sum += data[i];
    this.share = sum / 255 / (width * height);
  }
}
