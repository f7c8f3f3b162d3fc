/**
 * Scaling of pictures that gives the bytes that Pillow's `Image.resize` gives with Lanczos' filter and a
 * `reducing_gap` of 2, as `crop_window` in svhn/reading/windows.py calls it.
 */

/**
 * A picture in RGB: `data` holds 3 bytes per pixel, row by row.
 * @typedef {{data: Uint8Array<ArrayBuffer>, width: number, height: number}} Picture
 */
/**
 * Left, top, right and bottom, in pixels.
 * @typedef {[number, number, number, number]} Box
 */
/**
 * For each output pixel of a row or column: the first input pixel, how many of them count, and their weights.
 * @typedef {{starts: Int32Array, counts: Int32Array, weights: Int32Array, most: number}} Weights
 */

const CHANNELS = 3;
const LOBES = 3; // pixels of the output on each side of a point that Lanczos' filter takes into account
const PRECISION_BITS = 32 - 8 - 2; // of a weight as a whole number
const REDUCING_GAP = 2;
const COLUMNS_FIRST = 100; // heights over widths above which Pillow scales columns before rows

/**
 * A box of a picture, scaled to a size.
 * @param {Picture} picture
 * @param {Box} box lies within the picture
 * @param {number} width of the result, in pixels
 * @param {number} height
 * @returns {Picture}
 */
export function resize(picture, box, width, height) {
  const across = chooseFactor(box[2] - box[0], width);
  const down = chooseFactor(box[3] - box[1], height);
  if (across > 1 || down > 1) {
    const part = expandForFilter(box, picture, width, height);
    picture = reduce(picture, part, across, down);
    const [left, top] = part;
    box = [(box[0] - left) / across, (box[1] - top) / down, (box[2] - left) / across, (box[3] - top) / down];
  }
  const columns = weigh(box[0], box[2], picture.width, width);
  const rows = weigh(box[1], box[3], picture.height, height);
  if (picture.height > COLUMNS_FIRST * picture.width && height < picture.height) {
    return scaleRows(scaleColumns(picture, rows, 0, height), columns, width, 0, height);
  }
  const first = rows.starts[0];
  const last = rows.starts[height - 1] + rows.counts[height - 1];
  return scaleColumns(scaleRows(picture, columns, width, first, last), rows, first, height);
}

/** The factor by which a side is first reduced by averaging, 1 for none. */
function chooseFactor(/** @type {number} */ from, /** @type {number} */ to) {
  return Math.trunc(from / to / REDUCING_GAP) || 1;
}

/**
 * The box with the pixels around it that the filter needs.
 * @param {Box} box
 * @param {Picture} picture
 * @returns {Box} whole numbers
 */
function expandForFilter(box, picture, /** @type {number} */ width, /** @type {number} */ height) {
  const x = ((LOBES - 0.5) * (box[2] - box[0])) / width;
  const y = ((LOBES - 0.5) * (box[3] - box[1])) / height;
  return [
    Math.max(0, Math.trunc(box[0] - x)),
    Math.max(0, Math.trunc(box[1] - y)),
    Math.min(picture.width, Math.ceil(box[2] + x)),
    Math.min(picture.height, Math.ceil(box[3] + y)),
  ];
}

/**
 * A box, made smaller by averaging blocks of pixels. Blocks at the right and bottom may be smaller.
 * @param {Picture} picture
 * @param {Box} box whole numbers
 * @param {number} across width of a block
 * @param {number} down height of a block
 * @returns {Picture}
 */
export function reduce(picture, [left, top, right, bottom], across, down) {
  const width = Math.ceil((right - left) / across);
  const height = Math.ceil((bottom - top) / down);
  const data = new Uint8Array(CHANNELS * width * height);
  for (let y = 0, to = 0; y < height; y++) {
    const y0 = top + y * down;
    const y1 = Math.min(y0 + down, bottom);
    for (let x = 0; x < width; x++, to += CHANNELS) {
      const x0 = left + x * across;
      averageBlock(picture, x0, y0, Math.min(x0 + across, right), y1, data, to);
    }
  }
  return { data, width, height };
}

/** Writes the rounded mean of a block. The factor for the division is of single precision, as in Pillow. */
function averageBlock(
  /** @type {Picture} */ { data: from, width },
  /** @type {number} */ x0,
  /** @type {number} */ y0,
  /** @type {number} */ x1,
  /** @type {number} */ y1,
  /** @type {Uint8Array} */ data,
  /** @type {number} */ to,
) {
  const count = (x1 - x0) * (y1 - y0);
  const factor = Math.trunc(Math.fround(2 ** 24 / count));
  let red = count >> 1;
  let green = red;
  let blue = red;
  for (let y = y0; y < y1; y++) {
    const end = CHANNELS * (y * width + x1);
    for (let at = CHANNELS * (y * width + x0); at < end; at += CHANNELS) {
      red += from[at];
      green += from[at + 1];
      blue += from[at + 2];
    }
  }
  data[to] = (red * factor) / 2 ** 24;
  data[to + 1] = (green * factor) / 2 ** 24;
  data[to + 2] = (blue * factor) / 2 ** 24;
}

