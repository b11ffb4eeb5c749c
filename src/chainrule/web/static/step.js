// The Step view: the notes' Backpropagation Algorithm, one line at a time, with every number.

import { algorithm, linesOf, looped, mixed } from "./algorithm.js";
import { button, h, inside } from "./dom.js";
import { drawn } from "./drawn.js";
import { ending } from "./ending.js";
import { drawing } from "./netdrawing.js";
import { fitting, numbers } from "./numbers.js";
import { layersDrawing } from "./netsquares.js";
import { stage } from "./stage.js";
import { newest } from "./transport.js";
import { panel } from "./unit.js";
import { words } from "./words.js";

const svg = inside("http://www.w3.org/2000/svg");
const DRAWN = 12; // units a layer that are drawn as circles
const PACE = 1500; // milliseconds a line while it plays
const ICONS = {
  first: "M5 4v12M16 4L8 10l8 6z", back: "M14 4L6 10l8 6z", next: "M6 4l8 6l-8 6z", last: "M15 4v12M4 4l8 6l-8 6z",
  play: "M5 3l11 7l-11 7z", pause: "M6 4v12M14 4v12",
};
const LISTS = {
  cells: JSON.parse, hidden: (text) => text.split(",").filter(Boolean), output: String, layers: (text) => text.split(",").map(Number),
  theta: (text) => text.split(",").map(Number), X: rowsOf, Y: rowsOf,
  ...Object.fromEntries(["lam", "alpha", "seed", "digit", "y", "drawn"].map((name) => [name, Number])),
};

function rowsOf(text) {
  return text.split(";").map((row) => row.split(",").map(Number));
}

const widthOf = (canvas) => Math.max(240, canvas.clientWidth);

