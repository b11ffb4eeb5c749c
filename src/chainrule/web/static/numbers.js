// The numbers that go in, each of which can be changed: layers, Theta, x, y, lambda, alpha.

import { button, h } from "./dom.js";
import { drawn } from "./drawn.js";
import { heading, matrix } from "./stage.js";
import { words } from "./words.js";

const WIDE = 12; // columns of a table from which on one is looked for by name
const MOST = 1000; // units of a layer that rows are made for

/** Return a number that was typed, or null: 0,5 and −1 are numbers, too. */
export function parse(text) {
  const plain = text.trim().replace("−", "-").replace(",", ".");
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) && Number.isFinite(Number(plain)) ? Number(plain) : null;
}

/** Return the rows of pasted text: cells stand behind tabs, semicolons, or else spaces or commas. */
export function pasted(text) {
  const separator = /[\t;|]/.test(text) ? /[\t;|]/ : /[\s,]+/;
  return text.trim().split(/\r?\n/).map((line) => line.trim().split(separator).map((cell) => parse(cell)));
}

/** Return a problem whose rows and activations are as many as its layers need. */
export function fitting(problem) {
  const { layers, hidden, X, Y } = problem;
  if (Math.max(...layers) > MOST) return problem; // too many anyway, as the server says
  const fit = (rows, n) => rows.map((row) => Array.from({ length: n }, (_, c) => row[c] ?? 0));
  return {
    ...problem, X: fit(X, layers[0]), Y: fit(Y, layers.at(-1)),
    hidden: Array.from({ length: layers.length - 2 }, (_, n) => hidden[n] ?? hidden.at(-1) ?? "sigmoid"),
  };
}

