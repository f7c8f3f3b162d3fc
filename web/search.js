/**
 * The search for the numbers in a picture, as svhn/reading/search.py does it: the finder's boxes in windows of several
 * sizes, then closer windows.
 */

import { clipBox, computeArea, computeCover, computeOverlap, suppressOverlaps } from "./boxes.js";
import { centerWindow, cropWindow, listLevels } from "./windows.js";

/** @typedef {import("./resize.js").Box} Box */
/** @typedef {import("./resize.js").Picture} Picture */
/** @typedef {import("./network.js").Compute} Compute */
/**
 * The constants of svhn/reading/search.py, in small letters. `size` is the height and width of the finder's input, and
 * `windows` are the constants of the windows.
 * @typedef {{least_hint: number, first_levels: number, least_probability: number, same_number: [number, number],
 *   most_numbers: number, wider_view: number, larger: number, same_box: number, same_window: number,
 *   size: [number, number],
 *   windows: import("./windows.js").WindowConstants}} Search
 */
/**
 * A box that may hold a number, and the probability that there is a number in the window of the box; the mean of
 * several windows' where these were searched.
 * @typedef {{box: Box, probability: number}} Detection
 */
/**
 * Gives the box of a window of the picture that is searched.
 * @typedef {(window: Box) => Promise<Detection>} Look
 */

/**
 * The numbers that may be in a picture, the most probable one first, and the number of windows.
 * @param {Compute} locate the finder
 * @param {Picture} picture
 * @param {Search} search
 * @param {(share: number) => Promise<void>} pause called before each window with the share that is searched, 0 to 1;
 *   ends the search by throwing
 * @returns {Promise<{detections: Detection[], windows: number}>}
 * @throws {Error} the picture is too long for its breadth
 */
export async function findNumbers(locate, picture, search, pause) {
  const look = rememberWindows((window) => searchWindow(locate, picture, window, search));
  const { windows, found } = await searchLevels(look, picture, search, pause);
  const detections = [];
  for (const place of chooseDetections(found, search)) {
    const middle = centerWindow(found[place].box, picture, search.windows);
    const same = computeOverlap(middle, windows[place]) >= search.same_window;
    detections.push(same ? found[place] : await searchCloser(look, picture, found[place].box, search, pause));
  }
  detections.push(...(await findWholes(look, picture, detections, search, pause)));
  detections.sort((one, other) => other.probability - one.probability);
  return { detections: detections.slice(0, search.most_numbers), windows: windows.length };
}

/**
 * The same function, which searches no window twice: in a small picture, many windows show all of it.
 * @param {Look} look
 * @returns {Look}
 */
function rememberWindows(look) {
  /** @type {Map<string, Detection>} */
  const known = new Map();
  return async (window) => {
    const name = window.join();
    const detection = known.get(name) ?? (await look(window));
    known.set(name, detection);
    return detection;
  };
}

/**
 * The numbers that wider windows show around boxes of their parts, such as single digits that stand far apart.
 * @param {Look} look
 * @param {Picture} picture
 * @param {Detection[]} detections
 * @param {Search} search
 * @param {(share: number) => Promise<void>} pause
 */
async function findWholes(look, picture, detections, search, pause) {
  const parts = detections.filter(({ probability }) => probability >= search.least_probability);
  const known = parts.map(({ box }) => box);
  const wholes = [];
  for (const part of parts) {
    await pause(1);
    const wider = await look(centerWindow(part.box, picture, search.windows, search.wider_view));
    if (!isWhole(wider, part, search)) continue;
    const whole = await searchCloser(look, picture, wider.box, search, pause);
    if (whole.probability < search.least_probability) continue;
    if (known.some((box) => computeOverlap(whole.box, box) >= search.same_box)) continue;
    known.push(whole.box);
    wholes.push(whole);
  }
  return wholes;
}

/**
 * @param {Detection} whole
 * @param {Detection} part
 * @param {Search} search
 */
function isWhole(whole, part, { least_probability: least, larger, same_number: limits }) {
  const grown = computeArea(whole.box) >= larger * computeArea(part.box);
  return whole.probability >= least && grown && computeCover(part.box, whole.box) >= limits[1];
}

/**
 * The windows that were searched, from the largest to the smallest, and the box of each.
 * @param {Look} look
 * @param {Picture} picture
 * @param {Search} search
 * @param {(share: number) => Promise<void>} pause
 */
async function searchLevels(look, picture, search, pause) {
  const levels = listLevels(picture.width, picture.height, search.windows);
  const windows = [];
  const found = [];
  /** @type {Box[]} */
  let hints = [];
  for (const [number, level] of levels.entries()) {
    const chosen = number < search.first_levels ? level : level.filter((window) => liesInAny(window, hints));
    hints = [];
    for (const [index, window] of chosen.entries()) {
      await pause((number + index / chosen.length) / levels.length);
      const detection = await look(window);
      if (detection.probability >= search.least_hint) hints.push(window);
      windows.push(window);
      found.push(detection);
    }
  }
  return { windows, found };
}

/** Whether any of the others has a window's middle in it. */
function liesInAny(/** @type {Box} */ window, /** @type {Box[]} */ others) {
  const x = (window[0] + window[2]) / 2;
  const y = (window[1] + window[3]) / 2;
  return others.some(([left, top, right, bottom]) => left <= x && x <= right && top <= y && y <= bottom);
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
 * The mean of what the closer windows around a box show: of the boxes that are of one number with the surest one, and
 * of the probabilities of all.
 * @param {Look} look
 * @param {Picture} picture
 * @param {Box} around
 * @param {Search} search
 * @param {(share: number) => Promise<void>} pause
 * @returns {Promise<Detection>}
 */
async function searchCloser(look, picture, around, search, pause) {
  const found = [];
  for (const factor of search.windows.closer_sizes) {
    await pause(1);
    found.push(await look(centerWindow(around, picture, search.windows, factor)));
  }
  const surest = found.reduce((best, each) => (each.probability > best.probability ? each : best));
  const alike = found.filter(
    (each) => each === surest || computeOverlap(each.box, surest.box) >= search.same_number[0],
  );
  const box = surest.box.map((_, side) => alike.reduce((sum, each) => sum + each.box[side], 0) / alike.length);
  const probability = found.reduce((sum, each) => sum + each.probability, 0) / found.length;
  return { box: /** @type {Box} */ (box), probability };
}

/**
 * @param {Compute} locate
 * @param {Picture} picture
 * @param {Box} window
 * @param {Search} search
 * @returns {Promise<Detection>}
 */
async function searchWindow(locate, picture, window, { size: [height, width] }) {
  const { probability, box } = await locate(cropWindow(picture, window, width, height));
  const [left, top, right, bottom] = window;
  const [x0, y0, x1, y1] = Array.from(box, (share) => Math.min(Math.max(share, 0), 1));
  const across = right - left;
  const down = bottom - top;
  const placed = [left + x0 * across, top + y0 * down, left + x1 * across, top + y1 * down];
  return { box: clipBox(/** @type {Box} */ (placed), picture), probability: probability[0] };
}
