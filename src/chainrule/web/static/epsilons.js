// The error of the numerical gradient for each epsilon: a curve with a slider below it.

import { h, inside } from "./dom.js";
import { number } from "./math.js";
import { words } from "./words.js";

const svg = inside("http://www.w3.org/2000/svg");
const WIDTH = 460, HEIGHT = 170, LEFT = 58, RIGHT = 16, TOP = 10, BOTTOM = 24;
const LEAST = -13, MOST = 1; // powers of ten of the errors shown
const NOTES = 1e-4; // the notes' epsilon

/** Return the curve and its slider; `chosen(point)` is called with what is known of an epsilon.  `over(values)`
 * says which epsilons there are, from large to small. */
export function epsilons(chosen) {
  const value = h("output");
  const slider = h("input", { type: "range", min: 0, oninput: () => moved() });
  const axes = svg("g"), lines = svg("g"), marker = svg("g");
  const picture = svg("svg", { class: "errors", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": words.check.curve }, axes, lines, marker);
  const flat = h("p", { class: "note", hidden: true }, words.check.flat);
  let points = [], values = [];

  const x = (i) => LEFT + (i / (values.length - 1)) * (WIDTH - LEFT - RIGHT);
  const y = (error) => {
    const power = Math.min(MOST, Math.max(LEAST, error > 0 ? Math.log10(error) : LEAST));
    return TOP + ((MOST - power) / (MOST - LEAST)) * (HEIGHT - TOP - BOTTOM);
  };

  function frame() {
    const powers = [0, -4, -8, -12];
    const [first, least] = [values[0], values.at(-1)].map(Math.log10);
    axes.replaceChildren(svg("path", { class: "axis", d: `M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}` }),
      ...powers.map((power) => svg("text", { x: LEFT - 5, y: TOP + ((MOST - power) / (MOST - LEAST)) * (HEIGHT - TOP - BOTTOM) + 4, "text-anchor": "end" }, power ? `1e${power}`.replace("-", "−") : "1")),
      ...[-1, -4, -8, -12].map((power) => svg("text", { x: LEFT + ((power - first) / (least - first)) * (WIDTH - LEFT - RIGHT), y: HEIGHT - 8, "text-anchor": power === Math.round(least) ? "end" : "middle" }, `1e${power}`.replace("-", "−"))));
  }

  const path = (name) => points.map((point, i) => `${x(i).toFixed(1)},${y(point[name]).toFixed(1)}`).join(" ");

  function draw() {
    const wrong = points.some((point) => point.off !== point.right_off);
    flat.hidden = !wrong;
    lines.replaceChildren(
      ...(wrong ? [svg("polyline", { class: "line other", points: path("right_off") })] : []),
      svg("polyline", { class: "line", points: path("off") }));
  }

  function tell() {
    const i = Number(slider.value), text = number(values[i], 2), point = points[i];
    value.textContent = point ? words.check.errorAt(text, number(point.off, 2)) : `ε = ${text}`;
    slider.setAttribute("aria-valuetext", value.textContent);
    marker.replaceChildren(svg("path", { class: "drop", d: `M${x(i)} ${TOP}V${HEIGHT - BOTTOM}` }),
      ...(point ? [svg("circle", { class: "point", cx: x(i), cy: y(point.off), r: 4.5 })] : []));
  }

  function moved() {
    tell();
    const point = points[Number(slider.value)];
    if (point) chosen(point);
  }

  return {
    element: h("div", {}, h("label", { class: "slider" }, h("span", {}, words.check.epsilon), slider), value, picture,
      h("p", { class: "note" }, words.check.why), flat),
    get epsilon() {
      return values[slider.value];
    },
    over(given) {
      values = given;
      slider.max = values.length - 1;
      const off = Array.from(values, (value) => Math.abs(Math.log10(value / NOTES)));
      slider.value = off.indexOf(Math.min(...off));
      frame();
      tell();
    },
    clear() {
      points = [];
      draw();
      tell();
    },
    add(point) {
      points.push(point);
      draw();
      tell();
    },
  };
}
