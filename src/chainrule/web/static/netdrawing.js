// A small network as circles and arrows, a above and delta below in each circle.

import { inside } from "./dom.js";
import { number } from "./math.js";
import { words } from "./words.js";

const svg = inside("http://www.w3.org/2000/svg");
const MARGIN = 8;
const NARROW = 480; // pixels, below which arrows are short
const CROWDED = 14; // arrows between two layers, of which not all can have their number
let drawings = 0; // so that two drawings' arrow heads have names of their own

/** Return a drawing `width` pixels wide; `chosen(l, j)` is called with a unit's place. */
export function drawing(layers, index, width, chosen) {
  const L = layers.length;
  const most = Math.max(...layers.map((s, n) => s + (n < L - 1 ? 0.75 : 0)));
  const spacing = most <= 6 ? 78 : most <= 9 ? 64 : 54;
  const r = Math.min(0.43 * spacing, width / (2.9 * L));
  const height = most * spacing + 2 * MARGIN;
  const digits = r > 28 ? 4 : 3;
  const id = `head${(drawings += 1)}`;
  const x = (l) => MARGIN + r + ((width - 2 * (MARGIN + r)) * (l - 1)) / (L - 1);
  const bias = (l) => (l < L ? 0.75 : 0); // of a space, at the top of the column
  const top = (l) => (height - (layers[l - 1] + bias(l)) * spacing) / 2;
  const y = (l, j) => top(l) + (j ? bias(l) + j - 0.5 : 0.3) * spacing;
  const radius = (j) => (j ? r : 0.42 * r);

  const root = svg("svg", {
    class: "network", viewBox: `0 0 ${width} ${height}`, width, height, role: "group",
    "aria-label": words.step.network(layers), "font-size": Math.max(10, 0.42 * r).toFixed(1),
  }, svg("defs", {}, ...["forward", "backward"].map((way) => svg("marker", {
    id: `${id}${way}`, class: way, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 12, markerHeight: 12,
    markerUnits: "userSpaceOnUse", orient: way === "forward" ? "auto" : "auto-start-reverse",
  }, svg("path", { d: "M0 0L8 4L0 8z" })))));

  const edges = [], labels = [];
  for (let k = 0; k < index.length / 3; k++) {
    const [l, i, j] = index.subarray(3 * k, 3 * k + 3);
    const from = { x: x(l), y: y(l, j) }, to = { x: x(l + 1), y: y(l + 1, i) };
    const length = Math.hypot(to.x - from.x, to.y - from.y);
    const at = (distance) => ({
      x: from.x + ((to.x - from.x) * distance) / length, y: from.y + ((to.y - from.y) * distance) / length,
    });
    const start = at(radius(j) + 1), end = at(length - r - 2);
    const line = svg("line", { class: "edge", "data-k": k, x1: start.x, y1: start.y, x2: end.x, y2: end.y });
    // Numbers stand in columns, one a source: where many arrows meet, they are furthest apart there
    const share = width < NARROW ? 0.5 : layers[l - 1] >= layers[l] ? 0.3 + 0.14 * (j % 2) : 0.62 + 0.12 * (j % 2);
    const place = at(length * share);
    const label = svg("text", { class: "weight", "data-k": k, x: place.x, y: place.y, dy: "0.35em" });
    // A wider line that nobody sees is easier to point at
    const target = svg("line", { class: "target", "data-k": k, x1: start.x, y1: start.y, x2: end.x, y2: end.y });
    edges.push({ k, l, j, line, target });
    labels.push({ k, l, i, j, label });
  }
  const units = [], circles = [];
  for (let l = 1; l <= L; l++) {
    if (l < L) {
      circles.push(svg("g", { class: "unit bias" },
        svg("circle", { cx: x(l), cy: y(l, 0), r: radius(0) }),
        svg("text", { x: x(l), y: y(l, 0), dy: "0.35em", "font-size": "0.85em" }, "1")));
    }
    for (let j = 1; j <= layers[l - 1]; j++) {
      const a = svg("text", { class: "a", x: x(l), y: y(l, j) }), delta = svg("text", { class: "delta", x: x(l), y: y(l, j) });
      const element = svg("g", l > 1 ? {
        class: "unit", role: "button", tabindex: -1, onclick: () => chosen(l, j),
        onkeydown: (event) => key(event, l, j),
      } : { class: "unit" }, svg("circle", { cx: x(l), cy: y(l, j), r }), a, delta);
      units.push({ l, j, element, a, delta });
      circles.push(element);
    }
  }
  root.append(...edges.map(({ line }) => line), ...edges.map(({ target }) => target), ...labels.map(({ label }) => label), ...circles);

  function key(event, l, j) {
    const { key: name } = event;
    if (name === "Enter" || name === " ") chosen(l, j);
    else if (name === "ArrowUp" || name === "ArrowDown") {
      const here = units.findIndex((unit) => unit.l === l && unit.j === j);
      focus(units[here + (name === "ArrowUp" ? -1 : 1)]);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  function focus(unit) {
    if (!unit || unit.l === 1) return;
    for (const each of units) if (each.l > 1) each.element.setAttribute("tabindex", -1);
    unit.element.setAttribute("tabindex", 0);
    unit.element.focus();
  }

  return {
    element: root,
    partly: width < NARROW, // the numbers of one unit's arrows alone have room
    /** Show values: `a(l)` and `delta(l)` return arrays or null, `on(k)` numbers of the arrows; `takes(j)`
     * says which of the active arrows take part, `told(j)` which have their numbers by now. */
    show({ a, delta, on, way, active, takes, told, chosen: [cl, cj] }) {
      for (const unit of units) {
        const { l, j, element } = unit;
        const above = a(l)?.[j - 1], below = delta(l)?.[j - 1];
        const two = above !== undefined && below !== undefined;
        unit.a.textContent = above === undefined ? "" : number(above, digits);
        unit.delta.textContent = below === undefined ? "" : number(below, 3);
        unit.a.setAttribute("dy", two ? "-0.1em" : "0.35em");
        unit.delta.setAttribute("dy", two ? "1.05em" : "0.35em");
        const picked = l === cl && j === cj;
        element.classList.toggle("picked", picked);
        element.classList.toggle("active", active.units.has(l));
        if (l === 1) continue;
        element.setAttribute("aria-label", words.step.unitTold(l, j, unit.a.textContent, unit.delta.textContent));
        element.setAttribute("aria-pressed", picked);
        element.setAttribute("tabindex", picked || (!cl && l === 2 && j === 1) ? 0 : -1);
      }
      const strongest = Math.max(1e-300, ...edges.map(({ k }) => Math.abs(on(k))));
      for (const { k, l, j, line } of edges) {
        const now = active.edges.has(l) && takes(j);
        line.setAttribute("class", `edge${now ? ` ${way}` : ""}`);
        line.setAttribute("stroke-width", now ? (2 + (2.5 * Math.abs(on(k))) / strongest).toFixed(2) : 1.25);
        for (const [end, to] of [["marker-end", "forward"], ["marker-start", "backward"]]) {
          if (now && way === to) line.setAttribute(end, `url(#${id}${way})`);
          else line.removeAttribute(end);
        }
      }
      for (const { k, l, i, j, label } of labels) {
        const many = width < NARROW || layers[l] * (layers[l - 1] + 1) > CROWDED;
        const mine = (cl === l + 1 && cj === i) || (width >= NARROW && cl === l && cj === j);
        label.textContent = told(j) && (!many || mine) ? number(on(k), 3) : "";
      }
    },
  };
}
