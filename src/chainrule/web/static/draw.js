// The Draw view: a pad, what happens to the ink, what the network does with it, and one unit of it.

import { button, h } from "./dom.js";
import { keepDrawn } from "./drawn.js";
import { examples } from "./examples.js";
import { canvas, grey } from "./paint.js";
import { pad } from "./pad.js";
import { incoming, sheet } from "./photo.js";
import { bars, squares } from "./squares.js";
import { teaching } from "./teaching.js";
import { newest } from "./transport.js";
import { panel } from "./unit.js";
import { words } from "./words.js";

const FIRST = { digit: 7, seed: 21 }; // what is on the pad before anyone draws
const SPOKEN = 1000; // milliseconds between two answers that a screen reader says
const UNIT = 200; // milliseconds between two looks into the unit: the picture that is drawn comes first

/** Fill `el` with the view; return how it ends. */
export function mount(el, source) {
  const { network } = source;
  source.tell({ reading: () => ({}) });
  if (!network.image) {
    el.replaceChildren(h("section", { class: "card" }, h("h1", {}, words.draw),
      h("p", {}, words.readsNone(network.name), h("a", { href: "#step&case=open" }, words.step.through))));
    return null;
  }
  const L = network.layers.length;
  const drawn = h("canvas", { class: "pad", tabindex: 0, role: "application", "aria-label": words.pad });
  const paper = h("div", {}, drawn); // the pad, or a photo in its place
  const label = h("span", { class: "label" });
  const sure = h("div"), looks = h("div", { class: "note" }), marks = h("div", { class: "marks" });
  const spoken = h("div", { class: "hidden", "aria-live": "polite" });
  const own = network.right !== null; // pictures that are not as the shipped network's
  const names = { ...words.stages, ...(own ? { normal: words.normal } : {}), x: words.seen(network.image) };
  const stages = Object.entries(names).map(([name, text]) => {
    const picture = canvas(text);
    return { name, picture, element: h("figure", {}, picture, h("figcaption", {}, text)) };
  });
  const layers = network.layers.slice(1, -1).map((n, i) => squares(i + 2, n, (j) => choose(i + 2, j)));
  const output = bars(L, network.classes, (j) => choose(L, j));
  const sorted = button(words.byValue, () => {
    const on = sorted.getAttribute("aria-pressed") !== "true";
    sorted.setAttribute("aria-pressed", on);
    layers.forEach((layer) => layer.sort(on));
  }, { class: "plain", "aria-pressed": "false" });
  const undo = button(words.undo, () => ink.undo());
  const file = h("input", {
    type: "file", accept: "image/*", hidden: true, onchange: () => file.files[0] && given(file.files[0]),
  });
  const taught = teaching(source, () => shown?.normal, () => (photo ? photographed({ photo: photo.number }) : send()));
  const stepped = h("p", { hidden: true }, h("a", {}, words.step.through));
  const side = h("section", { class: "card unit" });
  const explained = panel(side, network, () => explain());
  const strongest = examples();
  side.append(strongest.element);
  let shown = null, answered = null, photo = null, strongOf = null;
  let chosen = unitOf(source.settings.unit), picked = chosen !== null, mark, said = 0, saying = 0;

  el.replaceChildren(h("div", { class: "draw" },
    h("section", { class: "card" }, h("h1", {}, words.draw), h("p", { class: "note" }, words.drawHint),
      paper,
      h("div", { class: "buttons" }, button(words.clear, clear), undo,
        button(words.photo, () => file.click()), file),
      h("div", { class: "read" }, label, h("div", {}, sure, looks)), marks, taught.element, stepped, spoken),
    h("section", { class: "card" },
      h("h2", {}, words.happens),
      h("div", { class: "stages" }, ...stages.map(({ element }) => element)),
      own ? h("p", { class: "note framed" }, words.framed(network)) : null,
      h("div", { class: "head" }, h("h2", {}, words.does, " ", h("small", {}, words.clickUnit)), sorted),
      h("div", { class: "layers" }, ...layers.map(({ element }) => element), output.element)),
    side));

  const read = newest(source.ask, heard, source.trouble);
  const lookInto = newest(source.ask, look, source.trouble);
  const unit = newest(source.ask, explained.show, source.trouble, UNIT);
  const strong = newest(source.ask, strongest.show, source.trouble);
  const ink = pad(drawn, (any) => (any ? send() : nothing()), (down) => say(down ? words.penDown : words.penUp));
  const closed = incoming(el, given);

  function send() {
    read("ink", { ink: ink.ink(), ...(mark === undefined ? {} : { mark }) });
  }

  function clear() {
    mark = undefined;
    if (photo) source.remember({ photo: null });
    photo = null;
    paper.replaceChildren(drawn);
    undo.hidden = false;
    ink.clear();
  }

  function heard(answer) {
    if (!answer.labels.length) return nothing(words.tooSmall);
    answered = answer;
    const { labels, shown: i } = answer;
    marks.replaceChildren(...(labels.length > 1 ? [words.severalMarks(labels.length), " ",
      ...labels.map((text, k) => button(text === "none" ? "?" : text, () => { mark = k; send(); },
        { class: "mark", "aria-pressed": k === i, "aria-label": words.chooseMark(k + 1, text) }))] : []));
    look(answer);
  }

  async function given(file) {
    await photographed({ file: new Uint8Array(await file.arrayBuffer()), name: file.name });
  }

  /** Read a photo: a file, or the number of one that the server keeps. */
  async function photographed(asked) {
    source.trouble(null);
    sure.textContent = words.reading;
    try {
      const answer = await source.ask("photo", asked);
      nothing();
      photo = sheet(answer, (i) => lookInto("mark", { photo: answer.photo, mark: i }));
      photo.number = answer.photo;
      source.remember({ photo: photo.number }); // so that it is here again when the page is loaded anew
      paper.replaceChildren(photo.element);
      undo.hidden = true;
      answered = answer;
      const digits = answer.labels.filter((text) => text !== "none").length;
      marks.replaceChildren(h("strong", {}, words.rows(answer.numbers)), h("br"),
        answer.labels.length ? words.foundIn(digits, answer.labels.length - digits) : words.noMarks,
        ...answer.notes.map((text) => h("div", { class: "note" }, text)));
      look(answer);
    } catch (error) {
      source.trouble(error);
      sure.textContent = "";
    }
    file.value = "";
  }

  /** Show what the network made of one mark. */
  function look(answer) {
    for (const { name, picture, element } of stages) {
      if (answer[name]) grey(picture, answer[name]);
      element.hidden = !(answer[name] ?? answered[name]);
    }
    const { shown: i } = answer;
    if (i === undefined) return;
    shown = answer;
    const text = answered.labels[i], p = answered.probabilities[i];
    label.textContent = text === "none" ? "?" : text;
    sure.textContent = text === "none" ? `${words.none}, ${words.sure(p)}` : words.sure(p);
    looks.textContent = words.looks(answer[`a${L}`][network.classes.indexOf(text)]);
    say(words.said(text === "none" ? words.none : text, p));
    photo?.select(i);
    taught.show(text, i);
    stepped.hidden = false;
    stepped.firstChild.href = `#step&case=digit&drawn=1&y=${network.classes.indexOf(text)}`;
    layers.forEach((layer, k) => layer.show(answer[`a${k + 2}`]));
    output.show(answer[`a${L}`]);
    if (!picked && !active(answer)) chosen = first(answer);
    select();
    explain();
  }

  function nothing(text = words.nothing) {
    for (const waiting of [read, lookInto, unit, strong]) waiting.forget();
    shown = answered = strongOf = null;
    strongest.show(null);
    label.textContent = "";
    sure.textContent = text;
    looks.textContent = "";
    marks.replaceChildren();
    taught.show(null);
    stepped.hidden = true;
    for (const { name, picture, element } of stages) {
      picture.width = picture.height = 1;
      element.hidden = name === "contrast" || name === "mask";
    }
    layers.forEach((layer, k) => layer.show(new Float64Array(network.layers[k + 1])));
    output.show(new Float64Array(network.layers[L - 1]));
    explained.clear();
  }

  /** Whether the unit that is explained has anything to say of this picture. */
  function active(answer) {
    return chosen && answer[`a${chosen.l}`][chosen.j - 1] !== 0;
  }

  function first(answer) {
    if (L === 2) return { l: 2, j: 1 };
    const a = answer.a2;
    return { l: 2, j: a.indexOf(Math.max(...a)) + 1 };
  }

  function choose(l, j) {
    chosen = { l, j };
    picked = true;
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
    const which = `${chosen.l},${chosen.j},${network.own}`; // what was taught changes the unit, too
    if (which !== strongOf) strong("examples", chosen);
    strongOf = which;
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
      clear();
      ink.write(strokes.map((n) => Array.from({ length: n }, () => {
        const point = { x: 0.22 + 0.56 * points[2 * at], y: 0.16 + 0.68 * points[2 * at + 1] };
        at += 1;
        return point;
      })));
    } catch (error) {
      source.trouble(error);
    }
  }

  function typed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
    if (!/^\d$/.test(event.key)) return;
    event.preventDefault(); // elsewhere a digit changes the view
    example(Number(event.key), Math.floor(Math.random() * 2 ** 31));
  }

  document.addEventListener("keydown", typed);
  nothing();
  if (source.settings.photo) photographed({ photo: Number(source.settings.photo) });
  else example(FIRST.digit, FIRST.seed);
  return () => {
    document.removeEventListener("keydown", typed);
    closed();
    taught.end();
    clearTimeout(saying);
    if (shown) keepDrawn(shown.x);
  };
}
