/** Boxes in a picture, as svhn/images/boxes.py has them: each is left, top, right and bottom. */

/** @typedef {import("./resize.js").Box} Box */

/** Intersection over union of two boxes, 0 to 1. */
export function computeOverlap(/** @type {Box} */ one, /** @type {Box} */ other) {
  const shared = computeShared(one, other);
  return shared ? shared / (computeArea(one) + computeArea(other) - shared) : 0;
}

/** Share of the smaller one of two boxes that the other one covers, 0 to 1. */
export function computeCover(/** @type {Box} */ one, /** @type {Box} */ other) {
  const shared = computeShared(one, other);
  return shared ? shared / Math.min(computeArea(one), computeArea(other)) : 0;
}

/** The area that two boxes share. */
function computeShared(/** @type {Box} */ one, /** @type {Box} */ other) {
  const across = Math.min(one[2], other[2]) - Math.max(one[0], other[0]);
  const down = Math.min(one[3], other[3]) - Math.max(one[1], other[1]);
  return Math.max(across, 0) * Math.max(down, 0);
}

/** In squares of the box's unit. */
export function computeArea(/** @type {Box} */ [left, top, right, bottom]) {
  return (right - left) * (bottom - top);
}

/**
 * The places of the boxes that are of different things, that of the highest score first.
 * @param {Box[]} boxes
 * @param {number[]} scores
 * @param {[number, number]} limits the overlap, and the cover, from which two boxes are of the same thing
 */
export function suppressOverlaps(boxes, scores, [overlap, cover]) {
  /** @type {number[]} */
  const kept = [];
  for (const place of [...boxes.keys()].sort((one, other) => scores[other] - scores[one])) {
    const box = boxes[place];
    const others = kept.map((each) => boxes[each]);
    if (others.every((each) => computeOverlap(box, each) < overlap && computeCover(box, each) < cover)) {
      kept.push(place);
    }
  }
  return kept;
}

/**
 * The places of boxes in reading order: rows from top to bottom, and each row from left to right.
 * @param {Box[]} boxes
 */
export function sortBoxes(boxes) {
  /** @type {number[][]} */
  const rows = [];
  for (const place of [...boxes.keys()].sort((one, other) => boxes[one][0] - boxes[other][0])) {
    const middle = findMiddle(boxes[place]);
    const level = rows.filter((row) => areLevel(boxes[row[row.length - 1]], boxes[place]));
    const gaps = level.map((row) => Math.abs(findMiddle(boxes[row[row.length - 1]]) - middle));
    if (level.length) level[gaps.indexOf(Math.min(...gaps))].push(place);
    else rows.push([place]);
  }
  const means = new Map(rows.map((row) => [row, findMean(row.map((place) => findMiddle(boxes[place])))]));
  return rows.sort((one, other) => (means.get(one) ?? 0) - (means.get(other) ?? 0)).flat();
}

/** How far down the middle of a box lies. */
function findMiddle(/** @type {Box} */ [, top, , bottom]) {
  return (top + bottom) / 2;
}

function areLevel(/** @type {Box} */ one, /** @type {Box} */ other) {
  const [first, second] = [findMiddle(one), findMiddle(other)];
  return one[1] <= second && second <= one[3] && other[1] <= first && first <= other[3];
}

function findMean(/** @type {number[]} */ values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * A box without what lies outside of a picture; an empty one at its edge if all does.
 * @param {Box} box
 * @param {{width: number, height: number}} picture
 * @returns {Box}
 */
export function clipBox([left, top, right, bottom], { width, height }) {
  const [x0, x1] = [left, right].map((side) => Math.min(Math.max(side, 0), width));
  const [y0, y1] = [top, bottom].map((side) => Math.min(Math.max(side, 0), height));
  return [x0, y0, x1, y1];
}

/**
 * Whether a picture shows any of a box.
 * @param {Box} box
 * @param {{width: number, height: number}} picture
 */
export function isWithin(box, picture) {
  const [left, top, right, bottom] = clipBox(box, picture);
  return left < right && top < bottom;
}

/**
 * The smallest box around all boxes.
 * @param {Box[]} boxes
 * @returns {Box}
 */
export function encloseBoxes(boxes) {
  const [lefts, tops, rights, bottoms] = [0, 1, 2, 3].map((side) => boxes.map((box) => box[side]));
  return [Math.min(...lefts), Math.min(...tops), Math.max(...rights), Math.max(...bottoms)];
}

/**
 * @param {Box} box
 * @returns {[number, number][]}
 */
export function listCorners([left, top, right, bottom]) {
  return [
    [left, top],
    [right, top],
    [right, bottom],
    [left, bottom],
  ];
}
