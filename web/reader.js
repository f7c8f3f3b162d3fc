/** Reads the numbers in a picture, as svhn/reading/reader.py does it: the finder locates them, the reader reads each. */

import { computeCover, isWithin, listCorners, sortBoxes, suppressOverlaps } from "./boxes.js";
import { joinColumns, readColumns } from "./columns.js";
import { computeNeeded, estimateConfidence } from "./confidence.js";
import { cropNumber, cropRow } from "./crops.js";
import { fetchFile, loadNetwork, loadRuntime } from "./network.js";
import { readRuns } from "./pieces.js";
import { findNumbers } from "./search.js";

/** @typedef {import("./resize.js").Box} Box */
/** @typedef {import("./resize.js").Picture} Picture */
/** @typedef {import("./network.js").Compute} Compute */
/** @typedef {import("./network.js").Form} Form */
/** @typedef {import("./search.js").Detection} Detection */
/**
 * What svhn/reading/page.py writes into settings.json.
 * @typedef {{version: string, megapixels: number, examples: string[], threshold: number,
 *   finder: Form, reader: Form & {margin: number}, search: Omit<import("./search.js").Search, "size">,
 *   results: ResultConstants, columns: import("./columns.js").ColumnConstants,
 *   pieces: import("./pieces.js").PieceConstants, confidence: import("./confidence.js").ConfidenceConstants}} Settings
 */
/**
 * The constants of svhn/reading/results.py, in small letters.
 * @typedef {{same_answer: [number, number], part_cover: number, whole_share: number}} ResultConstants
 */
/**
 * What the network reads in a crop. A `truncated` number has more digits than the network reads, and the text "".
 * @typedef {{text: string, truncated: boolean, confidence: number, digitConfidences: number[]}} ReadNumber
 */
/**
 * A number that was read: its confidence is the probability that the whole answer is right. `corners` are those of its
 * box, in pixels, clockwise from the top left of the number.
 * @typedef {ReadNumber & {corners: [number, number][], box: Box}} FoundNumber
 */
/**
 * What was read in a picture. Without a number, `refused` tells what was nearly read, as `svhn.Reading` does.
 * @typedef {{numbers: FoundNumber[], refused: {text: string, confidence: number, needed: number} | null,
 *   width: number, height: number}} Reading
 */

const TOO_LONG = -2; // stands in all slots of a number that is too long, as svhn/labels.py has it

export class Reader {
  /**
   * @param {Settings} settings
   * @param {Compute} finder
   * @param {Compute} network
   */
  constructor(settings, finder, network) {
    this.settings = settings;
    this.finder = finder;
    this.network = network;
  }

  /** Loads both networks. Throws an `Error` if the browser can't run them, or a file can't be fetched. */
  static async load() {
    /** @type {Settings} */
    const settings = await (await fetchFile("./settings.json")).json();
    await loadRuntime();
    const finder = await loadNetwork(settings.finder);
    return new Reader(settings, finder, await loadNetwork(settings.reader));
  }

  /**
   * @param {Picture} picture
   * @param {(share: number) => Promise<void>} pause as `findNumbers` takes it; also called before each box is read
   * @returns {Promise<Reading>}
   */
  async read(picture, pause = async () => {}) {
    const { columns } = this.settings;
    const search = { ...this.settings.search, size: this.settings.finder.size };
    const { detections, windows } = await findNumbers(this.finder, picture, search, pause);
    const shown = detections.filter(({ box }) => isWithin(box, picture));
    const boxes = shown.map(({ box }) => box);
    const read = async (/** @type {Box} */ box) => {
      await pause(1);
      return this.readCrop(cropNumber(picture, box, this.settings.reader));
    };
    const readRow = async (/** @type {Box[]} */ parts) => {
      await pause(1);
      return this.readCrop(cropRow(picture, parts, this.settings.reader));
    };
    const whole = [];
    for (const box of boxes) whole.push(await read(box));
    const cut = await readColumns(readRow, boxes, whole, columns);
    const runs = await readRuns(read, readRow, shown, whole, this.settings);
    const numbers = cut.map((number, place) => placeNumber(number, shown[place]));
    numbers.push(...runs.map(({ number, detection }) => placeNumber(number, detection)));
    return makeReading(numbers, windows, picture, this.settings);
  }

  /**
   * What the network reads in a crop.
   * @param {Picture} crop
   * @returns {Promise<ReadNumber>}
   */
  async readCrop(crop) {
    const { number, confidence, digit_confidences: probabilities } = await this.network(crop);
    const text = Array.from(number)
      .filter((digit) => digit >= 0)
      .join("");
    return {
      text,
      truncated: number[0] === TOO_LONG,
      confidence: confidence[0],
      digitConfidences: Array.from(probabilities.subarray(0, text.length)),
    };
  }
}

/**
 * @param {ReadNumber} number
 * @param {Detection} detection
 * @returns {FoundNumber}
 */
function placeNumber(number, { box, probability }) {
  return { ...number, confidence: probability * number.confidence, corners: listCorners(box), box };
}

/**
 * The answer to a picture, as svhn/reading/results.py makes it: of all numbers that were read in it, those that are sure
 * enough, each once, in order.
 * @param {FoundNumber[]} numbers
 * @param {number} windows in which the picture was searched
 * @param {Picture} picture
 * @param {Settings} settings
 * @returns {Reading}
 */
function makeReading(numbers, windows, { width, height }, { results, columns, threshold, confidence: odds }) {
  const read = leaveOutParts(
    numbers.filter(({ text, truncated }) => text || truncated),
    results,
  );
  const confidences = read.map(({ confidence }) => confidence);
  const surest = suppressOverlaps(listBoxes(read), confidences, results.same_answer).map((place) => read[place]);
  const needed = computeNeeded(threshold, windows, odds);
  const apart = joinColumns(surest, columns).map((number) => ({
    ...number,
    confidence: estimateConfidence(number.confidence, windows, odds),
  }));
  const answered = apart.filter(({ confidence }) => confidence >= needed);
  if (answered.length) {
    const ordered = sortBoxes(listBoxes(answered)).map((place) => answered[place]);
    return { numbers: ordered, refused: null, width, height };
  }
  const { text, confidence } = apart.reduce((best, each) => (each.confidence > best.confidence ? each : best), {
    text: "",
    confidence: 0,
  });
  return { numbers: [], refused: { text, confidence, needed }, width, height };
}

/**
 * The numbers of which no other one has the digits and more around the same place.
 * @param {FoundNumber[]} numbers
 * @param {ResultConstants} constants
 */
function leaveOutParts(numbers, constants) {
  return numbers.filter((number) => !numbers.some((whole) => isPart(number, whole, constants)));
}

/**
 * @param {FoundNumber} number
 * @param {FoundNumber} whole
 * @param {ResultConstants} constants
 */
function isPart(number, whole, { whole_share: share, part_cover: cover }) {
  const shared = whole.truncated || (number.text.length < whole.text.length && whole.text.includes(number.text));
  const sure = whole.confidence >= share * number.confidence;
  if (!shared || !sure || number.truncated) return false;
  return findLongerSide(number.box) < findLongerSide(whole.box) && computeCover(number.box, whole.box) >= cover;
}

function findLongerSide(/** @type {Box} */ [left, top, right, bottom]) {
  return Math.max(right - left, bottom - top);
}

function listBoxes(/** @type {FoundNumber[]} */ numbers) {
  return numbers.map(({ box }) => box);
}
