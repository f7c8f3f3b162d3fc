/** Crops that show a number and little else, as svhn/reading/crops.py cuts them out of a picture. */

import { clipBox } from "./boxes.js";
import { resize } from "./resize.js";
import { cropWindow, paste } from "./windows.js";

/** @typedef {import("./resize.js").Box} Box */
/** @typedef {import("./resize.js").Picture} Picture */
/**
 * The form of the reader's crops: height and width in pixels, and the margin around a box as a share of its sides.
 * @typedef {{size: [number, number], margin: number}} CropForm
 */

/**
 * A box with its margin.
 * @param {Picture} picture
 * @param {Box} box
 * @param {CropForm} form
 * @returns {Picture}
 */
export function cropNumber(picture, [left, top, right, bottom], { size: [height, width], margin }) {
  const across = margin * (right - left);
  const down = margin * (bottom - top);
  const expanded = clipBox([left - across, top - down, right + across, bottom + down], picture);
  return resize(picture, expanded, width, height);
}

/**
 * Parts of a picture side by side, each as wide as the others.
 * @param {Picture} picture
 * @param {Box[]} parts
 * @param {CropForm} form
 * @returns {Picture}
 */
export function cropRow(picture, parts, { size: [height, width] }) {
  const row = { data: new Uint8Array(3 * width * height), width, height };
  parts.forEach((part, index) => {
    const [start, end] = [index, index + 1].map((count) => Math.floor((width * count) / parts.length));
    paste(cropWindow(picture, part, end - start, height), row, start, 0);
  });
  return row;
}
