/** Reads the numbers in a picture, as svhn/reading/reader.py does it: the finder locates them, the reader reads each. */

import { sortBoxes, suppressOverlaps } from "./boxes.js";
import { fetchFile, loadNetwork, loadRuntime } from "./network.js";
import { resize } from "./resize.js";
import { computeNeeded, findNumbers } from "./search.js";

/** @typedef {import("./resize.js").Box} Box */
/** @typedef {import("./resize.js").Picture} Picture */
/** @typedef {import("./network.js").Compute} Compute */
/** @typedef {import("./network.js").Form} Form */
/** @typedef {import("./search.js").Detection} Detection */
/**
 * What svhn/reading/page.py writes into settings.json.
 * @typedef {{version: string, megapixels: number, examples: string[], threshold: number,
 *   finder: Form, reader: Form & {margin: number}, search: Omit<import("./search.js").Search, "size">,
 *   results: {same_answer: [number, number]}}} Settings
 */
/**
 * A number that was read: its confidence is the probability that the whole answer is right. `corners` are those of its
 * box, in pixels, clockwise from the top left of the number. A `truncated` one has more digits than the network reads,
 * and the text "".
 * @typedef {{text: string, truncated: boolean, confidence: number, digitConfidences: number[],
 *   corners: [number, number][], box: Box}} FoundNumber
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
   * @param {(share: number) => Promise<void>} pause as `findNumbers` takes it
   * @returns {Promise<Reading>}
   */
  async read(picture, pause = async () => {}) {
    const { threshold, results } = this.settings;
    const search = { ...this.settings.search, size: this.settings.finder.size };
    const { detections, windows } = await findNumbers(this.finder, picture, search, pause);
    const numbers = [];
    for (const detection of detections) numbers.push(...(await this.readDetection(picture, detection)));
    return makeReading(numbers, computeNeeded(threshold, windows, search), picture, results.same_answer);
  }

  /**
   * The number in a box of the finder; nothing if the box is empty.
   * @param {Picture} picture
   * @param {Detection} detection
   * @returns {Promise<FoundNumber[]>}
   */
  async readDetection(picture, { box, probability }) {
    const { margin, size } = this.settings.reader;
    const [left, top, right, bottom] = clip(box, picture);
    if (left >= right || top >= bottom) return [];
    const crop = resize(picture, expand(box, margin, picture), size[1], size[0]);
    const { number, confidence, digit_confidences: probabilities } = await this.network(crop);
    const text = Array.from(number)
      .filter((digit) => digit >= 0)
      .join("");
    return [
      {
        text,
        truncated: number[0] === TOO_LONG,
        confidence: probability * confidence[0],
        digitConfidences: Array.from(probabilities.subarray(0, text.length)),
        corners: listCorners(box),
        box,
      },
    ];
  }
}

/**
 * The answer to a picture, as svhn/reading/results.py makes it: of all numbers that were read in it, those that are sure
 * enough, each once, in order.
 * @param {FoundNumber[]} numbers
 * @param {number} needed least confidence of an answer, 0 to 1
 * @param {Picture} picture
 * @param {[number, number]} limits as `suppressOverlaps` takes them
 * @returns {Reading}
 */
function makeReading(numbers, needed, { width, height }, limits) {
  const read = numbers.filter(({ text, truncated }) => text || truncated);
  const confidences = read.map(({ confidence }) => confidence);
  const apart = suppressOverlaps(listBoxes(read), confidences, limits).map((place) => read[place]);
  const answered = apart.filter(({ confidence }) => confidence >= needed);
  if (answered.length) {
    const ordered = sortBoxes(listBoxes(answered)).map((place) => answered[place]);
    return { numbers: ordered, refused: null, width, height };
  }
  const { text, confidence } = apart[0] ?? { text: "", confidence: 0 };
  return { numbers: [], refused: { text, confidence, needed }, width, height };
}

function listBoxes(/** @type {FoundNumber[]} */ numbers) {
  return numbers.map(({ box }) => box);
}

/**
 * A box with a margin, a share of its width and height on each side, clipped to the picture.
 * @param {Box} box
 * @param {number} margin
 * @param {Picture} picture
 */
function expand([left, top, right, bottom], margin, picture) {
  const across = margin * (right - left);
  const down = margin * (bottom - top);
  return clip([left - across, top - down, right + across, bottom + down], picture);
}

/**
 * @param {Box} box
 * @param {Picture} picture
 * @returns {Box}
 */
function clip([left, top, right, bottom], { width, height }) {
  return [Math.max(left, 0), Math.max(top, 0), Math.min(right, width), Math.min(bottom, height)];
}

/**
 * @param {Box} box
 * @returns {[number, number][]}
 */
function listCorners([left, top, right, bottom]) {
  return [
    [left, top],
    [right, top],
    [right, bottom],
    [left, bottom],
  ];
}
