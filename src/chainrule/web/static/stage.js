// What one line of the algorithm computes: its formula in letters, then in numbers, and a table.

import { h } from "./dom.js";
import { fixed, inline, layered, number } from "./math.js";
import { formula, notation } from "./notation.js";
import { words } from "./words.js";

const ROWS = 12; // units of a table; of a larger layer those with the largest values
const WHERE = ", where ";
const WRITTEN = 5; // of a row of Delta or D, how many are written out

/** Return the parts of the card for a line: { answer, line, unit, row, m, lam, alpha }. */
export function stage(shown) {
  const { letters, numbers, table } = KINDS[shown.line.kind](shown);
  const { numbers: title } = words.step, written = (numbers ?? []).filter(Boolean);
  return [
    h("h2", {}, words.step.computes),
    ...letters.map((text) => formula(text, h("p", { class: "formula" }))),
    ...(written.length ? [h("h3", {}, title), ...written.map((text) => formula(text, h("p", { class: "formula in-numbers" })))] : []),
    ...(table ?? []),
  ];
}

const KINDS = {
  given({ answer: { formulas }, L }) {
    return {
      letters: [
        "J(Theta) = 1/m sum_t cost(t) + lambda/(2m) sum_l sum_i sum_j (Theta(l)_ij)^2, j > 0",
        `cost(t) = ${formulas.cost}, h = a(${L})`,
      ],
      table: [h("p", { class: "note" }, words.step.goal)],
    };
  },
  zero: ({ answer }) => ({
    letters: ["Delta(l)_ij := 0"], table: matrices(answer, "Delta", () => 0),
  }),
  x: ({ answer }) => ({
    letters: ["a(1) := x(t)"],
    table: [units(1, [["a", answer.a1]])],
  }),
  forward({ answer, line: { l }, L, row, equations }) {
    const { g, h: last } = answer.formulas;
    return {
      letters: [
        `z(${l}) = Theta(${l - 1}) [1; a(${l - 1})]`,
        l === L ? `a(${l}) = h(z(${l})), h(z) = ${last}` : `a(${l}) = g(z(${l})), g(z) = ${g[l - 2]}`,
      ],
      numbers: [equation(equations?.z), equation(equations?.a)],
      table: [units(l, [["z", answer[`z${l}`]], ["a", answer[`a${l}`]]], row)],
    };
  },
  output({ answer, L, row, equations }) {
    return {
      letters: [`delta(${L}) = ${answer.formulas.delta.replace("- y", "- y(t)")}`],
      numbers: [equation(equations?.delta)],
      table: [units(L, [["a", answer[`a${L}`]], ["y", answer.y], ["delta", answer[`delta${L}`]]], row),
        cost(answer)],
    };
  },
  back({ answer, line: { l }, row, equations }) {
    return {
      letters: [`delta(${l}) = (Theta(${l})^T delta(${l + 1})) .* g'(z(${l})), g'(z) = ${answer.formulas.slope[l - 2]}`],
      numbers: [equation(equations?.delta)],
      table: [units(l, [["z", answer[`z${l}`]], ["a", answer[`a${l}`]], ["slope", answer[`slope${l}`]],
        ["back", answer[`back${l}`]], ["delta", answer[`delta${l}`]]], row)],
    };
  },
  add({ answer, line: { l }, row }) {
    const { before, Delta } = answer, a = answer[`a${l}`], delta = answer[`delta${l + 1}`];
    return {
      letters: [`Delta(${l}) := Delta(${l}) + delta(${l + 1}) [1; a(${l})]^T`],
      numbers: Delta && written(answer, l, row, (k, i, j) =>
        `Delta(${l})_${name(i, j)} := ${text(before[k])} + ${bracketed(delta[i - 1])} * ${j ? bracketed(a[j - 1]) : 1} = ${text(Delta[k])}`),
      table: Delta ? matrices(answer, "Delta", (k) => Delta[k], (k) => answer.index[3 * k] === l) : large(),
    };
  },
  weights: (shown) => gradient(shown, true),
  biases: (shown) => gradient(shown, false),
  descend({ answer, alpha, row, l }) {
    const { theta, D, after, J } = answer;
    return {
      letters: ["Theta(l)_ij := Theta(l)_ij - alpha D(l)_ij"],
      numbers: [
        ...(theta ? written(answer, l, row, (k, i, j) =>
          `Theta(${l})_${name(i, j)} := ${bracketed(theta[k])} - ${text(alpha)} * ${bracketed(D[k])} = ${text(after[k])}`) : []),
        `J: ${text(J.at(-2))} → ${text(J.at(-1))}`],
      table: theta ? matrices(answer, "Theta", (k) => after[k]) : large(),
    };
  },
};

