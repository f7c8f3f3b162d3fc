/** Windows onto a picture, as svhn/reading/windows.py has them. */

import { clipBox } from "./boxes.js";
import { resize } from "./resize.js";

/** @typedef {import("./resize.js").Box} Box */
/** @typedef {import("./resize.js").Picture} Picture */
/**
 * The constants of svhn/reading/windows.py, in small letters.
 * @typedef {{aspect_ratio: number, least_ratio: number, min_window_width: number, max_windows_across: number,
 *   wider: number, min_strip_window_width: number, max_strip_windows: number,
 *   context_scales: [number, number], closer_sizes: number[]}} WindowConstants
 */

/** A sentence for the visitor about a picture that can't be searched. */
export class WindowError extends Error {}

/**
 * The windows of a picture by size: the whole picture and, if it is large, smaller windows that cover it.
 * @param {number} width
 * @param {number} height
 * @param {WindowConstants} constants
 * @returns {Box[][]}
 */
export function listLevels(width, height, constants) {
  const whole = widenWindow([0, 0, width, height], constants);
  const across = Math.min(width, constants.aspect_ratio * height);
  const part = Math.max(width, height) / constants.max_windows_across;
  if (across < part) return [[whole], listStripWindows(width, height, across, constants)];
  const least = Math.max(constants.min_window_width, part);
  const widths = [...halve(whole[2] - whole[0], Math.max(least, constants.wider * width)), ...halve(across, least)];
  const levels = widths.map((each) => listEqualWindows(width, height, each, constants));
  return [[whole], ...levels.filter((windows) => windows.length > 1)];
}

/** The length, its half and so on, down to the least. */
function halve(/** @type {number} */ length, /** @type {number} */ least) {
  const count = length >= least ? Math.floor(Math.log2(length / least)) + 1 : 0;
  return Array.from({ length: count }, (_, power) => length / 2 ** power);
}

/**
 * A window as wide as `least_ratio` asks, about the same middle. It may then reach out of the picture.
 * @param {Box} window
 * @param {WindowConstants} constants
 * @returns {Box}
 */
function widenWindow([left, top, right, bottom], { least_ratio: ratio }) {
  const lacking = Math.max(ratio * (bottom - top) - (right - left), 0) / 2;
  return [left - lacking, top, right + lacking, bottom];
}

/**
 * @param {number} width
 * @param {number} height
 * @param {number} across
 * @param {WindowConstants} constants
 */
function listStripWindows(width, height, across, constants) {
  if (across < constants.min_strip_window_width) return [];
  const windows = listEqualWindows(width, height, across, constants);
  if (windows.length > constants.max_strip_windows) {
    throw new WindowError(
      `the picture of ${width} x ${height} pixels has ${windows.length} windows, expected at most ` +
        `${constants.max_strip_windows}: cut it into shorter pictures`,
    );
  }
  return windows;
}

/**
 * @param {number} width
 * @param {number} height
 * @param {number} across
 * @param {WindowConstants} constants
 * @returns {Box[]}
 */
function listEqualWindows(width, height, across, constants) {
  const down = across / constants.aspect_ratio;
  const lefts = listStarts(width, across);
  return listStarts(height, down).flatMap((top) =>
    lefts.map((left) => /** @type {Box} */ ([left, top, left + across, top + down])),
  );
}

/** Starts of equal parts of a side, which overlap by a third or more. A longer part has the side in its middle. */
function listStarts(/** @type {number} */ side, /** @type {number} */ part) {
  if (part > side + 1e-6) return [(side - part) / 2];
  const last = Math.max(side - part, 0);
  const steps = Math.ceil(last / ((part * 2) / 3) - 1e-6);
  return Array.from({ length: steps + 1 }, (_, index) => (index < steps ? index * (last / steps) : index && last));
}

/**
 * A window around a box, clipped to the picture unless that makes it too narrow.
 * @param {Box} box
 * @param {Picture} picture
 * @param {WindowConstants} constants
 * @param {number} factor on the window's width and height
 * @returns {Box}
 */
export function centerWindow([left, top, right, bottom], picture, constants, factor = 1) {
  const { context_scales: scales, aspect_ratio: ratio } = constants;
  const across = Math.max(scales[0] * (right - left), ratio * scales[1] * (bottom - top), 1) * factor;
  const down = across / ratio;
  const x = (left + right) / 2;
  const y = (top + bottom) / 2;
  const window = clipBox([x - across / 2, y - down / 2, x + across / 2, y + down / 2], picture);
  return widenWindow(window, constants);
}

/**
 * A window of a picture, resized. What it shows beside the picture has the mean color of what it shows of the picture.
 * @param {Picture} picture
 * @param {Box} window
 * @param {number} width
 * @param {number} height
 * @returns {Picture}
 */
export function cropWindow(picture, window, width, height) {
  const inside = clipBox(window, picture);
  if (inside.every((side, index) => side === window[index])) return resize(picture, window, width, height);
  const [top, bottom] = placeSide([inside[1], inside[3]], [window[1], window[3]], height);
  const [left, right] = placeSide([inside[0], inside[2]], [window[0], window[2]], width);
  const shown = resize(picture, inside, right - left, bottom - top);
  const mean = findMeanColor(shown);
  const data = Uint8Array.from({ length: 3 * width * height }, (_, index) => mean[index % 3]);
  const cropped = { data, width, height };
  paste(shown, cropped, left, top);
  return cropped;
}

/** Copies a picture into a larger one, with its corner at `left` and `top`. */
export function paste(
  /** @type {Picture} */ part,
  /** @type {Picture} */ { data, width },
  /** @type {number} */ left,
  /** @type {number} */ top,
) {
  for (let row = 0; row < part.height; row++) {
    const line = part.data.subarray(3 * row * part.width, 3 * (row + 1) * part.width);
    data.set(line, 3 * ((top + row) * width + left));
  }
}

/**
 * First pixel and end of a window's part, of `count` pixels: one pixel or more.
 * @param {[number, number]} inside
 * @param {[number, number]} window
 * @param {number} count
 */
function placeSide(inside, window, count) {
  const scale = count / (window[1] - window[0]);
  const [start, end] = inside.map((side) => Math.floor((side - window[0]) * scale + 0.5));
  const first = Math.min(start, count - 1);
  return [first, Math.max(first + 1, end)];
}

function findMeanColor(/** @type {Picture} */ { data, width, height }) {
  const sums = [0, 0, 0];
  data.forEach((level, index) => (sums[index % 3] += level));
  return sums.map((sum) => Math.floor(sum / (width * height) + 0.5));
}
