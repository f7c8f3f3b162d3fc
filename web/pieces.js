/** Numbers that the finder found in pieces, as svhn/reading/pieces.py has them: boxes in a row are read as one number. */

import { encloseBoxes } from "./boxes.js";

/** @typedef {import("./resize.js").Box} Box */
/** @typedef {import("./reader.js").ReadNumber} ReadNumber */
/** @typedef {import("./search.js").Detection} Detection */
/**
 * The constants of svhn/reading/pieces.py, in small letters.
 * @typedef {{least_confidence: number, most_gap: number, near: number, least_level: number, most_heights: number,
 *   most_pieces: number, most_runs: number}} PieceConstants
 */

/**
 * The boxes around boxes in a row that show one number together, and these numbers.
 * @param {(box: Box) => Promise<ReadNumber>} read the network, on a box of the picture
 * @param {Detection[]} detections the boxes, none of them empty
 * @param {ReadNumber[]} numbers what the network reads in each of them
 * @param {PieceConstants} constants
 */
export async function readRuns(read, detections, numbers, constants) {
  const found = [];
  for (const run of listRuns(detections, numbers, constants)) {
    const detection = joinDetections(run.map((place) => detections[place]));
    const number = await read(detection.box);
    const pieces = run.map((place) => numbers[place]);
    if (isWhole(number, pieces, constants)) found.push({ detection, number });
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
 * The places of two or more boxes that follow one another from left to right, shorter runs first.
 * @param {Detection[]} detections
 * @param {ReadNumber[]} numbers
 * @param {PieceConstants} constants
 */
function listRuns(detections, numbers, constants) {
  const places = [...detections.keys()];
  const isSingle = (/** @type {number} */ place) => numbers[place].text.length === 1;
  const following = places.map((place) =>
    places.filter((other) =>
      follows(detections[place].box, detections[other].box, isSingle(place) && isSingle(other), constants),
    ),
  );
  const { most_pieces: mostPieces, most_runs: mostRuns } = constants;
  /** @type {number[][]} */
  const runs = [];
  let last = places.map((place) => [place]);
  while (last.length && last[0].length < mostPieces && runs.length < mostRuns) {
    last = last.flatMap((run) => following[run[run.length - 1]].map((other) => [...run, other]));
    runs.push(...last);
  }
  return runs.slice(0, mostRuns);
}

/**
 * Whether a box stands at the right of another, in the same row and about as high.
 * @param {Box} one
 * @param {Box} other
 * @param {boolean} single whether one digit was read in each
 * @param {PieceConstants} constants
 */
function follows(one, other, single, { most_gap: far, near, least_level: least, most_heights: times }) {
  const heights = [one[3] - one[1], other[3] - other[1]];
  const low = Math.min(...heights);
  const level = Math.min(one[3], other[3]) - Math.max(one[1], other[1]);
  const further = other[0] > one[0] && other[2] > one[2] && other[0] - one[2] < (single ? far : near) * low;
  return further && level >= least * low && Math.max(...heights) <= times * low;
}
