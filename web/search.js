/**
 * The search for the numbers in a picture, as svhn/reading/search.py does it: the finder's boxes in windows of several
 * sizes, then closer windows.
 */

import { computeOverlap, suppressOverlaps } from "./boxes.js";
import { resize } from "./resize.js";

/** @typedef {import("./resize.js").Box} Box */
/** @typedef {import("./resize.js").Picture} Picture */
/** @typedef {import("./network.js").Compute} Compute */
/**
 * The constants of svhn/reading/search.py, in small letters. `size` is the height and width of the finder's input.
 * @typedef {{aspect_ratio: number, min_window_width: number, max_windows_across: number,
 *   min_strip_window_width: number, max_strip_windows: number, context_scales: [number, number],
 *   least_probability: number, same_number: [number, number], most_numbers: number, same_window: number,
 *   odds_exponent: number, size: [number, number]}} Search
 */
/**
 * A box that may hold a number, and the probability that there is a number in the window of the box.
 * @typedef {{box: Box, probability: number}} Detection
 */

/** A sentence for the visitor about a picture that can't be searched. */
export class SearchError extends Error {}

/**
 * The numbers that may be in a picture, the most probable one first, and the number of windows.
 * @param {Compute} locate the finder
 * @param {Picture} picture
 * @param {Search} search
 * @param {(share: number) => Promise<void>} pause called before each window with the share that is searched, 0 to 1;
 *   ends the search by throwing
 * @returns {Promise<{detections: Detection[], windows: number}>}
 * @throws {SearchError} the picture is too long for its breadth
 */
export async function findNumbers(locate, picture, search, pause) {
  const windows = listWindows(picture.width, picture.height, search);
  const found = [];
  for (const [index, window] of windows.entries()) {
    await pause(index / windows.length);
    found.push(await searchWindow(locate, picture, window, search));
  }
  const detections = [];
  for (const place of chooseDetections(found, search)) {
    const closer = centerWindow(found[place].box, picture, search);
    const same = computeOverlap(closer, windows[place]) >= search.same_window;
    await pause(1);
    detections.push(same ? found[place] : await searchWindow(locate, picture, closer, search));
  }
  detections.sort((one, other) => other.probability - one.probability);
  return { detections, windows: windows.length };
}

/**
 * The places of the probable boxes, one per number; that of the most probable box if none is probable.
 * @param {Detection[]} found
 * @param {Search} search
 */
function chooseDetections(found, { least_probability: least, same_number: limits, most_numbers: most }) {
  const scores = found.map(({ probability }) => probability);
  const probable = [...found.keys()].filter((place) => scores[place] >= least);
  if (!probable.length) return [scores.indexOf(Math.max(...scores))];
  const boxes = probable.map((place) => found[place].box);
  const kept = suppressOverlaps(
    boxes,
    probable.map((place) => scores[place]),
    limits,
  );
  return kept.slice(0, most).map((place) => probable[place]);
}

/**
 * The least confidence, 0 to 1, with which a number is answered in a picture of so many windows.
 * @param {number} threshold that of a picture of one window
 * @param {number} windows
 * @param {Search} search
 */
export function computeNeeded(threshold, windows, search) {
  const odds = threshold * windows ** search.odds_exponent;
  return odds / (odds + (1 - threshold));
}

/**
 * @param {Compute} locate
 * @param {Picture} picture
 * @param {Box} window
 * @param {Search} search
 * @returns {Promise<Detection>}
 */
async function searchWindow(locate, picture, window, { size: [height, width] }) {
  const { probability, box } = await locate(resize(picture, window, width, height));
  const [left, top, right, bottom] = window;
  const [x0, y0, x1, y1] = Array.from(box, (share) => Math.min(Math.max(share, 0), 1));
  const across = right - left;
  const down = bottom - top;
  return {
    box: [left + x0 * across, top + y0 * down, left + x1 * across, top + y1 * down],
    probability: probability[0],
  };
}

/**
 * The windows of a picture: the whole picture and, if it is large, smaller windows that cover it.
 * @param {number} width
 * @param {number} height
 * @param {Search} search
 * @returns {Box[]}
 */
export function listWindows(width, height, search) {
  /** @type {Box[]} */
  const found = [[0, 0, width, height]];
  const least = Math.max(width, height) / search.max_windows_across;
  let across = Math.min(width, search.aspect_ratio * height);
  if (across < least) return found.concat(listStripWindows(width, height, across, search));
  for (; across >= Math.max(search.min_window_width, least); across /= 2) {
    const windows = listEqualWindows(width, height, across, search);
    if (windows.length > 1) found.push(...windows);
  }
  return found;
}

/**
 * @param {number} width
 * @param {number} height
 * @param {number} across
 * @param {Search} search
 */
function listStripWindows(width, height, across, search) {
  if (across < search.min_strip_window_width) return [];
  const windows = listEqualWindows(width, height, across, search);
  if (windows.length > search.max_strip_windows) {
    throw new SearchError(
      `the picture of ${width} x ${height} pixels has ${windows.length} windows, expected at most ` +
        `${search.max_strip_windows}: cut it into shorter pictures`,
    );
  }
  return windows;
}

/**
 * @param {number} width
 * @param {number} height
 * @param {number} across
 * @param {Search} search
 * @returns {Box[]}
 */
function listEqualWindows(width, height, across, search) {
  const down = across / search.aspect_ratio;
  const lefts = listStarts(width, across);
  return listStarts(height, down).flatMap((top) =>
    lefts.map((left) => /** @type {Box} */ ([left, top, left + across, top + down])),
  );
}

/** Starts of equal parts of a side: the parts reach from end to end and overlap by a third or more. */
function listStarts(/** @type {number} */ side, /** @type {number} */ part) {
  const last = Math.max(side - part, 0);
  const steps = Math.ceil(last / ((part * 2) / 3) - 1e-6);
  return Array.from({ length: steps + 1 }, (_, index) =>
    index && index === steps ? last : index * (last / steps || 0),
  );
}

/**
 * A window around a box, clipped to the picture.
 * @param {Box} box
 * @param {Picture} picture
 * @param {Search} search
 * @returns {Box}
 */
function centerWindow([left, top, right, bottom], picture, { context_scales: scales, aspect_ratio: ratio }) {
  const across = Math.max(scales[0] * (right - left), ratio * scales[1] * (bottom - top), 1);
  const down = across / ratio;
  const x = (left + right) / 2;
  const y = (top + bottom) / 2;
  return [
    Math.max(x - across / 2, 0),
    Math.max(y - down / 2, 0),
    Math.min(x + across / 2, picture.width),
    Math.min(y + down / 2, picture.height),
  ];
}
