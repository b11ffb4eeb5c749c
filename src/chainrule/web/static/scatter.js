// D against the numerical gradient, a mark for each component; both agree on the line.

import { h, inside, still } from "./dom.js";
import { number } from "./math.js";
import { words } from "./words.js";

const svg = inside("http://www.w3.org/2000/svg");
const WIDTH = 460, HEIGHT = 340, LEFT = 58, RIGHT = 12, TOP = 12, BOTTOM = 34, PAD = 0.06;
const FILLING = 1200; // milliseconds that the marks take to appear
const SIZE = 4.5;
// The outlines of layers' marks, so that no layer is told by colour alone; a bias's mark is hollow
const SHAPES = [
  (r) => `m${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`,
  (r) => `m${-0.9 * r} ${-0.9 * r}h${1.8 * r}v${1.8 * r}h${-1.8 * r}z`,
  (r) => `m0 ${-1.15 * r}l${1.1 * r} ${2 * r}h${-2.2 * r}z`,
  (r) => `m0 ${-1.3 * r}l${1.2 * r} ${1.3 * r}l${-1.2 * r} ${1.3 * r}l${-1.2 * r} ${-1.3 * r}z`,
  (r) => `m0 ${1.15 * r}l${1.1 * r} ${-2 * r}h${-2.2 * r}z`,
  (r) => `m${-r} ${-r}l${2 * r} ${2 * r}m0 ${-2 * r}l${-2 * r} ${2 * r}`,
];

/** Return the picture: `begin` with D, `add` numerical slopes as they come, `show` all at once. */
export function scatter() {
  const axes = svg("g"), marks = svg("g");
  const picture = svg("svg", { class: "scatter", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" }, axes, marks);
  const count = h("small");
  const legend = h("div", { class: "layer-key" });
  let D = [], part = [], names = [], numerical = [], shown = 0, low = -1, high = 1, frame = 0, since = 0;
  let done = () => {};

  const x = (value) => LEFT + ((value - low) / (high - low)) * (WIDTH - LEFT - RIGHT);
  const y = (value) => HEIGHT - BOTTOM - ((value - low) / (high - low)) * (HEIGHT - TOP - BOTTOM);

  /** Make room for values; return whether there was none. */
  function reach(values) {
    const finite = [...values].filter(Number.isFinite);
    const from = Math.min(...finite), to = Math.max(...finite);
    if (!finite.length || (from >= low && to <= high)) return false;
    const room = PAD * (to - from || Math.abs(to) || 1);
    low = Math.min(low, from - room);
    high = Math.max(high, to + room);
    return true;
  }

  function drawAxes() {
    if (!(low < high)) return axes.replaceChildren();
    const ticks = [low + (high - low) * PAD, ...(low < 0 && high > 0 ? [0] : []), high - (high - low) * PAD];
    const apart = ticks.filter((value) => value === 0 || Math.abs(x(value) - x(0)) > 40 || !(low < 0 && high > 0));
    axes.replaceChildren(
      svg("path", { class: "axis", d: `M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}` }),
      ...(low < 0 && high > 0 ? [svg("path", { class: "axis zero", d: `M${x(0)} ${TOP}V${HEIGHT - BOTTOM}M${LEFT} ${y(0)}H${WIDTH - RIGHT}` })] : []),
      svg("path", { class: "equal", d: `M${x(low)} ${y(low)}L${x(high)} ${y(high)}` }),
      ...apart.flatMap((value) => [
        svg("text", { x: x(value), y: HEIGHT - BOTTOM + 14, "text-anchor": "middle" }, number(value, 2)),
        svg("text", { x: LEFT - 5, y: y(value) + 4, "text-anchor": "end" }, number(value, 2))]),
      svg("text", { class: "name", x: LEFT + 8, y: TOP + 10 }, "D"),
      svg("text", { class: "name", x: WIDTH - RIGHT, y: HEIGHT - 4, "text-anchor": "end" }, words.check.numerical));
  }

  function mark(i) {
    const name = names[part[i]] ?? "";
    const layer = Math.floor(part[i] / 2), bias = name.endsWith("bias");
    const shape = SHAPES[layer % SHAPES.length](SIZE);
    return svg("path", {
      class: `mark l${layer % SHAPES.length}${bias ? " hollow" : ""}`, d: `M${x(numerical[i]).toFixed(1)} ${y(D[i]).toFixed(1)}${shape}`,
    }, svg("title", {}, words.check.component(i, name, number(D[i], 6), number(numerical[i], 6))));
  }

  function tell() {
    count.textContent = words.check.components(shown, D.length);
    picture.setAttribute("aria-label", words.check.picture(shown, D.length));
  }

  function redraw() {
    drawAxes();
    marks.replaceChildren(...Array.from({ length: shown }, (_, i) => i).filter(visible).map(mark));
  }

  const visible = (i) => Number.isFinite(numerical[i]) && Number.isFinite(D[i]);

  function reveal(upTo) {
    const before = shown;
    shown = Math.max(shown, Math.min(upTo, numerical.length));
    if (reach(numerical.slice(before, shown))) redraw();
    else for (let i = before; i < shown; i++) if (visible(i)) marks.append(mark(i));
    tell();
    if (shown === D.length) done();
  }

  function step(now) {
    since ||= now;
    reveal(Math.ceil((D.length * (now - since)) / FILLING));
    frame = shown < D.length ? requestAnimationFrame(step) : 0;
  }

  return {
    element: h("figure", {}, picture, legend),
    count,
    begin(values) {
      cancelAnimationFrame(frame);
      ({ D, part, names } = values);
      numerical = [];
      shown = since = frame = 0;
      low = Infinity;
      high = -Infinity;
      reach(D);
      redraw();
      legend.replaceChildren(...names.map((name, i) => h("span", {}, svg("svg", { class: "key", viewBox: "-7 -7 14 14", "aria-hidden": "true" },
        svg("path", { class: `mark l${Math.floor(i / 2) % SHAPES.length}${name.endsWith("bias") ? " hollow" : ""}`, d: `M0 0${SHAPES[Math.floor(i / 2) % SHAPES.length](SIZE)}` })), " ", words.check.part(name))));
      tell();
      if (!still()) frame = requestAnimationFrame(step);
    },
    add(slopes) {
      numerical.push(...slopes);
      if (still()) reveal(numerical.length);
    },
    /** Show other slopes of all components. */
    show(slopes) {
      cancelAnimationFrame(frame);
      frame = 0;
      numerical = [...slopes];
      shown = D.length;
      low = Infinity;
      high = -Infinity;
      reach(D);
      reach(numerical);
      redraw();
      tell();
      done();
    },
    /** A promise that all components are shown. */
    filled: () => new Promise((resolve) => {
      done = resolve;
      if (shown === D.length) resolve();
    }),
    end: () => cancelAnimationFrame(frame),
  };
}