function gradient({ answer, m, lam, row, l }, weights) {
  const { theta, Delta, D } = answer;
  const fits = (k) => (answer.index[3 * k + 2] > 0) === weights;
  return {
    letters: [weights ? "D(l)_ij := 1/m (Delta(l)_ij + lambda Theta(l)_ij), j > 0" : "D(l)_i0 := 1/m Delta(l)_i0"],
    numbers: D && written(answer, l, row, (k, i, j) => fits(k) && (weights
      ? `D(${l})_${name(i, j)} := 1/${m} (${text(Delta[k])} + ${text(lam)} * ${bracketed(theta[k])}) = ${text(D[k])}`
      : `D(${l})_${name(i, j)} := 1/${m} * ${bracketed(Delta[k])} = ${text(D[k])}`)),
    table: D ? [...matrices(answer, "D", (k) => (weights && !fits(k) ? null : D[k]), fits), h("p", { class: "note" }, words.step.bias)]
      : large(),
  };
}

const large = () => [h("p", { class: "note" }, words.step.large)];
const text = (value) => number(value, 6).replace("−", "-");
const bracketed = (value) => (value < 0 ? `(${text(value)})` : text(value));

/** Return the index of a weight: 31, or 3,10 where the digits would run together. */
export const name = (i, j) => (i < 10 && j < 10 ? `${i}${j}` : `${i},${j}`);

/** Return an equation in letters, numbers and its result; then what its letters stand for. */
function equation(lines) {
  if (!lines) return "";
  const [letters, where] = lines[0].split(WHERE);
  return [letters, ...lines.slice(1)].join(" = ") + (where ? `${WHERE}${where}` : "");
}

/** Return what `write` says of the first weights of row i of Theta(l). */
function written({ index }, l, row, write) {
  const all = [];
  for (let k = 0; k < index.length / 3; k++) {
    const [kl, i, j] = index.subarray(3 * k, 3 * k + 3);
    if (kl === l && i === row) all.push(write(k, i, j));
  }
  const some = all.filter(Boolean);
  return some.length > WRITTEN ? [...some.slice(0, WRITTEN), "..."] : some;
}

/** Return a table of a layer's units, one a row. */
function units(l, columns, picked) {
  const [, values] = columns.at(-1);
  let shown = [...values.keys()];
  if (shown.length > ROWS) {
    shown = shown.sort((p, q) => Math.abs(values[q]) - Math.abs(values[p])).slice(0, ROWS);
  }
  const head = { z: `z(${l})`, a: `a(${l})`, y: "y(t)", delta: `delta(${l})`, slope: "g'", back: `Theta(${l})^T delta(${l + 1})` };
  const { unit, others } = words.step;
  return h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": words.step.unitsOf(l) }, h("table", { class: "values" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, unit), ...columns.map(([name]) =>
      heading(head[name])))),
    h("tbody", {}, ...shown.map((n) => h("tr", { class: n + 1 === picked ? "picked" : null }, h("th", { scope: "row" }, n + 1),
      ...columns.map(([, each]) => h("td", {}, number(each[n]))))),
    values.length > shown.length ? h("tr", {}, h("th", { scope: "row", colspan: columns.length + 1 }, others(values.length - shown.length))) : null)));
}

/** Return the head of a column: a formula, and for screen readers a text. */
export function heading(text) {
  const shown = h("span", { "aria-hidden": "true" }, notation(text));
  return h("th", { scope: "col" }, shown, h("span", { class: "hidden" }, text));
}

function cost({ formulas, costs, t }) {
  return formula(`cost(${t}) = ${formulas.cost} = ${text(costs[t - 1])}`, h("p", { class: "formula" }));
}

/** Return a matrix for each Theta(l), Delta(l) or D(l); `value(k)` may be null. */
function matrices({ layers, index }, letter, value, marked = () => false) {
  if (!index) return large();
  return [h("div", { class: "matrices" }, ...layers.slice(1).map((rows, n) =>
    matrix(n + 1, rows, layers[n] + 1, index, letter, (k) => {
      const shown = value(k);
      return h("td", { "data-k": k, class: marked(k) ? "now" : null }, shown === null ? "·" : fixed(shown, 4));
    })))];
}

/** Return the table of a matrix with the layout of Theta(l); `cell(k)` makes each. */
export function matrix(l, rows, columns, index, letter, cell) {
  const body = Array.from({ length: rows }, (_, i) => h("tr", {}, h("th", { scope: "row" }, i + 1)));
  for (let k = 0; k < index.length / 3; k++) {
    if (index[3 * k] === l) body[index[3 * k + 1] - 1].append(cell(k));
  }
  const symbol = { Theta: "Θ", Delta: "Δ", D: "D" }[letter];
  const typed = body[0].querySelector("input"); // then the keyboard gets in anyway
  return h("div", { class: "scroll", tabindex: typed ? null : 0, role: "group", "aria-label": words.step.matrix(letter, l) },
    h("table", { class: "matrix" },
      h("caption", {}, inline(layered(symbol, l))),
      h("thead", {}, h("tr", {}, heading("i"), ...Array.from({ length: columns }, (_, j) => heading(`j = ${j}`)))),
      h("tbody", {}, ...body)));
}
