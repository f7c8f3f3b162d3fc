/**
 * Numbers whose digits stand above one another, as svhn/reading/columns.py has them: read as a row, and put together of
 * what was found apart.
 */

import { encloseBoxes, listCorners } from "./boxes.js";

/** @typedef {import("./resize.js").Box} Box */
/** @typedef {import("./reader.js").ReadNumber} ReadNumber */
/** @typedef {import("./reader.js").FoundNumber} FoundNumber */
/**
 * The constants of svhn/reading/columns.py, in small letters.
 * @typedef {{least_height: number, counts: number[], gaps: number[], aspect_ratios: [number, number],
 *   part_margin: number, most_columns: number, least_piece: number, most_aside: number, piece_gaps: [number, number],
 *   most_heights: number}} ColumnConstants
 */

/**
 * Reads the number that parts of the picture show side by side.
 * @typedef {(parts: Box[]) => Promise<ReadNumber>} ReadRow
 */

/** @type {ReadNumber} */
const NO_NUMBER = { text: "", truncated: false, confidence: 0, digitConfidences: [] };

/**
 * The numbers, where those in high boxes may have been read as rows.
 * @param {ReadRow} read
 * @param {Box[]} boxes the most probable one first
 * @param {ReadNumber[]} numbers what the network reads in each of them as a whole
 * @param {ColumnConstants} constants
 */
export async function readColumns(read, boxes, numbers, constants) {
  const high = [...boxes.keys()].filter((place) => mayBeColumn(boxes[place], numbers[place], constants));
  const found = [...numbers];
  for (const place of high.slice(0, constants.most_columns)) {
    found[place] = chooseSurer(found[place], await readColumn(read, boxes[place], constants));
  }
  return found;
}

/**
 * Whether a box is too high for one digit. An empty one is not.
 * @param {Box} box
 * @param {ColumnConstants} constants
 */
export function isHigh([left, top, right, bottom], { least_height: least }) {
  return bottom - top > least * (right - left) && right > left;
}

/**
 * Whether a box is high, and the network does not take what is in it for one digit.
 * @param {Box} box
 * @param {ReadNumber} number
 * @param {ColumnConstants} constants
 */
function mayBeColumn(box, { text }, constants) {
  return isHigh(box, constants) && text.length !== 1;
}

/** The number whose digits are the surer ones; the first if both are equally sure. */
function chooseSurer(/** @type {ReadNumber} */ one, /** @type {ReadNumber} */ other) {
  return computeMean(other) > computeMean(one) ? other : one;
}

/** The geometric mean of a digit's confidence, by which numbers of several lengths can be compared. */
export function computeMean(/** @type {ReadNumber} */ { text, confidence }) {
  return confidence ** (1 / Math.max(1, text.length));
}

/**
 * The surest number of all ways to cut a box into digits; one without digits if no way gives one digit per part.
 * @param {ReadRow} read
 * @param {Box} box
 * @param {ColumnConstants} constants
 */
export async function readColumn(read, box, constants) {
  let best = NO_NUMBER;
  for (const way of listCuts(box, constants)) {
    const number = await read(way);
    if (number.text.length === way.length) best = chooseSurer(best, number);
  }
  return best;
}

/**
 * The ways to cut a box into equally high digits, from the top down. Parts show some of what is above and below.
 * @param {Box} box
 * @param {ColumnConstants} constants
 * @returns {Box[][]}
 */
function listCuts([left, top, right, bottom], { counts, gaps, aspect_ratios: [least, most], part_margin: margin }) {
  return counts.flatMap((count) =>
    gaps.flatMap((gap) => {
      const high = (bottom - top) / (count + (count - 1) * gap);
      const ratio = (right - left) / high;
      if (ratio <= least || ratio >= most) return [];
      const tops = Array.from({ length: count }, (_, index) => top + (index * (1 + gap) - margin) * high);
      return [tops.map((each) => /** @type {Box} */ ([left, each, right, each + (1 + 2 * margin) * high]))];
    }),
  );
}

/**
 * The numbers, where those that stand closely above one another are one number, from the top down.
 * @param {FoundNumber[]} numbers
 * @param {ColumnConstants} constants
 * @returns {FoundNumber[]}
 */
export function joinColumns(numbers, constants) {
  const waiting = numbers.filter((number) => isPiece(number, constants));
  waiting.sort((one, other) => one.box[1] - other.box[1]);
  const joined = numbers.filter((number) => !waiting.includes(number));
  for (let first = waiting.shift(); first; first = waiting.shift()) {
    const column = [first];
    for (let next = findNext(first, waiting, constants); next; next = findNext(next, waiting, constants)) {
      column.push(next);
      waiting.splice(waiting.indexOf(next), 1);
    }
    joined.push(column.length > 1 ? joinPieces(column) : first);
  }
  return joined;
}

/**
 * Whether a number may be a piece of a column: one digit, or several in a high box.
 * @param {FoundNumber} number
 * @param {ColumnConstants} constants
 */
function isPiece({ text, confidence, box }, constants) {
  return confidence >= constants.least_piece && (text.length === 1 || (text.length > 1 && isHigh(box, constants)));
}

/**
 * The surest number that follows a piece of a column.
 * @param {FoundNumber} upper
 * @param {FoundNumber[]} waiting
 * @param {ColumnConstants} constants
 */
function findNext(upper, waiting, constants) {
  const below = waiting.filter((number) => follows(upper, number, constants));
  return below.reduce(
    (/** @type {FoundNumber | undefined} */ best, each) => (best && best.confidence >= each.confidence ? best : each),
    undefined,
  );
}

/**
 * Whether two pieces are of one column.
 * @param {FoundNumber} upper
 * @param {FoundNumber} lower
 * @param {ColumnConstants} constants
 */
function follows(upper, lower, { most_aside: most, piece_gaps: gaps, most_heights: times }) {
  const [left, top, right, bottom] = upper.box;
  const [x0, y0, x1, y1] = lower.box;
  const heights = [(bottom - top) / upper.text.length, (y1 - y0) / lower.text.length];
  const low = Math.min(...heights);
  const gap = y0 - bottom;
  const beneath = gap > gaps[0] * low && gap < gaps[1] * low && Math.max(...heights) < times * low;
  return beneath && Math.abs(left + right - x0 - x1) / 2 < most * Math.max(right - left, x1 - x0);
}

/**
 * @param {FoundNumber[]} column
 * @returns {FoundNumber}
 */
function joinPieces(column) {
  const box = encloseBoxes(column.map((number) => number.box));
  return {
    text: column.map(({ text }) => text).join(""),
    truncated: false,
    confidence: column.reduce((product, { confidence }) => product * confidence, 1),
    digitConfidences: column.flatMap(({ digitConfidences }) => digitConfidences),
    corners: listCorners(box),
    box,
  };
}
