// A fit that can be drawn whole: the regions of the classes over two inputs, the curve over one, and
// predicted beside true numbers.  Each has a table for those who do not see it.

import { h, inside } from "../dom.js";
import { number } from "../math.js";
import { words } from "../words.js";

const svg = inside("http://www.w3.org/2000/svg");
const WIDTH = 300, HEIGHT = 230, LEFT = 44, RIGHT = 8, TOP = 8, BOTTOM = 36;
const COLOURS = [[0, 114, 178], [213, 94, 0], [0, 158, 115], [204, 121, 167], [230, 159, 0], [86, 180, 233], [240, 228, 66], [90, 90, 90]];
const MARKS = [
  "M-3.2 0a3.2 3.2 0 1 0 6.4 0a3.2 3.2 0 1 0-6.4 0", "M-3-3h6v6h-6z", "M0-4l4 4-4 4-4-4z", "M0-4l3.8 6.6h-7.6z",
  "M0 4l3.8-6.6h-7.6z", "M-4-1.2h2.8v-2.8h2.4v2.8h2.8v2.4h-2.8v2.8h-2.4v-2.8h-2.8z", "M-3.4-3.4l6.8 0-6.8 6.8 6.8 0z", "M0-4.4l1.3 3.1h3.1l-2.5 2 1 3.3-2.9-2-2.9 2 1-3.3-2.5-2h3.1z",
];
const ALPHA = 95; // of 255: a map behind its points
const TWIN = 9; // lines and columns of a map's table

/** Return round numbers within a range, about five. */
function ticks(low, high) {
  const rough = (high - low) / 4 || 1, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((size) => size >= rough);
  return Array.from({ length: 7 }, (_, i) => (Math.ceil(low / step) + i) * step).filter((value) => value <= high);
}

/** Return the smallest and the largest finite number of some lists. */
function range(...lists) {
  const [low, high] = lists.reduce((ends, list) => list.filter(Number.isFinite).reduce(
    ([a, b], value) => [Math.min(a, value), Math.max(b, value)], ends), [Infinity, -Infinity]);
  return low <= high ? [low, high] : [0, 1];
}

/** Return a frame with axes, and how values become places in it. */
function frame(label, names) {
  const axes = svg("g", { class: "axes" }), inner = svg("g");
  const element = svg("svg", { class: "diagram", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label }, inner, axes);
  let low = [0, 0], high = [1, 1];
  const x = (value) => LEFT + ((value - low[0]) / (high[0] - low[0] || 1)) * (WIDTH - LEFT - RIGHT);
  const y = (value) => HEIGHT - BOTTOM - ((value - low[1]) / (high[1] - low[1] || 1)) * (HEIGHT - TOP - BOTTOM);
  return {
    element, inner, x, y,
    over([left, right], [bottom, top]) {
      [low, high] = [[left, bottom], [right, top]];
      const text = (value) => number(+value.toPrecision(6), 4);
      axes.replaceChildren(
        svg("rect", { class: "axis", x: LEFT, y: TOP, width: WIDTH - LEFT - RIGHT, height: HEIGHT - TOP - BOTTOM }),
        ...ticks(left, right).flatMap((value) => [
          svg("path", { class: "axis", d: `M${x(value)} ${HEIGHT - BOTTOM}v4` }),
          svg("text", { x: x(value), y: HEIGHT - BOTTOM + 15, "text-anchor": "middle" }, text(value))]),
        ...ticks(bottom, top).flatMap((value) => [
          svg("path", { class: "axis", d: `M${LEFT} ${y(value)}h-4` }),
          svg("text", { x: LEFT - 6, y: y(value) + 3.5, "text-anchor": "end" }, text(value))]),
        svg("text", { x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 5, "text-anchor": "middle" }, names[0]),
        svg("text", { x: 11, y: (HEIGHT - BOTTOM) / 2, "text-anchor": "middle", transform: `rotate(-90 11 ${(HEIGHT - BOTTOM) / 2})` }, names[1]));
    },
    label: (text) => element.setAttribute("aria-label", text),
  };
}

