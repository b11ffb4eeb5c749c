// Formulas in MathML, in the notes' letters.  Strings become identifiers, numbers or operators.

import { inside } from "./dom.js";

const m = inside("http://www.w3.org/1998/Math/MathML");
const OPERATORS = new Set([..."=+-−·,()[]|≈∑∂", ":=", ".*"]);

function node(part) {
  if (typeof part === "number") return m("mn", {}, number(part));
  if (typeof part !== "string") return part;
  if (OPERATORS.has(part)) return m("mo", "()[]|".includes(part) ? { stretchy: "false" } : {}, part);
  return /^[−-]?[\d.]/.test(part) ? m("mn", {}, part) : m("mi", {}, part);
}

/** Return a row of parts. */
export const row = (...parts) => m("mrow", {}, ...parts.map(node));

/** Return a formula that stands in a line of its own. */
export const display = (...parts) => m("math", { display: "block" }, row(...parts));

/** Return a formula within a line of text. */
export const inline = (...parts) => m("math", {}, row(...parts));

/** Return words within a formula. */
export const plain = (text) => m("mtext", {}, text);

const sup = (base, upper) => m("msup", {}, node(base), node(upper));
export const both = (base, lower, upper) => m("msubsup", {}, node(base), node(lower), node(upper));
export const frac = (upper, lower) => m("mfrac", {}, node(upper), node(lower));

/** Return a sum from below to above. */
export const sum = (from, to) => m("munderover", {}, m("mo", {}, "∑"), node(from), node(to));

/** Return a name with its layer in brackets: a(2), and with unit indices below. */
export function layered(name, layer, ...indices) {
  const upper = row("(", String(layer), ")");
  const lower = indices.flatMap((i, n) => (n ? [",", String(i)] : [String(i)]));
  return indices.length ? both(name, row(...lower), upper) : sup(name, upper);
}

/** Return a number as it is shown: four figures, a true minus sign. */
export function number(value, digits = 4) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 1e5 || size < 1e-4 ? value.toExponential(digits - 2) : String(+value.toPrecision(digits));
  return text.replace("-", "−");
}

/** Return a number with a fixed count of decimals, so that a column's points stand below each other. */
export function fixed(value, decimals) {
  const text = value.toFixed(decimals);
  return (/^-0\.?0*$/.test(text) ? text.slice(1) : text).replace("-", "−");
}
