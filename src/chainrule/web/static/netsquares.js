// A large network as squares, a(l) above delta(l).

import { h } from "./dom.js";
import { inline, layered } from "./math.js";
import { canvas, grey } from "./paint.js";
import { bars, squares } from "./squares.js";
import { words } from "./words.js";

/** Return a drawing with the `show` of `drawing` in netdrawing.js. */
export function layersDrawing(layers, classes, chosen, image) {
  const L = layers.length, side = image ? Math.sqrt(layers[0]) : NaN;
  const input = canvas(words.step.picture);
  const columns = layers.slice(1, -1).map((n, i) => {
    const l = i + 2;
    const a = squares(l, n, (j) => chosen(l, j)), delta = squares(l, n, (j) => chosen(l, j), "δ");
    return { l, a, delta, element: h("div", { class: "column" }, a.element, delta.element) };
  });
  // Classes have shares of 100 %; outputs without names are numbers of any size
  const output = (classes.length === layers[L - 1] ? bars(L, classes, (j) => chosen(L, j)) : squares(L, layers[L - 1], (j) => chosen(L, j)));
  return {
    large: true,
    element: h("div", { class: "layers" },
      Number.isInteger(side) ? h("figure", {}, input, h("figcaption", {}, inline(layered("a", 1), "=", "x"))) : null,
      ...columns.map(({ element }) => element), output.element),
    show({ a, delta, active, chosen: [cl, cj], picture }) {
      if (Number.isInteger(side)) grey(input, a(1) ? picture : new Float64Array(picture.length), [side, side]);
      for (const { l, a: above, delta: below, element } of columns) {
        above.show(a(l) ?? new Float64Array(layers[l - 1]));
        below.show(delta(l) ?? new Float64Array(layers[l - 1]));
        above.element.classList.toggle("ahead-of", !a(l));
        below.element.classList.toggle("ahead-of", !delta(l));
        for (const each of [above, below]) each.select(l === cl ? cj : null);
        element.classList.toggle("active", active.units.has(l) || active.edges.has(l));
      }
      output.show(a(L) ?? new Float64Array(layers[L - 1]));
      output.element.classList.toggle("ahead-of", !a(L));
      output.select(L === cl ? cj : null);
    },
  };
}
