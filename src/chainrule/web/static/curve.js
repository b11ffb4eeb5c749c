// The curves of J: every iteration a point, nothing smoothed, on a logarithmic axis.

import uPlot from "./vendor/uPlot.esm.js";
import { h } from "./dom.js";
import { number } from "./math.js";
import { words } from "./words.js";

const DASHES = [[], [9, 4], [2, 3], [9, 3, 2, 3], [14, 4], [5, 2, 1, 2]];
const COLOURS = DASHES.map((_, i) => `--curve-${i + 1}`);
const APART = 14; // pixels between two labels at the lines' ends
const ROOM = 76; // pixels for them
const HEIGHT = 340;
const MOST_POWERS = 8; // of ten that have a line each on the y axis
const NINE = [1, 2, 3, 4, 5, 6, 7, 8, 9];

/** Return the colour and the dashes of curve number i. */
export const looks = (i) => ({ colour: COLOURS[i % COLOURS.length], dash: DASHES[i % DASHES.length] });

/** Return a short line as curve number i is drawn. */
export function sample(i) {
  const picture = h("canvas", { class: "sample", width: 56, height: 12, "aria-hidden": "true" });
  const context = picture.getContext("2d");
  Object.assign(context, { strokeStyle: colour(looks(i).colour), lineWidth: 4 });
  context.setLineDash(looks(i).dash.map((n) => 2 * n));
  context.beginPath();
  context.moveTo(0, 6);
  context.lineTo(56, 6);
  context.stroke();
  return picture;
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/**
 * Put a chart into `el`.  `picked(x)` is called with the place on the x axis that is clicked.
 *
 * Its `show({ curves, x, at })` draws: each curve has `name`, `x`, `y` and `look`, its number; `at` is
 * the place that is looked at.
 */
export function chart(el, picked) {
  const place = h("div", { class: "chart", role: "img" });
  el.append(place);
  let plot = null, shown = null, shape = "";
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const again = () => { shape = ""; draw(); };
  const sized = new ResizeObserver(() => plot?.setSize({ width: place.clientWidth, height: HEIGHT }));
  sized.observe(place);
  dark.addEventListener("change", again);

  function options(logarithmic) {
    const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui" };
    return {
      width: place.clientWidth, height: HEIGHT,
      padding: [12, ROOM, 0, 0],
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, points: { show: false }, y: false },
      scales: { x: { time: false }, y: { distr: logarithmic ? 3 : 1, range: logarithmic ? around : undefined } },
      axes: [{ ...axis, label: shown.x, labelSize: 18, labelFont: "12px system-ui", size: 32 },
        { ...axis, label: "J", labelSize: 18, labelFont: "12px system-ui", size: 44, values: (_, ticks) => ticks.map(tickText), ...(logarithmic ? { splits, filter: few } : {}) }],
      series: [{}, ...shown.curves.map(({ look }) => ({
        stroke: colour(looks(look).colour), dash: looks(look).dash, width: 2, spanGaps: true, points: { show: false },
      }))],
      hooks: { draw: [marks], ready: [(u) => u.over.addEventListener("click", () => picked(u.posToVal(u.cursor.left, "x")))] },
    };
  }

  /** Draw where the reader looks; each curve's lowest point, its highest, and its name at its end. */
  function marks(u) {
    const { ctx } = u, ratio = devicePixelRatio, { left, top, width, height } = u.bbox;
    const X = (value) => u.valToPos(value, "x", true), Y = (value) => u.valToPos(value, "y", true);
    const point = (a, b) => {
      ctx.beginPath();
      ctx.arc(X(a), Y(b), 4 * ratio, 0, 7);
    };
    ctx.save();
    ctx.setLineDash([]);
    if (shown.at !== null) {
      ctx.strokeStyle = colour("--chosen");
      ctx.lineWidth = ratio;
      ctx.beginPath();
      ctx.moveTo(X(shown.at), top);
      ctx.lineTo(X(shown.at), top + height);
      ctx.stroke();
    }
    ctx.font = `${12 * ratio}px system-ui`;
    const ends = [];
    for (const { name, x, y, look } of shown.curves) {
      const last = y.findLastIndex(drawable), lowest = least(y), highest = least(y.map((value) => -value));
      if (last < 0) continue;
      const paint = colour(looks(look).colour);
      Object.assign(ctx, { fillStyle: paint, strokeStyle: paint, lineWidth: 2 * ratio });
      point(x[lowest], y[lowest]);
      ctx.fill();
      if (highest) point(x[highest], y[highest]); // else it is where all begins
      ctx.stroke();
      ends.push({ name, paint, at: X(x[last]), y: Y(y[last]) });
    }
    ends.sort((one, other) => one.y - other.y);
    ends.forEach((end, i) => { if (i) end.y = Math.max(end.y, ends[i - 1].y + APART * ratio); });
    const over = Math.max(0, (ends.at(-1)?.y ?? 0) - top - height);
    for (const { name, paint, at, y } of ends) {
      ctx.fillStyle = paint;
      ctx.textAlign = "left";
      ctx.fillText(name, Math.min(at, left + width) + 9 * ratio, y - over + 4 * ratio, (ROOM - 12) * ratio);
    }
    ctx.restore();
  }

  function draw() {
    if (!shown) return;
    const logarithmic = shown.curves.every(({ y }) => y.every((value) => !Number.isFinite(value) || value > 0));
    const now = JSON.stringify([logarithmic, shown.x, shown.curves.map(({ name, look }) => [name, look])]);
    const data = shown.curves.length
      ? uPlot.join(shown.curves.map(({ x, y }) => [x, y.map((value) => (Number.isFinite(value) ? value : null))]))
      : [[0], []];
    if (now === shape) {
      plot.setData(data);
    } else {
      shape = now;
      plot?.destroy();
      plot = new uPlot(options(logarithmic), data, place);
    }
    place.setAttribute("aria-label", words.train.curves(shown.curves.map(({ name, y }) => ({
      name, first: number(y.find(drawable)), last: number(y.findLast(drawable)), least: number(y[least(y)]), at: least(y),
    })), shown.x));
  }

  return {
    show(what) {
      shown = what;
      draw();
    },
    end() {
      sized.disconnect();
      dark.removeEventListener("change", again);
      plot?.destroy();
    },
  };
}