/**
 * The weights with which the pixels of a side count in each pixel of the output.
 * @param {number} from start of the part of the side that is scaled, in pixels
 * @param {number} to its end
 * @param {number} side pixels of the side
 * @param {number} size pixels of the output
 * @returns {Weights}
 */
function weigh(from, to, side, size) {
  from = Math.fround(from); // Pillow takes boxes in single precision
  const scale = Math.fround(Math.fround(to) - from) / size;
  const stretch = Math.max(scale, 1);
  const support = LOBES * stretch;
  const most = 2 * Math.ceil(support) + 1;
  const result = {
    starts: new Int32Array(size),
    counts: new Int32Array(size),
    weights: new Int32Array(size * most),
    most,
  };
  for (let index = 0; index < size; index++) {
    const center = from + (index + 0.5) * scale;
    const start = Math.max(0, Math.trunc(center - support + 0.5));
    const count = Math.min(side, Math.trunc(center + support + 0.5)) - start;
    const values = Array.from({ length: count }, (_, place) => lanczos((place + start - center + 0.5) * (1 / stretch)));
    const sum = values.reduce((total, value) => total + value, 0);
    result.starts[index] = start;
    result.counts[index] = count;
    result.weights.set(
      values.map((value) => roundWeight(sum ? value / sum : value)),
      index * most,
    );
  }
  return result;
}

/** A weight as a whole number, rounded away from zero. */
function roundWeight(/** @type {number} */ value) {
  return Math.trunc(value * 2 ** PRECISION_BITS + (value < 0 ? -0.5 : 0.5));
}

/** Lanczos' filter: a sinc function under the middle of a wider one. */
function lanczos(/** @type {number} */ x) {
  return -LOBES <= x && x < LOBES ? sinc(x) * sinc(x / LOBES) : 0;
}

function sinc(/** @type {number} */ x) {
  return x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
}

/**
 * The rows from `first` up to `last`, each scaled to a width.
 * @param {Picture} picture
 * @param {Weights} columns
 * @returns {Picture}
 */
function scaleRows(
  { data: from, width: side },
  columns,
  /** @type {number} */ width,
  /** @type {number} */ first,
  /** @type {number} */ last,
) {
  const data = new Uint8Array(CHANNELS * width * (last - first));
  for (let y = first, to = 0; y < last; y++) {
    for (let x = 0; x < width; x++, to += CHANNELS) {
      addWeighted(from, CHANNELS * (y * side + columns.starts[x]), CHANNELS, columns, x, data, to);
    }
  }
  return { data, width, height: last - first };
}

/**
 * The columns, each scaled to a height. The picture begins at row `first` of the one that `rows` are the weights for.
 * @param {Picture} picture
 * @param {Weights} rows
 * @returns {Picture}
 */
function scaleColumns({ data: from, width }, rows, /** @type {number} */ first, /** @type {number} */ height) {
  const data = new Uint8Array(CHANNELS * width * height);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += CHANNELS) {
      addWeighted(from, CHANNELS * ((rows.starts[y] - first) * width + x), CHANNELS * width, rows, y, data, to);
    }
  }
  return { data, width, height };
}

/** Writes one pixel: the weighted sum of pixels that lie `step` bytes apart, rounded and cut to 0…255. */
function addWeighted(
  /** @type {Uint8Array} */ from,
  /** @type {number} */ at,
  /** @type {number} */ step,
  /** @type {Weights} */ { counts, weights, most },
  /** @type {number} */ index,
  /** @type {Uint8Array} */ data,
  /** @type {number} */ to,
) {
  let red = 2 ** (PRECISION_BITS - 1);
  let green = red;
  let blue = red;
  const end = index * most + counts[index];
  for (let place = index * most; place < end; place++, at += step) {
    red += from[at] * weights[place];
    green += from[at + 1] * weights[place];
    blue += from[at + 2] * weights[place];
  }
  data[to] = clip(red >> PRECISION_BITS);
  data[to + 1] = clip(green >> PRECISION_BITS);
  data[to + 2] = clip(blue >> PRECISION_BITS);
}

function clip(/** @type {number} */ level) {
  return Math.min(Math.max(level, 0), 255);
}
