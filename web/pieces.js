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
 * A box that was found, and what the network reads in it.
 * @typedef {Detection & {number: ReadNumber}} Piece
 */

/**
 * The boxes around boxes in a row or a column that show one number together, and these numbers.
 * @param {(box: Box) => Promise<ReadNumber>} read the network, on a box of the picture
 * @param {import("./columns.js").ReadRow} readRow
 * @param {Detection[]} detections the boxes, none of them empty
 * @param {ReadNumber[]} numbers what the network reads in each of them
 * @param {{pieces: PieceConstants, columns: ColumnConstants}} constants
 */
export async function readRuns(read, readRow, detections, numbers, { pieces, columns }) {
  const found = [];
  const all = detections.map(({ box, probability }, place) => ({ box, probability, number: numbers[place] }));
  for (const run of listRuns(pieces.row, all, pieces)) {
    const detection = joinDetections(run);
    const number = await read(detection.box);
    if (isRow(number, run, pieces)) found.push({ detection, number });
  }
  const upright = all.filter((piece) => isSingle(piece) || isHigh(piece.box, columns));
  for (const run of listRuns(pieces.column, upright, pieces)) {
    const detection = joinDetections(run);
    const number = await readColumn(readRow, detection.box, columns);
    if (isColumn(number, run, pieces)) found.push({ detection, number });
  }
  return found;
}

function isSingle(/** @type {Piece} */ { number }) {
  return number.text.length === 1;
}

/**
 * @param {Piece[]} pieces
 * @returns {Detection}
 */
function joinDetections(pieces) {
  const box = encloseBoxes(pieces.map((piece) => piece.box));
  return { box, probability: Math.min(...pieces.map(({ probability }) => probability)) };
}

/**
 * Whether the network is sure of a number that has the digits of all pieces and more, or more than it reads.
 * @param {ReadNumber} number
 * @param {Piece[]} pieces
 * @param {PieceConstants} constants
 */
function isRow({ text, truncated, confidence }, pieces, { least_confidence: least }) {
  const texts = pieces.map(({ number }) => number.text);
  const holdsAll = texts.every((each) => text.includes(each) && each.length < text.length);
  return (truncated || holdsAll) && confidence >= least;
}

/**
 * Whether the network is sure, in the mean, of the digits of a number that has those of all pieces of one digit.
 * @param {ReadNumber} number
 * @param {Piece[]} pieces
 * @param {PieceConstants} constants
 */
function isColumn(number, pieces, { least_confidence: least }) {
  const digits = pieces.filter(isSingle).map((piece) => piece.number.text);
  return digits.every((digit) => number.text.includes(digit)) && computeMean(number) >= least;
}

/**
 * Two or more pieces that follow one another, longer runs first. Those that are read are few.
 * @param {Way} way
 * @param {Piece[]} pieces
 * @param {PieceConstants} constants
 */
function listRuns(way, pieces, { most_pieces: mostPieces, most_runs: mostRuns, least_level: level }) {
  const follow = (/** @type {Piece} */ piece) =>
    pieces.filter((other) => follows(way, piece.box, other.box, isSingle(piece) && isSingle(other), level));
  const following = new Map(pieces.map((piece) => [piece, follow(piece)]));
  /** @type {Piece[][]} */
  const runs = [];
  let last = pieces.map((piece) => [piece]);
  while (last.length && last[0].length < mostPieces && runs.length < mostRuns) {
    last = last
      .slice(0, mostRuns)
      .flatMap((run) => (following.get(run[run.length - 1]) ?? []).map((other) => [...run, other]));
    runs.push(...last);
  }
  const mostRead = way[4];
  return runs.sort((one, other) => other.length - one.length).slice(0, mostRead);
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
