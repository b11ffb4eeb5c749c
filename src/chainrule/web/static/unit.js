// The Unit panel: one unit's weights as a picture, its z as a sum, its a on the curve of g, and what
// a target would teach it.  Every number comes from the server.

import { h, inside } from "./dom.js";
import { both, display, fixed, layered, number, plain, row, sum } from "./math.js";
import { canvas, grid, largest, signed } from "./paint.js";
import { words } from "./words.js";

const TERMS = 4, NAMED_TERMS = 8; // largest terms of the sum that have a row of their own
const DECIMALS = 4, LONG = 16; // characters of a formula with numbers that needs lines of its own
const FEW = 16; // units of which no picture is made
const svg = inside("http://www.w3.org/2000/svg");

/** Fill `el` with the panel; `wanted({ y })` is called when the reader chooses a target.
 * Without `wanted` there is none to choose: what is shown has its target. */
export function panel(el, network, wanted = null) {
  const { layers, classes } = network;
  const L = layers.length;
  // A network on a table has `image: null`: its inputs have names
  const { image = [Math.sqrt(layers[0]), Math.sqrt(layers[0])] } = network;
  const pictured = (l) => (l > 1 ? layers[l - 1] >= FEW : image);
  const shape = (l) => (l === 1 ? image : grid(layers[l - 1]));
  const ink = image ? words.ink : words.value;
  const target = h("select", { onchange: () => wanted() },
    h("option", { value: "" }, words.noTarget),
    ...classes.map((label, k) => h("option", { value: k }, words.className(label))));
  const body = h("div");
  const learn = h("div");
  const head = h("h2");
  const question = h("p", {}, h("label", {}, words.target, " ", target));
  el.replaceChildren(head, body, question, learn);

  const input = (l, i, names) => {
    if (l > 1) return words.unitName(i, l);
    if (!image) return names?.[i - 1] ?? words.input(i);
    return words.pixel(Math.ceil(i / image[1]), ((i - 1) % image[1]) + 1);
  };

  function pictures({ l, weights, adds }) {
    if (!pictured(l - 1)) return [];
    const before = l === 2 ? ink : words.activation;
    const size = shape(l - 1);
    const most = [largest(weights.subarray(1)), largest(adds.subarray(1))];
    const figures = [[weights, words.looksFor], [adds, words.weightTimes(before)]].map(
      ([values, text], k) => {
        const picture = canvas(text);
        signed(picture, values.subarray(1), size, most[k]);
        return h("figure", {}, picture, h("figcaption", {}, text));
      });
    return [h("div", { class: "pair" }, ...figures),
      h("p", { class: "note" }, words.scales(number(most[0], 2), number(most[1], 2)))];
  }

  function formulas({ l, j, z, a, numbers }) {
    const lines = [display(layered("z", l, j), "=", sum(row("i", "=", "0"), String(layers[l - 2])),
      layered("Θ", l - 1, j, "i"), both("a", "i", row("(", String(l - 1), ")")), "=", z)];
    const inLetters = [l === L ? "h" : "g", "(", layered("z", l, ...(l === L ? [] : [j])), ")"];
    const inNumbers = numbers?.replaceAll("-", "−");
    if (inNumbers?.length > LONG) {
      lines.push(display(layered("a", l, j), "=", ...inLetters),
        h("p", { class: "worked" }, `= ${inNumbers} = ${number(a)}`));
    } else {
      lines.push(display(layered("a", l, j), "=", ...(inNumbers ? [plain(inNumbers)] : inLetters), "=", a));
    }
    return lines;
  }

  function terms({ l, weights, values, adds, z, names }) {
    const order = [...adds.keys()].slice(1).sort((p, q) => Math.abs(adds[q]) - Math.abs(adds[p]));
    const most = l === 2 && !image ? NAMED_TERMS : TERMS;
    const shown = order.slice(0, most);
    const others = order.slice(most).reduce((total, i) => total + adds[i], 0);
    const line = (name, i) => h("tr", {}, h("th", { scope: "row" }, name),
      h("td", {}, fixed(weights[i], DECIMALS)), h("td", {}, i ? number(values[i], 3) : "1"),
      h("td", {}, fixed(adds[i], DECIMALS)));
    const rest = (name, value, kind) => h("tr", { class: kind }, h("th", { scope: "row", colspan: 3 }, name),
      h("td", {}, fixed(value, DECIMALS)));
    const { columns } = words;
    return h("table", { class: image ? "terms" : "terms named" },
      h("thead", {}, h("tr", {}, ...[l > 2 ? columns.unit : image ? columns.pixel : columns.input, columns.weight,
        l === 2 ? ink : words.activation, columns.adds].map((text) => h("th", { scope: "col" }, text)))),
      h("tbody", {}, line(words.bias, 0), ...shown.map((i) => line(input(l - 1, i, names), i)),
        order.length > most ? rest(words.others(order.length - most), others) : null,
        rest(words.sumOf, z, "sum")));
  }

  function curve({ g, curve_z: zs, curve_a: as, z, a }) {
    if (!zs) return null;
    const width = 260, height = 90, low = Math.min(0, ...as), high = Math.max(...as);
    const x = (value) => ((value - zs[0]) / (zs.at(-1) - zs[0])) * width;
    const y = (value) => height - 6 - ((value - low) / (high - low || 1)) * (height - 12);
    const path = [...zs].map((value, i) => `${x(value).toFixed(1)},${y(as[i]).toFixed(1)}`).join(" ");
    return svg("svg", {
      class: "curve", viewBox: `0 0 ${width} ${height}`, role: "img",
      "aria-label": words.curve(g, number(z), number(a)),
    },
    svg("path", { class: "axis", d: `M0 ${y(0)}H${width}M${x(0)} 0V${height}` }),
    svg("polyline", { class: "line", points: path }),
    svg("path", { class: "drop", d: `M${x(z)} ${y(0)}V${y(a)}` }),
    svg("circle", { class: "point", cx: x(z), cy: y(a), r: 4.5 }));
  }

  function taught({ l, j, delta, Delta, D, names }) {
    if (delta === undefined) return [];
    const example = image ? words.thisPicture : words.thisExample;
    const formula = [display(layered("δ", l, j), "=", delta),
      ...(delta ? [] : [h("p", { class: "note" }, words.noDelta(example))])];
    const lines = [...Delta.keys()];
    if (!pictured(l - 1)) return [...formula, rows(l, names, lines, Delta, D), h("p", { class: "note" }, words.backwardLine)];
    if (!delta && !D) return formula;
    const figures = Object.entries({ Δ: Delta, ...(D ? { D } : {}) }).map(([name, values]) => {
      const size = largest(values.subarray(1)), picture = canvas(words.rowOf(name));
      signed(picture, values.subarray(1), shape(l - 1), size);
      return h("figure", {}, picture, h("figcaption", {}, words.rowOf(name), h("br"), words.fullColour(number(size, 2))));
    });
    return [...formula, h("div", { class: "pair" }, ...figures), rows(l, names, lines.slice(0, 1), Delta, D),
      h("p", { class: "note" }, words.teaches), h("p", { class: "note" }, words.backwardLine)];
  }

  /** Return numbers of the unit's row of Delta, and of D where it is known; 0 is the bias's. */
  function rows(l, names, inputs, Delta, D) {
    const columns = { Δ: Delta, ...(D ? { D } : {}) };
    return h("table", { class: "rows" },
      h("thead", {}, h("tr", {}, ...[l > 2 ? words.columns.unit : words.columns.input, ...Object.keys(columns)].map((text) =>
        h("th", { scope: "col" }, text)))),
      h("tbody", {}, ...inputs.map((i) => h("tr", {}, h("th", { scope: "row" }, i ? input(l - 1, i, names) : words.bias),
        ...Object.values(columns).map((values) => h("td", {}, number(values[i])))))));
  }

  return {
    /** The class chosen as target, or undefined. */
    get y() {
      return target.value === "" ? undefined : Number(target.value);
    },
    show(values) {
      const { l, j } = values;
      question.hidden = !wanted || !classes.length;
      if (values.y !== undefined) target.value = values.y;
      head.textContent = l === L && classes.length === layers[L - 1]
        ? words.outputUnit(words.className(classes[j - 1]), l) : words.unit(j, l);
      body.replaceChildren(...pictures(values), ...formulas(values), terms(values),
        ...[curve(values)].filter(Boolean), h("p", { class: "note" }, words.forwardLine));
      learn.replaceChildren(...taught(values));
    },
    clear() {
      head.textContent = words.unitTitle;
      body.replaceChildren(h("p", { class: "note" }, words.noUnit));
      question.hidden = true;
      learn.replaceChildren();
    },
  };
}
