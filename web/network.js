/** The two networks, computed by LiteRT on the visitor's processor. */

import { Tensor, loadAndCompile, loadLiteRt } from "./litert/core.js";

/** @typedef {import("./resize.js").Picture} Picture */
/**
 * What settings.json tells about a network: its file, and height, width and channels of the images that it takes.
 * @typedef {{file: string, size: [number, number], channels: number}} Form
 */
/**
 * The outputs of a network by name, each flat: docs/export.md describes them.
 * @typedef {Record<string, Float32Array | Int32Array>} Outputs
 */
/**
 * Computes the outputs for one image of the size that the network takes.
 * @typedef {(image: Picture) => Promise<Outputs>} Compute
 */

const RUNTIME = "./litert/"; // holds two builds, of which LiteRT takes the faster one that the browser can run

/** Loads LiteRT, once per page. Throws an `Error` if the browser can't run it. */
export async function loadRuntime() {
  if (typeof WebAssembly !== "object") {
    throw new Error("this browser can't run WebAssembly: use a current Firefox, Chrome, Edge or Safari");
  }
  await loadLiteRt(RUNTIME);
}

/**
 * @param {Form} form
 * @returns {Promise<Compute>}
 */
export async function loadNetwork({ file, size, channels }) {
  const content = new Uint8Array(await (await fetchFile(file)).arrayBuffer());
  const model = await loadAndCompile(content, { accelerator: "wasm" });
  return async (image) => {
    const pixels = channels === 1 ? convertToGray(image.data) : image.data;
    const input = new Tensor(pixels, [1, ...size, channels]);
    try {
      return takeOutputs(await model.run({ images: input }));
    } finally {
      input.delete();
    }
  };
}

/**
 * A file of the page. Throws an `Error` that names it if the server does not send it.
 * @param {string} name
 */
export async function fetchFile(name) {
  const response = await fetch(name);
  if (!response.ok) throw new Error(`the server answers ${response.status} for ${name}`);
  return response;
}

/**
 * Copies the outputs, and frees the runtime's memory.
 * @param {Record<string, Tensor>} tensors
 * @returns {Outputs}
 */
function takeOutputs(tensors) {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => {
      const values = /** @type {Float32Array | Int32Array} */ (tensor.toTypedArray());
      tensor.delete();
      return [name, values];
    }),
  );
}

/** The brightness of pixels in RGB, rounded as Pillow rounds it for its mode L. */
export function convertToGray(/** @type {Uint8Array} */ data) {
  return Uint8Array.from({ length: data.length / 3 }, (_, pixel) => {
    const [red, green, blue] = data.subarray(3 * pixel, 3 * pixel + 3);
    return (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16;
  });
}
