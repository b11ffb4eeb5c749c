// A layer as squares, one for each unit; and the outputs as bars.  Both let the reader choose a unit.

import { h, roving } from "./dom.js";
import { inline, layered, number } from "./math.js";
import { grid, largest } from "./paint.js";
import { percent, words } from "./words.js";

const GAP = 1; // pixels between two squares

/** Return a layer of `n` units; `chosen(j)` is called with a unit's number, from 1. */
export function squares(l, n, chosen, letter = "a") {
  const [rows, columns] = grid(n);
  const width = Math.min(200, Math.max(160, 10 * columns)); // pixels, or a little less
  const cell = Math.max(6, Math.min(32, Math.floor(width / columns)));
  const canvas = h("canvas", {
    class: "squares", tabindex: 0, role: "slider", "aria-label": words.layer(l, n, letter),
    "aria-valuemin": 1, "aria-valuemax": n, width: columns * cell, height: rows * cell,
  });
  const frame = h("div", { class: "chosen", hidden: true });
  const told = h("span", { class: "told" });
  const twin = h("tbody");
  let values = new Float64Array(n), order = [...values.keys()], at = 0, selected = null, sorted = false;

  const place = (spot) => ({ x: spot % columns, y: Math.floor(spot / columns) });

  function paint() {
    const context = canvas.getContext("2d");
    const most = largest(values);
    context.fillStyle = getComputedStyle(canvas).getPropertyValue("--gap");
    context.fillRect(0, 0, canvas.width, canvas.height);
    order.forEach((unit, spot) => {
      const { x, y } = place(spot);
      context.fillStyle = tone(values[unit], most);
      context.fillRect(x * cell, y * cell, cell - GAP, cell - GAP);
    });
    mark();
  }

  function mark(unit = selected) {
    const spot = unit === null ? -1 : order.indexOf(unit);
    frame.hidden = spot < 0;
    if (spot < 0) return;
    const { x, y } = place(spot);
    frame.style.left = `${(100 * x) / columns}%`;
    frame.style.top = `${(100 * y) / rows}%`;
    frame.style.width = `${100 / columns}%`;
    frame.style.height = `${100 / rows}%`;
  }

  function name() {
    const text = words.unitValue(order[at] + 1, number(values[order[at]]));
    canvas.setAttribute("aria-valuenow", order[at] + 1);
    canvas.setAttribute("aria-valuetext", text);
    return text;
  }

  function tell(spot) {
    at = spot;
    told.textContent = name();
  }

  const under = (event) => {
    const box = canvas.getBoundingClientRect();
    const x = Math.floor((columns * (event.clientX - box.left)) / box.width);
    const y = Math.floor((rows * (event.clientY - box.top)) / box.height);
    const spot = y * columns + x;
    return x >= 0 && x < columns && y >= 0 && spot < n ? spot : null;
  };

  canvas.addEventListener("pointermove", (event) => under(event) !== null && tell(under(event)));
  canvas.addEventListener("pointerleave", () => (told.textContent = ""));
  canvas.addEventListener("click", (event) => {
    const spot = under(event);
    if (spot === null) return;
    tell(spot);
    chosen(order[spot] + 1);
  });
  canvas.addEventListener("focus", () => tell(at));
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    if (event.key === "Enter" || event.key === " ") chosen(order[at] + 1);
    else if (event.key === "Home") tell(0);
    else if (event.key === "End") tell(n - 1);
    else if (step && at + step >= 0 && at + step < n) tell(at + step);
    else if (!step) return;
    if (event.key !== "Enter" && event.key !== " ") mark(order[at]);
    event.preventDefault();
  });
  function arrange() {
    order = [...values.keys()];
    if (sorted) order.sort((a, b) => values[b] - values[a]);
  }

  const element = h("figure", { class: "layer" },
    h("div", { class: "within" }, canvas, frame),
    h("figcaption", {}, inline(layered(letter, l)), ", ", words.units(n), h("br"), told),
    h("table", { class: "hidden" }, h("caption", {}, words.largestUnits(l, letter)), twin));

  return {
    element,
    show(given) {
      values = given;
      arrange();
      paint();
      name();
      const top = [...values.keys()].sort((a, b) => values[b] - values[a]).slice(0, 10);
      twin.replaceChildren(...top.map((unit) =>
        h("tr", {}, h("th", { scope: "row" }, unit + 1), h("td", {}, number(values[unit])))));
    },
    /** Show the squares by value, the largest first, or by place. */
    sort(byValue) {
      sorted = byValue;
      arrange();
      paint();
    },
    select(j) {
      selected = j === null ? null : j - 1;
      if (selected !== null) at = order.indexOf(selected);
      mark();
    },
  };
}

/** Return the colour of an activation: black for 0, white for the layer's largest; blue below 0. */
function tone(value, most) {
  const share = most > 0 ? Math.min(1, Math.abs(value) / most) : 0;
  const grey = Math.round(255 * share);
  return value >= 0 ? `rgb(${grey} ${grey} ${grey})` : `rgb(0 ${Math.round(114 * share)} ${Math.round(178 * share)})`;
}

/** Return the outputs as bars; `chosen(j)` is called with a unit's number, from 1. */
export function bars(l, classes, chosen) {
  const rows = classes.map((label, k) => {
    const bar = h("span", { class: "bar" }), value = h("span", { class: "value" });
    const row = h("button", {
      type: "button", class: "answer", onclick: () => chosen(k + 1),
    }, h("span", { class: "class" }, words.className(label)), h("span", { class: "track" }, bar), value);
    return { row, bar, value };
  });
  const list = h("div", { class: "bars", role: "group", "aria-label": words.answers }, ...rows.map(({ row }) => row));
  roving(list);
  return {
    element: h("figure", { class: "outputs" }, list,
      h("figcaption", {}, inline(layered("a", l), "=", "h", "(", "x", ")"), ", ", words.units(classes.length))),
    show(values) {
      const most = Math.max(...values);
      rows.forEach(({ row, bar, value }, k) => {
        bar.style.width = `${100 * values[k]}%`;
        value.textContent = percent(values[k]);
        row.classList.toggle("most", most > 0 && values[k] === most);
      });
    },
    select(j) {
      rows.forEach(({ row }, k) => row.setAttribute("aria-pressed", k + 1 === j));
    },
  };
}
