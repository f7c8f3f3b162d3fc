/**
 * Numbers that the finder found in pieces, as svhn/reading/pieces.py has them: boxes that follow one another are read as
 * one number, too.
 */

import { encloseBoxes } from "./boxes.js";
import { computeMean, isHigh, readColumn } from "./columns.js";

/** @typedef {import("./resize.js").Box} Box */
/** @typedef {import("./reader.js").ReadNumber} ReadNumber */
/** @typedef {import("./search.js").Detection} Detection */
/** @typedef {import("./columns.js").ColumnConstants} ColumnConstants */
/**
 * How pieces of a number follow one another: the fields of `Way` in svhn/reading/pieces.py, in their order.
 * @typedef {[side: number, mostGap: number, near: number, mostRatio: number, mostRead: number]} Way
 */
/**
 * The constants of svhn/reading/pieces.py, in small letters.
 * @typedef {{least_confidence: number, least_level: number, most_pieces: number, most_runs: number, row: Way,
 *   column: Way}} PieceConstants
 */

/**
 * The boxes around boxes in a row or a column that show one number together, and these numbers.
 * @param {(box: Box) => Promise<ReadNumber>} read the network, on a box of the picture
 * @param {Detection[]} detections the boxes, none of them empty
 * @param {ReadNumber[]} numbers what the network reads in each of them
 * @param {{pieces: PieceConstants, columns: ColumnConstants}} constants
 */
export async function readRuns(read, detections, numbers, { pieces, columns }) {
  const found = [];
  const all = [...detections.keys()];
  const isSingle = (/** @type {number} */ place) => numbers[place].text.length === 1;
  const boxOf = (/** @type {number} */ place) => detections[place].box;
  for (const run of listRuns(pieces.row, all, boxOf, isSingle, pieces)) {
    const detection = joinDetections(run.map((place) => detections[place]));
    const number = await read(detection.box);
    const parts = run.map((place) => numbers[place]);
    if (isWhole(number, parts, pieces)) found.push({ detection, number });
  }
  const upright = all.filter((place) => isSingle(place) || isHigh(boxOf(place), columns));
  for (const run of listRuns(pieces.column, upright, boxOf, isSingle, pieces)) {
    const detection = joinDetections(run.map((place) => detections[place]));
    const number = await readColumn(read, detection.box, columns);
    if (computeMean(number) >= pieces.least_confidence) found.push({ detection, number });
  }
  return found;
}

/**
 * @param {Detection[]} pieces
 * @returns {Detection}
 */
function joinDetections(pieces) {
  const box = encloseBoxes(pieces.map((piece) => piece.box));
  return { box, probability: Math.min(...pieces.map(({ probability }) => probability)) };
}

/**
 * Whether the network is sure of a number that has the digits of all pieces, or more than the network reads.
 * @param {ReadNumber} number
 * @param {ReadNumber[]} pieces
 * @param {PieceConstants} constants
 */
function isWhole({ text, truncated, confidence }, pieces, { least_confidence: least }) {
  const holdsAll = truncated || (text && pieces.every((piece) => text.includes(piece.text)));
  return holdsAll && confidence >= least;
}

/**
 * The places of two or more boxes that follow one another, longer runs first.
 * @param {Way} way
 * @param {number[]} places
 * @param {(place: number) => Box} boxOf
 * @param {(place: number) => boolean} isSingle whether one digit was read in it
 * @param {PieceConstants} constants
 */
function listRuns(way, places, boxOf, isSingle, { most_pieces: mostPieces, most_runs: mostRuns, least_level: level }) {
  const follow = (/** @type {number} */ place) =>
    places.filter((other) => follows(way, boxOf(place), boxOf(other), isSingle(place) && isSingle(other), level));
  const following = new Map(places.map((place) => [place, follow(place)]));
  /** @type {number[][]} */
  const runs = [];
  let last = places.map((place) => [place]);
  while (last.length && last[0].length < mostPieces && runs.length < mostRuns) {
    last = last.flatMap((run) => (following.get(run[run.length - 1]) ?? []).map((other) => [...run, other]));
    runs.push(...last);
  }
  const mostRead = way[4];
  return runs
    .slice(0, mostRuns)
    .sort((one, other) => other.length - one.length)
    .slice(0, mostRead);
}

/**
 * Whether a box stands behind another, level with it and about as broad.
 * @param {Way} way
 * @param {Box} one
 * @param {Box} other
 * @param {boolean} single whether one digit was read in each
 * @param {number} leastLevel
 */
function follows([side, mostGap, nearGap, mostRatio], one, other, single, leastLevel) {
  const [near, far, begin, end] = [side, side + 2, 1 - side, 3 - side];
  const breadths = [one[end] - one[begin], other[end] - other[begin]];
  const small = Math.min(...breadths);
  const level = Math.min(one[end], other[end]) - Math.max(one[begin], other[begin]);
  const gap = other[near] - one[far];
  const behind = other[near] > one[near] && other[far] > one[far] && gap < (single ? mostGap : nearGap) * small;
  return behind && level >= leastLevel * small && Math.max(...breadths) <= mostRatio * small;
}
