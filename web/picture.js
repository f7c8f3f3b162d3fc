/** Opens picture files as the browser decodes them: upright, with transparent areas on white. */

/** @typedef {import("./resize.js").Picture} Picture */

const STRIP_PIXELS = 4e6; // pixels decoded at once: browsers limit the area of a canvas, some to 16 million

/** A sentence for the visitor about a picture that can't be read. */
export class PictureError extends Error {}

/**
 * The first frame of a picture file, in RGB.
 * @param {Blob} file
 * @param {number} megapixels size of the largest picture that is opened
 * @returns {Promise<Picture>}
 * @throws {PictureError} the file is no picture, damaged, or too large
 */
export async function openPicture(file, megapixels) {
  const bitmap = await decode(file);
  try {
    const { width, height } = bitmap;
    if (width * height > 1e6 * megapixels) {
      throw new PictureError(
        `the picture has ${width} x ${height} pixels, expected at most ${megapixels} million: reduce it`,
      );
    }
    return copyPixels(bitmap);
  } finally {
    bitmap.close();
  }
}

/**
 * @param {Blob} file
 * @returns {Promise<ImageBitmap>}
 */
async function decode(file) {
  if (file.size === 0) throw new PictureError("the file is empty, expected a picture");
  try {
    // Python's side ignores color profiles, too.
    return await createImageBitmap(file, { imageOrientation: "from-image", colorSpaceConversion: "none" });
  } catch {
    throw new PictureError(
      "this browser can't decode the file as a picture: choose a JPEG, PNG, WebP or GIF file that is not damaged",
    );
  }
}

/**
 * @param {ImageBitmap} bitmap
 * @returns {Picture}
 */
function copyPixels(bitmap) {
  const { width, height } = bitmap;
  const rows = Math.max(1, Math.min(height, Math.floor(STRIP_PIXELS / width)));
  const canvas = Object.assign(document.createElement("canvas"), { width, height: rows });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new PictureError(`this browser has no memory for a picture of ${width} x ${height} pixels`);
  const data = new Uint8Array(3 * width * height);
  context.fillStyle = "white";
  for (let top = 0; top < height; top += rows) {
    context.fillRect(0, 0, width, rows);
    context.drawImage(bitmap, 0, -top);
    const strip = context.getImageData(0, 0, width, Math.min(rows, height - top)).data;
    copyColors(strip, data, 3 * width * top);
  }
  return { data, width, height };
}

/** Copies red, green and blue, without the opacity behind them. */
function copyColors(/** @type {Uint8ClampedArray} */ from, /** @type {Uint8Array} */ data, /** @type {number} */ to) {
  for (let at = 0; at < from.length; at += 4, to += 3) {
    data[to] = from[at];
    data[to + 1] = from[at + 1];
    data[to + 2] = from[at + 2];
  }
}
