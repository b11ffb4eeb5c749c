// The Draw view: a pad, what happens to the ink, what the network does with it, and one unit of it.

import { button, h } from "./dom.js";
import { canvas, grey } from "./paint.js";
import { pad } from "./pad.js";
import { bars, squares } from "./squares.js";
import { newest } from "./transport.js";
import { panel } from "./unit.js";
import { words } from "./words.js";

const FIRST = { digit: 7, seed: 21 }; // what is on the pad before anyone draws
const SPOKEN = 1000; // milliseconds between two answers that a screen reader says

/** Fill `el` with the view; return how it ends. */
export function mount(el, source) {
  const { network } = source;
  const L = network.layers.length;
  const drawn = h("canvas", { class: "pad", tabindex: 0, role: "application", "aria-label": words.pad });
  const label = h("span", { class: "label" });
  const sure = h("div"), looks = h("div", { class: "note" }), marks = h("div", { class: "marks" });
  const spoken = h("div", { class: "hidden", "aria-live": "polite" });
  const stages = Object.entries(words.stages).map(([name, text]) => ({ name, picture: canvas(text), text }));
  const layers = network.layers.slice(1, -1).map((n, i) => squares(i + 2, n, (j) => choose(i + 2, j)));
  const output = bars(L, network.classes, (j) => choose(L, j));
  const sorted = button(words.byValue, () => {
    const on = sorted.getAttribute("aria-pressed") !== "true";
    sorted.setAttribute("aria-pressed", on);
    layers.forEach((layer) => layer.sort(on));
  }, { class: "plain", "aria-pressed": "false" });
  const side = h("section", { class: "card unit" });
  const explained = panel(side, network, () => explain());
  let shown = null, chosen = unitOf(source.settings.unit), mark, said = 0, saying = 0;

  el.replaceChildren(h("div", { class: "draw" },
    h("section", { class: "card" }, h("h1", {}, words.draw), h("p", { class: "note" }, words.drawHint),
      drawn,
      h("div", { class: "buttons" }, button(words.clear, () => { mark = undefined; ink.clear(); }),
        button(words.undo, () => ink.undo())),
      h("div", { class: "read" }, label, h("div", {}, sure, looks)), marks, spoken),
    h("section", { class: "card" },
      h("h2", {}, words.happens),
      h("div", { class: "stages" }, ...stages.map(({ picture, text }) =>
        h("figure", {}, picture, h("figcaption", {}, text)))),
      h("div", { class: "head" }, h("h2", {}, words.does, " ", h("small", {}, words.clickUnit)), sorted),
      h("div", { class: "layers" }, ...layers.map(({ element }) => element), output.element)),
    side));

  const failed = (error) => error.name !== "AbortError" && source.trouble(error);
  const read = newest(source.ask, heard, failed);
  const unit = newest(source.ask, explained.show, failed);
  const ink = pad(drawn, (any) => (any ? read("ink", { ink: ink.ink(), ...(mark === undefined ? {} : { mark }) }) : nothing()),
    (down) => say(down ? words.penDown : words.penUp));

  function heard(answer) {
    const { labels, probabilities, shown: i } = answer;
    if (!labels.length) return nothing(words.tooSmall);
    shown = answer;
    label.textContent = labels[i] === "none" ? "?" : labels[i];
    sure.textContent = labels[i] === "none" ? `${words.none}, ${words.sure(probabilities[i])}` : words.sure(probabilities[i]);
    looks.textContent = words.looks(answer[`a${L}`][network.classes.indexOf(labels[i])]);
    say(words.said(labels[i] === "none" ? words.none : labels[i], probabilities[i]));
    marks.replaceChildren(...(labels.length > 1 ? [words.severalMarks(labels.length), " ",
      ...labels.map((text, k) => button(text === "none" ? "?" : text, () => { mark = k; read("ink", { ink: ink.ink(), mark }); },
        { class: "mark", "aria-pressed": String(k === i), "aria-label": words.chooseMark(k + 1, text) }))] : []));
    for (const { name, picture } of stages) grey(picture, answer[name]);
    layers.forEach((layer, k) => layer.show(answer[`a${k + 2}`]));
    output.show(answer[`a${L}`]);
    if (!chosen) chosen = first(answer);
    select();
    explain();
  }

  function nothing(text = words.nothing) {
    shown = null;
    label.textContent = "";
    sure.textContent = text;
    looks.textContent = "";
    marks.replaceChildren();
    for (const { picture } of stages) picture.width = picture.height = 1;
    layers.forEach((layer, k) => layer.show(new Float64Array(network.layers[k + 1])));
    output.show(new Float64Array(network.layers[L - 1]));
    explained.clear();
  }

  function first(answer) {
    if (L === 2) return { l: 2, j: 1 };
    const a = answer.a2;
    return { l: 2, j: a.indexOf(Math.max(...a)) + 1 };
  }

  function choose(l, j) {
    chosen = { l, j };
    source.remember({ unit: `${l},${j}` });
    select();
    explain();
  }

  function select() {
    layers.forEach((layer, k) => layer.select(chosen.l === k + 2 ? chosen.j : null));
    output.select(chosen.l === L ? chosen.j : null);
  }

  function explain() {
    if (!shown || !chosen) return;
    const x = shown.x.slice();
    x.shape = [x.length];
    const { y } = explained;
    unit("unit", { ...chosen, x, ...(y === undefined ? {} : { y }) });
  }

  function say(text) {
    clearTimeout(saying);
    saying = setTimeout(() => {
      said = performance.now();
      spoken.textContent = text;
    }, Math.max(0, said + SPOKEN - performance.now()));
  }

  function unitOf(text) {
    const [l, j] = (text ?? "").split(",").map(Number);
    return l >= 2 && l <= L && j >= 1 && j <= network.layers[l - 1] ? { l, j } : null;
  }

  async function example(digit, seed) {
    try {
      const { strokes, points } = await source.ask("example", { digit, seed });
      let at = 0;
      mark = undefined;
      ink.write(strokes.map((n) => Array.from({ length: n }, () => {
        const point = { x: 0.22 + 0.56 * points[2 * at], y: 0.16 + 0.68 * points[2 * at + 1] };
        at += 1;
        return point;
      })));
    } catch (error) {
      failed(error);
    }
  }

  function typed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
    if (/^\d$/.test(event.key)) example(Number(event.key), Math.floor(Math.random() * 2 ** 31));
  }

  document.addEventListener("keydown", typed);
  nothing();
  example(FIRST.digit, FIRST.seed);
  return () => {
    document.removeEventListener("keydown", typed);
    clearTimeout(saying);
  };
}
