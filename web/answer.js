/** What the page shows of a picture: its numbers, how sure each digit is, and the picture with the numbers' boxes. */

/** @typedef {import("./reader.js").Reading} Reading */
/** @typedef {import("./reader.js").FoundNumber} FoundNumber */

const SVG = "http://www.w3.org/2000/svg";

/**
 * The reading as elements of the page.
 * @param {Reading} reading
 * @param {string} source address of the picture
 * @returns {HTMLElement[]}
 */
export function renderReading(reading, source) {
  const numbers = reading.numbers.length ? reading.numbers.map(renderNumber) : [renderRefusal(reading)];
  return [make("div", { className: "numbers" }, numbers), renderPicture(reading, source)];
}

/** @param {FoundNumber} number */
function renderNumber({ text, truncated, confidence, digitConfidences }) {
  const digits = digitConfidences.map((sure, place) =>
    make("li", {}, [make("b", {}, [text[place]]), formatShare(sure)]),
  );
  const list = make("ul", { className: "digits", ariaLabel: "each digit and how sure it is" }, digits);
  const title = make("p", { className: "number" }, [truncated ? "too long" : text]);
  return make("div", {}, [title, make("p", {}, [`${formatShare(confidence)} sure`]), list]);
}

/** @param {Reading} reading */
function renderRefusal({ refused }) {
  const title = make("p", { className: "number" }, ["no number"]);
  return make("div", {}, [title, make("p", {}, refused ? [explainRefusal(refused)] : [])]);
}

/**
 * Why a picture is answered with no number, as svhn/reading/outputs.py words it.
 * @param {NonNullable<Reading["refused"]>} refused
 */
export function explainRefusal({ text, confidence, needed }) {
  if (!text && !confidence) return "no digit was read";
  const digits = [2, 3, 4, 5, 6].find((count) => confidence.toFixed(count) !== needed.toFixed(count)) ?? 6;
  const got = `${text && `${text} `}at ${confidence.toFixed(digits)}`;
  return `${got}, where ${needed.toFixed(digits)} is needed in this picture`;
}

/**
 * @param {Reading} reading
 * @param {string} source
 */
function renderPicture({ numbers, width, height }, source) {
  const image = make("img", { src: source, alt: "the picture that was read", width, height });
  const frames = document.createElementNS(SVG, "svg");
  frames.setAttribute("viewBox", `0 0 ${width} ${height}`);
  frames.setAttribute("aria-hidden", "true");
  frames.append(...numbers.map(({ corners }) => renderFrame(corners)));
  return make("div", { className: "picture" }, [image, frames]);
}

/** The box of a number, turned as the number is. */
function renderFrame(/** @type {[number, number][]} */ corners) {
  const frame = document.createElementNS(SVG, "polygon");
  frame.setAttribute("points", corners.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" "));
  return frame;
}

function formatShare(/** @type {number} */ share) {
  return `${Math.round(100 * share)}%`;
}

/**
 * An element with properties and content.
 * @param {string} name
 * @param {Record<string, string | number>} properties
 * @param {(Node | string)[]} [content]
 */
export function make(name, properties, content = []) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...content);
  return element;
}