const mark = (k, x, y) => svg("path", { class: `mark c${k % MARKS.length}`, d: MARKS[k % MARKS.length], transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})` });
const line = (name, xs, ys) => svg("polyline", { class: name, points: Array.from(xs, (x, i) => `${x.toFixed(1)},${ys[i].toFixed(1)}`).join(" ") });

function table(caption, heads, rows) {
  return h("table", { class: "hidden" }, h("caption", {}, caption),
    h("thead", {}, h("tr", {}, ...heads.map((text) => h("th", { scope: "col" }, text)))),
    h("tbody", {}, ...rows.map(([first, ...rest]) => h("tr", {}, h("th", { scope: "row" }, first), ...rest.map((text) => h("td", {}, text))))));
}

/** Return the map of the classes over two inputs, with the examples trained on. */
export function regions({ names, classes, extent, X, codes }) {
  const say = words.pictures;
  const plot = frame(say.regions, names);
  const [left, right, bottom, top] = extent;
  plot.over([left, right], [bottom, top]);
  const map = svg("image", {
    class: "map", x: plot.x(left), y: plot.y(top), width: plot.x(right) - plot.x(left),
    height: plot.y(bottom) - plot.y(top), preserveAspectRatio: "none",
  });
  plot.inner.append(map, ...Array.from(codes, (k, i) => mark(k, plot.x(X[2 * i]), plot.y(X[2 * i + 1]))));
  const picture = h("canvas"), twin = h("div", { class: "hidden" });
  const legend = h("p", { class: "keylist" }, ...classes.map((name, k) => h("span", {},
    svg("svg", { viewBox: "-5 -5 10 10", class: "key", "aria-hidden": "true" }, mark(k, 0, 0)), name)));

  return {
    element: h("section", { class: "card" }, h("h2", {}, say.regions), plot.element, legend, twin),
    show({ regions: answers }) {
      const [rows, columns] = answers.shape;
      [picture.width, picture.height] = [columns, rows];
      const context = picture.getContext("2d"), image = context.createImageData(columns, rows);
      const counts = classes.map(() => 0);
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < columns; j++) {
          const k = answers[i * columns + j];
          counts[k] += 1;
          image.data.set([...COLOURS[k % COLOURS.length], ALPHA], 4 * ((rows - 1 - i) * columns + j));
        }
      }
      context.putImageData(image, 0, 0);
      map.setAttribute("href", picture.toDataURL());
      const shares = counts.map((n, k) => say.mapShare(classes[k], Math.round((100 * n) / answers.length)));
      plot.label(say.regionsAre(shares.join(", ")));
      const spots = Array.from({ length: TWIN }, (_, i) => Math.round((i * (rows - 1)) / (TWIN - 1)));
      const at = (low, high, i) => number(low + ((high - low) * i) / (rows - 1), 3);
      twin.replaceChildren(table(say.regionsTwin(...names), [names[1], ...spots.map((j) => at(left, right, j))],
        spots.toReversed().map((i) => [at(bottom, top, i), ...spots.map((j) => classes[answers[i * columns + j]])])));
    },
  };
}

/** Return the curve of a network with one input, with its 90 % intervals where there are any. */
export function curve({ names, target, X, Y }) {
  const say = words.pictures;
  const plot = frame(say.curve, [names[0], target]);
  const body = svg("g"), points = svg("g"), twin = h("div", { class: "hidden" });
  const why = h("p", { class: "note" }), legend = h("p", { class: "keylist" });
  plot.inner.append(body, points);
  let drawn = "";

  return {
    element: h("section", { class: "card" }, h("h2", {}, say.curve), plot.element, legend, why, twin),
    show({ curve_x: xs, curve_h: hs, band, spread, no_bars: reason }) {
      const low = (part) => hs.map((value, i) => value - (part?.[i] ?? 0));
      const high = (part) => hs.map((value, i) => value + (part?.[i] ?? 0));
      const [bottom, top] = range(Y, hs), margin = 0.06 * (top - bottom || 1);
      plot.over([xs[0], xs.at(-1)], [bottom - margin, top + margin]);
      const place = [xs.map(plot.x), (list) => list.map((value) => Math.min(2 * HEIGHT, Math.max(-HEIGHT, plot.y(value))))];
      const area = (part, name) => part && svg("polygon", {
        class: name, points: [...Array.from(place[0], (x, i) => [x, place[1](high(part))[i]]),
          ...Array.from(place[0], (x, i) => [x, place[1](low(part))[i]]).reverse()].map((at) => at.map((v) => v.toFixed(1)).join()).join(" "),
      });
      body.replaceChildren(...[area(spread, "spread"), area(band, "band"), line("line", place[0], place[1](hs))].filter(Boolean));
      const scale = [bottom, top].join();
      if (scale !== drawn) points.replaceChildren(...Array.from(X, (x, i) => mark(1, plot.x(x), plot.y(Y[i]))));
      drawn = scale;
      why.textContent = reason ? say.noBars(reason) : say.bars;
      legend.replaceChildren(
        key("line", "M-9 0h18", say.keyCurve), key("mark c1", MARKS[1], say.keyRows),
        ...(band ? [key("band", "M-9-4h18v8h-18z", say.keyBand), key("spread", "M-9-4h18v8h-18z", say.keySpread)] : []));
      const some = Array.from({ length: 11 }, (_, i) => Math.round((i * (xs.length - 1)) / 10));
      twin.replaceChildren(table(say.curveTwin, [names[0], target, ...(band ? [say.keyBand, say.keySpread] : [])],
        some.map((i) => [number(xs[i], 3), number(hs[i], 4), ...(band ? [band, spread] : []).map((part) =>
          `${number(low(part)[i], 3)} – ${number(high(part)[i], 3)}`)])));
    },
  };
}

const key = (name, path, text) => h("span", {},
  svg("svg", { viewBox: "-10 -5 20 10", class: "key wide", "aria-hidden": "true" }, svg("path", { class: name, d: path })), text);

/** Return predicted beside true numbers. */
export function predicted({ target }) {
  const say = words.pictures;
  const plot = frame(say.predicted, [say.trueOf(target), say.predictedOf(target)]);
  const head = h("h2"), score = h("p"), twin = h("div", { class: "hidden" });
  return {
    element: h("section", { class: "card" }, head, score, plot.element, h("p", { class: "note" }, say.diagonal), twin),
    show(answer) {
      const { true: truth, predicted: given } = answer;
      head.replaceChildren(say.predicted, " ", h("small", {}, `${say.places[answer.examples]}, ${say.ofRows(answer.rows)}`));
      score.textContent = answer.score;
      const [low, high] = range(truth, given), margin = 0.04 * (high - low || 1);
      plot.over([low - margin, high + margin], [low - margin, high + margin]);
      plot.inner.replaceChildren(line("diagonal", [plot.x(low), plot.x(high)], [plot.y(low), plot.y(high)]),
        ...[...truth.keys()].filter((i) => Number.isFinite(truth[i] + given[i])).map((i) =>
          svg("circle", { class: "dot", cx: plot.x(truth[i]).toFixed(1), cy: plot.y(given[i]).toFixed(1), r: 2.6 })));
      plot.label(say.predictedAre(answer.score));
      const worst = [...truth.keys()].sort((a, b) => Math.abs(given[b] - truth[b]) - Math.abs(given[a] - truth[a])).slice(0, 10);
      twin.replaceChildren(table(say.worst, [say.row, say.trueOf(target), say.predictedOf(target)],
        worst.map((i) => [i + 1, number(truth[i]), number(given[i])])));
    },
  };
}
