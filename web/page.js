/** The page: takes pictures that are dropped, pasted, chosen or clicked, and shows what was read in them. */

import { make, renderReading } from "./answer.js";
import { fetchFile } from "./network.js";
import { openPicture } from "./picture.js";
import { Reader } from "./reader.js";

const [status, answer, examples] = ["status", "answer", "examples"].map(find);
const progress = /** @type {HTMLProgressElement} */ (find("progress"));
const chooser = /** @type {HTMLInputElement} */ (find("chooser"));
const READY = "Ready: the pictures stay on this device.";

let turns = 0; // pictures so far: only the latest one is read to its end
let shown = ""; // address of the picture that is shown

const loading = Reader.load(); // pictures that come before it is done wait for it
loading.then(start, (error) => showError("The networks can't be loaded", error));

/** The element of the page with an id. */
function find(/** @type {string} */ id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** @param {Reader} reader */
function start({ settings }) {
  if (!turns) status.textContent = READY;
  find("version").textContent = settings.version;
  examples.append(...settings.examples.map(makeExample));
}

/** A button that reads one of the pictures that come with the page. */
function makeExample(/** @type {string} */ name) {
  const button = make("button", { type: "button", ariaLabel: `read the example ${name}` }, [
    make("img", { src: `./examples/${name}`, alt: "" }),
  ]);
  button.addEventListener("click", () => readFile(async () => (await fetchFile(`./examples/${name}`)).blob()));
  return button;
}

/**
 * Reads a picture and shows the answer, unless another picture comes in between.
 * @param {() => Blob | Promise<Blob>} getFile
 */
async function readFile(getFile) {
  const turn = ++turns;
  status.textContent = "Reading …";
  try {
    const [reader, file] = await Promise.all([loading, getFile()]);
    const picture = await openPicture(file, reader.settings.megapixels);
    const reading = await reader.read(picture, (share) => pause(turn, share));
    if (turn !== turns) return;
    URL.revokeObjectURL(shown);
    shown = URL.createObjectURL(file);
    answer.replaceChildren(...renderReading(reading, shown));
    status.textContent = READY;
  } catch (error) {
    if (turn === turns) showError("Not read", error);
  } finally {
    if (turn === turns) progress.hidden = true;
  }
}

/** Lets the browser draw the page and take clicks; ends the reading if another picture has come. */
async function pause(/** @type {number} */ turn, /** @type {number} */ share) {
  await new Promise((resolve) => setTimeout(resolve));
  if (turn !== turns) throw new Error("another picture has come");
  progress.hidden = false;
  progress.value = share;
}

function showError(/** @type {string} */ what, /** @type {unknown} */ error) {
  status.textContent = "";
  const reason = error instanceof Error ? error.message : String(error);
  answer.replaceChildren(make("p", { role: "alert" }, [make("b", {}, [`${what}: `]), reason]));
}

/** The first file that was dropped or pasted. Says so if there is none. */
function readFirst(/** @type {FileList | undefined | null} */ files) {
  const file = files?.[0];
  readFile(() => {
    if (!file) throw new Error("no file came along: drop or paste a picture file, or choose one");
    return file;
  });
}

chooser.addEventListener("change", () => {
  if (chooser.files?.length) readFirst(chooser.files);
  chooser.value = ""; // so that the same file can be chosen again
});
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  readFirst(event.dataTransfer?.files);
});
document.addEventListener("paste", (event) => readFirst(event.clipboardData?.files));
