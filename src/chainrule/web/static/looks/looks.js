// The pictures beside a training: what its network looks for and gets right at the theta on show.
// They are asked for at most ten times a second, and what is out of date is dropped.

import { button, h, still } from "../dom.js";
import { canvas, grey } from "../paint.js";
import { newest } from "../transport.js";
import { panel } from "../unit.js";
import { words } from "../words.js";
import { confusion } from "./confusion.js";
import { curve, predicted, regions } from "./fit.js";
import { pictures, tiles, weights } from "./units.js";

const GAP = 100; // milliseconds between two requests

// What an answer may hold, and the part that shows it, in their order on the page
const PARTS = { units: tiles, regions, curve_x: curve, classes: confusion, true: predicted, Theta: weights };

/** Fill `el`; return how another run or iteration is shown, and how it ends. */
export function mount(el, source) {
  const say = words.pictures;
  const place = h("div", { class: "looks" });
  const card = h("section", { class: "card unit", hidden: true, "aria-label": say.unitCard });
  el.replaceChildren(place);
  let parts = [], kind = "", at = null, next = 0, waiting = 0;
  let unit = null, row = 0, y, explained = null, answer = null;

  const look = newest(source.ask, heard, source.trouble);
  const explain = newest(source.ask, taught, source.trouble);

  function show(run, iteration) {
    if (at?.run !== run) {
      close();
      row = 0;
    }
    at = { run, iteration };
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      next = performance.now() + GAP;
      look("looks", at);
      if (unit) ask();
    }, Math.max(0, next - performance.now()));
  }

  function heard(given) {
    answer = given;
    const now = JSON.stringify([at.run, given.layers, Object.keys(given), given.classes]);
    if (now !== kind) {
      kind = now;
      parts = Object.entries(PARTS).filter(([name]) => name in given).map(([, part]) =>
        part(given, { unit: (j) => choose(2, j), cell: examples, row: (i) => choose(unit?.l ?? 2, unit?.j ?? 1, i) }));
      const elements = parts.map(({ element }) => element);
      elements.splice(given.units ? 1 : elements.length, 0, card); // below the units
      place.replaceChildren(...elements);
    }
    for (const part of parts) part.show(given);
  }

  /** Return the pictures or rows of a cell of the confusion matrix. */
  function examples(truth, given) {
    return source.ask("cell", { ...at, truth, given });
  }

  function choose(l, j, i = row) {
    const opened = !unit;
    y = i === row ? y : undefined;
    [unit, row] = [{ l, j }, i];
    if (opened || !explained) open();
    explained.chosen(unit, row);
    ask();
  }

  function ask() {
    explain("run-unit", { ...at, ...unit, row, ...(y === undefined ? {} : { y }) });
  }

  function open() {
    const { layers } = answer, L = layers.length;
    const layer = h("select", { onchange: () => choose(Number(layer.value), 1) },
      ...layers.slice(1).map((_, i) => h("option", { value: i + 2 }, i + 2)));
    const number = whole((value) => choose(unit.l, value));
    const which = whole((value) => choose(unit.l, unit.j, value - 1));
    which.max = answer.rows;
    const picture = canvas(say.thisRow);
    const seen = h("div", { class: "seen", hidden: true }, picture);
    const body = h("div"), most = h("div", { hidden: true });
    let same = "";
    const { image } = picturesOf(answer);
    const told = panel(body, { layers, classes: answer.classes ?? [], image }, () => {
      y = told.y;
      ask();
    });
    card.replaceChildren(
      h("div", { class: "which" }, h("label", {}, say.layerOf, " ", layer), h("label", {}, say.unitOf, " ", number)),
      h("div", { class: "which" }, h("label", {}, say.rowOf[answer.examples], " ", which), button(words.close, close)),
      seen, body, most);
    card.hidden = false;
    card.scrollIntoView({ block: "nearest", behavior: still() ? "auto" : "smooth" });
    explained = {
      chosen({ l, j }, i) {
        layer.value = l;
        number.max = layers[l - 1];
        number.value = j;
        which.value = i + 1;
      },
      show(values) {
        seen.hidden = !values.picture;
        if (values.picture) grey(picture, values.picture);
        told.show(values);
        const now = values.most?.join() ?? "";
        if (now === same) return;
        same = now;
        most.hidden = !now;
        most.replaceChildren(h("h3", {}, say.switchOn), pictures(values.most, values.most_pictures,
          (i) => say.tileOf(i + 1), (i) => choose(unit.l, unit.j, i)));
      },
    };
    layer.disabled = L < 3;
  }

  function taught(values) {
    explained?.show(values);
  }

  function close() {
    explain.forget();
    [unit, explained, y] = [null, null, undefined];
    card.hidden = true;
    card.replaceChildren();
  }

  function escaped(event) {
    if (event.key === "Escape" && unit) close();
  }

  document.addEventListener("keydown", escaped);
  return {
    show,
    end() {
      document.removeEventListener("keydown", escaped);
      clearTimeout(waiting);
      look.forget();
      explain.forget();
    },
  };
}

function picturesOf(answer) {
  return { image: answer.units ? answer.units.shape.slice(1) : null };
}

/** Return a field for a whole number from 1 to its `max`. */
function whole(changed) {
  const field = h("input", {
    type: "number", min: 1, value: 1,
    onchange: () => {
      const value = Math.min(Math.max(1, Math.round(field.valueAsNumber || 1)), Number(field.max));
      field.value = value;
      changed(value);
    },
  });
  return field;
}