const drawable = Number.isFinite;

const tickText = (tick) => (tick === null ? "" : tick >= 1e5 || tick < 1e-3 ? tick.toExponential(0).replace("+", "") : number(tick, 3));

/** Return where a logarithmic axis has lines: at 1, 2, ..., 9 times each power of ten, or at some powers. */
function splits(u, axis, low, high) {
  const first = Math.floor(Math.log10(low)), last = Math.ceil(Math.log10(high));
  const step = Math.ceil((last - first) / MOST_POWERS);
  const powers = Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, i) => Number(`1e${first + i * step}`));
  const all = step > 1 ? powers : powers.flatMap((power) => NINE.map((n) => n * power));
  return all.filter((value) => value >= low && value <= high);
}

/** Return which of those lines have a number: as many as have room. */
function few(u, all) {
  const digits = all.length > 20 ? [1] : all.length > 8 ? [1, 2, 5] : NINE;
  return all.map((value) => (digits.includes(Number(value.toExponential()[0])) ? value : null));
}

/** Return a logarithmic axis' ends: a little beyond the numbers, not the next powers of ten. */
const around = (u, low, high) => (low > 0 && high > 0 ? [low / 1.15, high * 1.15] : [0.1, 1]);

/** Return the place of the least number. */
function least(y) {
  let at = 0;
  y.forEach((value, i) => { if (drawable(value) && !(y[at] <= value)) at = i; });
  return at;
}