/** Return the card; `changed(problem)` gets the whole problem anew, `trouble` what was no number. */
export function numbers({ activations, outputs }, classes, changed, trouble) {
  const say = words.step;
  const element = h("section", { class: "card given" });
  const said = h("p", { class: "answered", role: "status" }), notes = h("p", { class: "note" });
  let problem = null, built = "", fields = [];

  /** Return a field for a number, which is read by `get` and changed by `set`. */
  function field(label, get, set, properties = {}) {
    const input = h("input", {
      type: "text", inputmode: "decimal", "aria-label": label, ...properties,
      oninput: () => {
        const value = parse(input.value);
        if (value === null) return; // perhaps not yet: -, or 1e
        input.removeAttribute("aria-invalid");
        set(value);
      },
      onchange: () => {
        if (parse(input.value) !== null) return;
        input.setAttribute("aria-invalid", true);
        trouble(new Error(say.noNumber(label, input.value)));
      },
    });
    fields.push({ input, get });
    return input;
  }

  const labelled = (text, ...control) => h("label", {}, h("span", {}, text), ...control);
  const change = (changes) => changed(problem = { ...problem, ...changes });
  const options = (names, chosen) => names.map((name) => h("option", { value: name, selected: name === chosen }, name));

  function network() {
    const layers = h("input", {
      type: "text", value: problem.layers.join("-"), onchange: () => relayered(layers.value),
    });
    return h("div", { class: "controls" },
      labelled(say.layers, layers),
      ...problem.hidden.map((name, n) => labelled(say.hidden(n + 2), h("select", {
        onchange: (event) => change({ hidden: problem.hidden.map((each, k) => (k === n ? event.target.value : each)) }),
      }, ...options(activations, name)))),
      labelled(say.output, h("select", { onchange: (event) => change({ output: event.target.value }) },
        ...options(outputs, problem.output))));
  }

  function relayered(text) {
    const layers = text.split(/[^\d]+/).filter(Boolean).map(Number);
    if (layers.length < 2) return trouble(new Error(say.noLayers));
    return change(fitting({ ...problem, layers, theta: null }));
  }

  function digit() {
    const digits = Array.from({ length: 10 }, (_, y) => String(y));
    return h("div", { class: "controls" },
      labelled(say.digit, h("select", {
        onchange: ({ target: { value } }) => change(value ? { drawn: null, digit: Number(value), y: Number(value) } : { drawn: 1 }),
      }, ...(drawn() ? [h("option", { value: "", selected: Boolean(problem.drawn) }, say.drawn)] : []),
      ...options(digits, problem.drawn ? null : String(problem.digit)))),
      button(say.anotherHand, () => change({ seed: problem.seed + 1 }), { disabled: Boolean(problem.drawn) }),
      labelled(say.target, h("select", { onchange: (event) => change({ y: Number(event.target.value) }) },
        ...classes.map((label, k) => h("option", { value: k, selected: k === problem.y }, words.className(label))))));
  }

  function row() {
    const { columns, cells } = problem, inputs = columns.filter(({ target }) => !target);
    const set = (name, text) => change({ cells: { ...problem.cells, [name]: text } });
    const control = ({ name, categories, start, target }) => {
      const label = target ? say.targetOf(name) : name, value = cells[name] ?? start;
      const input = categories
        ? h("select", { "aria-label": label, onchange: () => set(name, input.value) },
          h("option", { value: "" }, target ? say.noTarget : say.missing),
          ...categories.map((each) => h("option", { value: each, selected: each === value }, each)))
        : h("input", { type: "text", "aria-label": label, value, onchange: () => set(name, input.value) });
      return h("label", {}, h("span", {}, label), input);
    };
    const cell = inputs.map((each) => ({ name: each.name.toLowerCase(), element: control(each) }));
    const count = h("span", { class: "note", role: "status" });
    const find = h("input", { type: "search", oninput: () => {
      for (const { name, element } of cell) element.hidden = !name.includes(find.value.toLowerCase());
      count.textContent = say.found(cell.filter(({ element: { hidden } }) => !hidden).length, cell.length);
    } });
    return [said, notes,
      h("h3", {}, say.row),
      ...(inputs.length > WIDE ? [h("p", {}, h("label", {}, say.find, " ", find), " ", count)] : []),
      h("div", { class: "row-of-table", tabindex: inputs.length > WIDE ? 0 : null, role: "group", "aria-label": say.row },
        ...cell.map((each) => each.element)),
      h("div", { class: "row-of-table" }, ...columns.filter(({ target }) => target).map(control)),
      h("p", { class: "note" }, say.withTarget)];
  }

  /** Return the answer in words: a class with its probability, or numbers in the target's units. */
  function told({ target, label, probability, h: values, outputs }) {
    if (label !== undefined) return say.answers(target, label) + say.sure(probability);
    return [...values].map((value, k) => say.answers(outputs[k] ?? target, String(+value.toPrecision(9)).replace("-", "−"))).join(", ");
  }

  function examples() {
    const { X, Y } = problem;
    const cell = (name, t, c) => h("td", {}, field(`${name}${c + 1}, t = ${t + 1}`,
      () => problem[name.toUpperCase()][t]?.[c],
      (value) => change({ [name.toUpperCase()]: problem[name.toUpperCase()].map((row, r) => (r === t ? row.map((old, k) => (k === c ? value : old)) : row)) })));
    const columns = (name, n) => Array.from({ length: n }, (_, c) => heading(n > 1 ? `${name}_${c + 1}` : name));
    return [h("h3", {}, say.examples),
      h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": say.examples, onpaste: paste },
        h("table", { class: "examples" },
          h("thead", {}, h("tr", {}, heading("t"), ...columns("x", X[0].length), ...columns("y", Y[0].length))),
          h("tbody", {}, ...X.map((row, t) => h("tr", { "data-t": t + 1 }, h("th", { scope: "row" }, t + 1),
            ...row.map((_, c) => cell("x", t, c)), ...Y[t].map((_, c) => cell("y", t, c))))))),
      h("div", { class: "buttons" },
        button(say.addRow, () => change({ X: [...X, X.at(-1)], Y: [...Y, Y.at(-1)] })),
        button(say.dropRow, () => change({ X: X.slice(0, -1), Y: Y.slice(0, -1) }), { disabled: X.length < 2 })),
      h("p", { class: "note" }, say.paste)];
  }

  function paste(event) {
    const rows = pasted(event.clipboardData.getData("text"));
    if (rows.length === 1 && rows[0].length === 1) return; // one number, into its field
    event.preventDefault();
    const K = problem.layers.at(-1), width = rows[0].length;
    if (width <= K || rows.some((row) => row.length !== width || row.includes(null))) {
      trouble(new Error(say.noRows(K)));
      return;
    }
    const layers = [width - K, ...problem.layers.slice(1)];
    change({
      layers, X: rows.map((row) => row.slice(0, -K)), Y: rows.map((row) => row.slice(-K)),
      theta: width - K === problem.layers[0] ? problem.theta : null,
    });
  }

  function weights(theta, index) {
    const { layers } = problem;
    return [h("h3", {}, say.weights),
      h("div", { class: "matrices" }, ...layers.slice(1).map((rows, n) => matrix(n + 1, rows, layers[n] + 1, index, "Theta", (k) => {
        const [l, i, j] = index.subarray(3 * k, 3 * k + 3);
        return h("td", { "data-k": k }, field(say.octave(l, i, j), () => shown.theta[k], (value) => {
          typed = (typed ?? [...shown.theta]).with(k, value);
          change({ theta: typed });
        }));
      }))),
      h("div", { class: "buttons" }, button(say.random, () => change({ theta: null, seed: problem.seed + 1 })))];
  }

  let shown = null, typed = null; // typed: the weights changed since the last answer
  return {
    element,
    /** Show a problem and what the server answered to it. */
    show(now, answer) {
      problem = now;
      shown = answer;
      if (typed !== problem.theta || typed?.every((value, k) => value === answer.theta[k])) typed = null;
      const own = problem.X !== undefined;
      const shape = JSON.stringify(problem.cells ? problem.columns : own ? [problem.layers, problem.hidden, problem.output, problem.X.length] : [problem.drawn, problem.digit, problem.y]);
      if (shape !== built) {
        const name = element.getRootNode().activeElement?.ariaLabel;
        built = shape;
        fields = [];
        element.replaceChildren(h("h2", {}, say.given),
          ...(problem.cells ? row() : [own ? network() : digit()]),
          h("div", { class: "controls" },
            labelled("λ, lam", field(say.lam, () => problem.lam, (lam) => change({ lam }))),
            labelled("α, alpha", field(say.alpha, () => problem.alpha, (alpha) => change({ alpha })))),
          ...(own ? [...examples(), ...weights(answer.theta, answer.index)] : []));
        if (name) fields.find(({ input }) => input.ariaLabel === name)?.input.focus();
      }
      if (problem.cells) {
        said.textContent = told(answer);
        notes.textContent = answer.notes.join("; ");
        element.querySelector(".controls").hidden = !answer.y;
      }
      for (const { input, get } of fields) {
        if (input === input.getRootNode().activeElement) continue; // it is being typed in
        input.value = String(+Number(get()).toPrecision(6));
        input.removeAttribute("aria-invalid");
      }
      for (const row of element.querySelectorAll("[data-t]")) row.classList.toggle("now", Number(row.dataset.t) === answer.t);
    },
  };
}