/** Return what the address holds for a value of a problem. */
function written(value) {
  if (Object.getPrototypeOf(value) === Object.prototype) { // what has a meaning in addresses is escaped as in JSON
    return JSON.stringify(value).replace(/[&%+#]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
  }
  return Array.isArray(value?.[0]) ? value.map((row) => row.join(",")).join(";") : String(value);
}

/** Fill `el` with the view; return how it ends. */
export function mount(el, source) {
  const end = new AbortController();
  source.ask("step_cases", {}, end.signal).then((chosen) => view(el, source, chosen, end.signal))
    .catch(source.trouble);
  return () => end.abort();
}

function view(el, source, { cases, ...choices }, signal) {
  const { settings, network } = source;
  const seven = { digit: 7, y: network.classes.indexOf("7") };
  const say = words.step;
  let caseName, problem, lines, steps, t, at, descents, units; // where the reader is
  let held = {}; // what the address held, until there is an answer to it
  let answer = null, equations = null, net = null, explained = null, built = "", pointed = null, playing = null;

  const chooser = h("select", { onchange: () => { source.trouble(null); begin(chooser.value); } },
    ...Object.keys(cases).map((name) => h("option", { value: name }, say.cases[name])));
  const code = h("div"), where = h("p", { class: "note", role: "status" });
  const controls = Object.fromEntries(["first", "back", "next", "last", "play"].map((name) => [name, icon(name)]));
  const canvas = h("div", { class: "drawn" }), legend = h("p", { class: "note told-on" }), shown = h("div", { class: "shown" });
  const why = h("details", {}, h("summary", {}, mixed(say.derivation.title)), ...say.derivation.lines.map((text) => mixed(text, h("p"))));
  const side = h("section", { class: "card unit" });
  const given = numbers(choices, network.classes, change, source.trouble);
  const ends = ending(descend, (k) => point(k));
  el.replaceChildren(h("div", { class: "step" },
    h("section", { class: "card code" },
      h("h1", {}, say.title),
      h("p", { class: "case" }, h("label", {}, say.case, " ", chooser)),
      h("div", { class: "transport" },
        h("div", { class: "buttons", role: "group", "aria-label": say.walk }, ...Object.values(controls)), where),
      code, why),
    h("section", { class: "card stage" }, canvas, legend, shown),
    h("div", { class: "below" }, given.element, ends.element, side)));

  const failed = (error) => {
    if (error.name === "AbortError") return;
    source.trouble(error);
    pause();
    if (answer) ({ t, at, descents } = answer.place);
    else if (Object.keys(held).length) begin(caseName); // the address is at fault
  };
  const compute = newest(source.ask, heard, failed);
  const explain = newest(source.ask, toldOfUnit, failed);

  function icon(name) {
    const act = { first: () => jump(0), back: () => move(-1), next: () => move(1), last: () => jump(steps.length - 1), play: toggle }[name];
    return button("", () => act(), { class: `icon icon-${name}`, "aria-label": say.controls[name], title: say.controls[name] });
  }

  function paintIcon(name, shape = name) {
    controls[name].replaceChildren(svg("svg", { viewBox: "0 0 20 20", "aria-hidden": "true" }, svg("path", { d: ICONS[shape] })),
      ...(name === "next" ? [h("span", {}, say.controls.next)] : []));
    controls[name].setAttribute("aria-label", say.controls[shape]);
  }

  /** Begin a case, with what the address holds of it. */
  function begin(name, settings = {}) {
    held = settings;
    caseName = name;
    problem = { theta: null, seed: 0, ...(name === "digit" ? seven : {}), ...cases[name] };
    for (const [key, read] of Object.entries(LISTS)) if (held[key]) problem[key] = read(held[key]);
    if (!drawn()) problem.drawn = null;
    if (held.layers && !held.theta) problem.theta = null;
    if (problem.layers?.length > 1) problem = fitting(problem);
    [t, at, descents] = ["t", "line", "descents"].map((key) => Number(held[key]) || 0);
    t = t || 1;
    units = {};
    const [l, j] = (held.unit ?? "").split(",").map(Number);
    if (l && j) units = { last: l, [l]: j };
    answer = null;
    chooser.value = name;
    compute("step", asked());
  }

  /** Return the problem as the server takes it. */
  function asked() {
    const { lam, alpha, seed } = problem;
    const common = { lam, alpha, seed, t, descents };
    if (problem.cells) return { ...common, cells: problem.cells };
    if (problem.drawn) return { ...common, x: drawn(), y: problem.y };
    if (!problem.X) return { ...common, digit: problem.digit, y: problem.y };
    const { layers, hidden, output, theta, X, Y } = problem;
    return {
      ...common, layers, hidden, output, X: table(X), Y: table(Y), ...(theta ? { theta: Float64Array.from(theta) } : {}),
    };
  }

  function table(rows) {
    const values = Float64Array.from(rows.flat());
    values.shape = [rows.length, rows[0].length];
    return values;
  }

  function heard(values) {
    if (answer || Object.keys(held).length) source.trouble(null); // else it tells what the address had
    answer = values;
    const { layers } = answer;
    if (built !== shape()) build(layers);
    if (!answer.y) descents = 0; // without a target there is no D to go down by
    at = Math.min(at, steps.length - 1);
    answer.place = { t: answer.t, at, descents };
    source.tell(problem.X ? { numbers: asked } : { reading: () => ({}) });
    if (t !== exampleAt(at)) place(exampleAt(at), at);
    given.show(problem, answer);
    ends.element.hidden = !answer.y;
    if (answer.y) ends.show(answer, { lam: problem.lam, alpha: problem.alpha, descents, printed: printed() });
    render();
  }

  const m = () => answer.costs?.length ?? 1;

  /** Return what the lines and the drawing depend on. */
  const shape = () => String([caseName, answer.layers, Boolean(answer.theta), Boolean(answer.y)]);

  /** Return the notes' digits, while the numbers are the notes'. */
  function printed() {
    const original = cases[caseName];
    const same = ["layers", "hidden", "output", "theta", "X", "Y", "lam"].every((key) => String(problem[key]) === String(original[key]));
    return original.D && same && !descents ? original : null;
  }

  function build(layers) {
    built = shape();
    lines = linesOf(layers.length, Boolean(answer.y));
    steps = lines.filter((line) => line.kind);
    const list = algorithm(lines, jump);
    code.replaceChildren(list.element);
    code.mark = list.mark;
    explained = panel(side, problem.X ? { layers, classes: [], image: null } : network);
    redraw();
  }

  function redraw() {
    const { layers, index } = answer;
    const small = index && Math.max(...layers) <= DRAWN;
    const width = widthOf(canvas);
    net = small ? drawing(layers, index, width, choose) : layersDrawing(layers, problem.X ? [] : network.classes, choose, network.image);
    canvas.replaceChildren(net.element);
  }

  /** Return the layer whose unit is explained at a line. */
  function layerAt({ kind, l }) {
    if (kind === "add") return l + 1;
    return l ?? units.last ?? 2;
  }

  function unitAt(line) {
    const l = Math.min(layerAt(line), answer.layers.length);
    const a = answer[`a${l}`];
    units[l] ??= net.large ? a.indexOf(Math.max(...a)) + 1 : 1;
    return [l, Math.min(units[l], a.length)];
  }

  function render() {
    if (!answer || answer.t !== t || answer.place.descents !== descents) return; // its answer is on the way
    const line = steps[at];
    code.mark(at);
    where.textContent = say.where({ t, m: m(), n: at + 1, lines: steps.length, descents, looped: looped(line) });
    paintIcon("play", playing ? "pause" : "play");
    const [l, j] = unitAt(line);
    const known = equations?.l === l && equations.j === j && equations.of === answer ? equations.equations : null;
    shown.replaceChildren(...stage({
      answer, line, L: answer.layers.length, m: m(), lam: problem.lam, alpha: problem.alpha, equations: known, row: j, l: l - 1,
    }));
    net.show(look(line, [l, j]));
    const begun = at >= steps.findIndex(({ kind }) => kind === "forward");
    legend.textContent = [begun ? "" : say.pressNext, net.large ? say.squares : say.legend[numbersOn(line)],
      net.partly ? say.partly : ""].filter(Boolean).join(" ");
    point(pointed);
    if (!known) explain("step_unit", { ...asked(), l, j });
    remember();
  }

  /** Return what the drawing shows at a line: the values known by then, and what is at work. */
  function look(line, chosen) {
    const order = (kind, l) => steps.findIndex((step) => step.kind === kind && (l === undefined || step.l === l));
    const L = answer.layers.length;
    const known = (kind, l) => at >= order(kind, l);
    const { kind, l } = line;
    const all = Array.from({ length: L - 1 }, (_, n) => n + 1);
    const active = {
      forward: { edges: [l - 1], units: [l] }, output: { edges: [], units: [L] }, back: { edges: [l], units: [l] },
      add: { edges: [l], units: [] }, x: { edges: [], units: [1] }, weights: { edges: all, units: [] },
      biases: { edges: all, units: [] }, descend: { edges: all, units: [] },
    }[kind] ?? { edges: [], units: [] };
    const values = { Theta: answer.theta, D: answer.D, after: answer.after, zero: answer.theta?.map(() => 0) }[numbersOn(line)];
    return {
      a: (n) => (n === 1 ? answer.a1 : known("forward", n) ? answer[`a${n}`] : null),
      delta: (n) => (n > 1 && known(n === L ? "output" : "back", n) ? answer[`delta${n}`] ?? null : null),
      on: (k) => (numbersOn(line) === "Delta" ? (answer.index[3 * k] <= l ? answer.Delta : answer.before) : values)?.[k],
      way: { forward: "forward", back: "backward" }[kind] ?? "grow",
      active: { edges: new Set(active.edges), units: new Set(active.units) },
      // No error comes back to the bias unit; of D, one line has the weights, the next the biases
      takes: (j) => ({ back: j > 0, weights: j > 0, biases: j === 0 }[kind] ?? true),
      told: (j) => kind !== "weights" || j > 0,
      picture: answer.a1, chosen,
    };
  }

  const numbersOn = ({ kind }) => ({ zero: "zero", add: "Delta", weights: "D", biases: "D", descend: "after" }[kind] ?? "Theta");

  function toldOfUnit(values) {
    equations = { ...values, of: answer };
    explained.show(values);
    render();
  }

  function choose(l, j) {
    units[l] = j;
    units.last = l;
    source.remember({ unit: `${l},${j}` });
    if (layerAt(steps[at]) === l) render();
    else explain("step_unit", { ...asked(), l, j });
  }

  // Walking

  function place(newT, newAt, newDescents = descents) {
    const anew = newT !== t || newDescents !== descents;
    [t, at, descents] = [newT, newAt, newDescents];
    if (anew) compute("step", asked());
    else render();
  }

  function move(way) {
    if (!answer) return;
    const count = m(), loop = steps.findIndex(looped), zero = loop - 1;
    const after = steps.findLastIndex(looped) + 1, end = steps.length - 1;
    if (way > 0) {
      if (at === after - 1 && t < count) place(t + 1, loop);
      else if (at === end && !answer.y) pause();
      else if (at === end) place(1, zero, descents + 1);
      else place(t, at + 1);
    } else if (at === loop && t > 1) place(t - 1, after - 1);
    else if (at <= zero && descents) place(count, end, descents - 1);
    else if (at) place(t, at - 1);
  }

  /** Return the t of a line: before the loop it is 1, behind it m. */
  function exampleAt(n) {
    if (n < steps.findIndex(looped)) return 1;
    return n > steps.findLastIndex(looped) ? m() : t;
  }

  function jump(n) {
    if (answer) place(exampleAt(n), n);
  }

  function toggle() {
    if (playing) pause();
    else {
      playing = setInterval(() => move(1), PACE);
      move(1);
    }
    paintIcon("play", playing ? "pause" : "play");
  }

  function pause() {
    clearInterval(playing);
    playing = null;
    paintIcon("play");
  }

  function descend(n) {
    if (answer) place(t, at, n === null ? 0 : descents + n);
  }

  // Changing numbers

  function change(changed) {
    const theta = changed.theta !== problem.theta;
    if (descents && theta) descents = 0; // the new weights are where the descent begins
    problem = changed;
    t = Math.min(t, problem.X?.length ?? 1);
    compute("step", asked());
  }

  function remember() {
    const original = { theta: null, seed: 0, ...seven, ...cases[caseName] };
    const changed = Object.keys(LISTS).map((key) => [key,
      problem[key] == null || written(problem[key]) === written(original[key] ?? "") ? null : written(problem[key])]);
    source.remember({
      case: caseName, ...Object.fromEntries(changed),
      t: t > 1 ? t : null, line: at || null, descents: descents || null,
    });
  }

  // Pointing at a theta_k shows it wherever it stands

  function point(k) {
    pointed = k;
    for (const each of el.querySelectorAll(".pointed")) each.classList.remove("pointed");
    if (k === null || !answer?.index || k >= answer.theta.length) return;
    for (const each of el.querySelectorAll(`[data-k="${k}"]`)) each.classList.add("pointed");
    ends.point(answer, k);
  }

  /** Lead from an arrow of the drawing to the field of its weight. */
  const pressedOn = (event) => {
    const k = event.target.closest?.("svg [data-k]")?.dataset.k;
    if (k) el.querySelector(`td[data-k="${k}"] input`)?.focus();
  };

  const over = (event) => {
    const found = event.target.closest?.("[data-k]");
    if (found) point(Number(found.dataset.k));
  };

  function pressed(event) {
    const busy = event.target.matches?.("input, select, textarea, summary, [role=slider]");
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || busy) return;
    if (event.key === " " && event.target.matches("button, a")) return; // it presses that button
    const act = {
      ArrowRight: () => move(1), ArrowLeft: () => move(-1), Home: () => jump(0), End: () => jump(steps.length - 1), " ": toggle,
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  const resized = new ResizeObserver(() => {
    if (!answer || net.large || Math.abs(net.element.width.baseVal.value - widthOf(canvas)) < 8) return;
    redraw();
    render();
  });

  for (const name of Object.keys(controls)) paintIcon(name);
  resized.observe(canvas);
  el.addEventListener("pointerover", over, { signal });
  el.addEventListener("focusin", over, { signal });
  el.addEventListener("click", pressedOn, { signal });
  source.keys.addEventListener("keydown", pressed, { signal });
  signal.addEventListener("abort", () => {
    clearInterval(playing);
    resized.disconnect();
    for (const waiting of [compute, explain]) waiting.forget();
  });
  begin(settings.case in cases ? settings.case : Object.keys(cases)[0], settings);
}
