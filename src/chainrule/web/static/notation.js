// Formulas as the library writes them, "delta_1^(2) = a_1^(2) - y_1", in MathML.

import { inside } from "./dom.js";

const m = inside("http://www.w3.org/1998/Math/MathML");
const LETTERS = {
  Theta: "Θ", theta: "θ", delta: "δ", Delta: "Δ", lambda: "λ", alpha: "α", epsilon: "ε", Phi: "Φ", phi: "φ",
};
const NAMED = new Set(["tanh", "log", "max", "min", "sum", "cost"]); // other long words are words
const SIGNS = { "*": "·", "-": "−", "'": "′" };
const INFIX = new Set(["=", ":=", "+", "-", "*", ".*", "<", ">"]); // also where a line begins with it
// A letter with its layer or example behind it, a number, a word, an index, an operator
const TOKEN = new RegExp([
  String.raw`(?<layered>(?:Theta|delta|Delta|[azxyDJ])(?=\((?:\d+|[lLtm]|[lL][+-]1)\)))`,
  String.raw`(?<number>\d+(?:\.\d+)?(?:e[+-]?\d+)?)`,
  String.raw`(?<name>[A-Za-zα-ωΑ-Ω]+)`,
  String.raw`(?<index>_(?:\d+,\w+|\w+))`,
  String.raw`(?<operator>:=|\.\*|\.\.\.|\S)`,
].join("|"), "gy");

/** Return the MathML of a formula, or of a piece of one: brackets may be open, and where it goes on
 * with a minus, that is a difference. */
export function notation(text, goesOn = false) {
  const tokens = [];
  TOKEN.lastIndex = 0;
  for (let at = 0; at < text.length; at = TOKEN.lastIndex) {
    if (text[at] === " ") { TOKEN.lastIndex = at + 1; continue; }
    tokens.push(TOKEN.exec(text).groups);
  }
  return m("math", {}, ...parts(tokens, goesOn));
}

/** Append a formula that a line can break before each operation; return the element. */
export function formula(text, element) {
  const pieces = text.split(/ (?=(?:[=+*-]|:=|\.\*) )|(?<=,) /);
  pieces.forEach((piece, n) => element.append(...(n ? [document.createElement("wbr")] : []), notation(piece, n > 0)));
  return element;
}

function parts(tokens, goesOn = false) {
  const row = [];
  while (tokens.length) row.push(part(tokens, goesOn || row.length ? row.at(-1) ?? m("mi") : null));
  return row;
}

/** Take one part with its indices and exponents off the tokens. */
function part(tokens, before) {
  const { layered, number, name, operator, index } = tokens.shift();
  let base;
  if (layered) base = m("mi", {}, LETTERS[layered] ?? layered);
  else if (number) base = m("mn", {}, number.replace("-", "−"));
  else if (name) base = word(name);
  else if (index) base = m("mi", {}, index.slice(1));
  else if (operator === "-" && signs(before) && tokens[0]?.number) base = m("mn", {}, `−${minus(tokens.shift().number)}`);
  else base = operate(operator);
  let lower = null, upper = null;
  if (tokens[0]?.operator === "'") upper = m("mo", {}, SIGNS[tokens.shift().operator]);
  if (layered) upper = bracketed(tokens);
  if (tokens[0]?.index) lower = below(tokens.shift().index.slice(1));
  if (tokens[0]?.operator === "^") {
    tokens.shift();
    const power = exponent(tokens);
    if (upper) return m("msup", {}, m("mrow", {}, ...around(m("msup", {}, base, upper))), power);
    upper = power;
  }
  if (lower && upper) return m("msubsup", {}, base, lower, upper);
  if (lower) return m("msub", {}, base, lower);
  return upper ? m("msup", {}, base, upper) : base;
}

function operate(operator) {
  const kind = "()[]{}|".includes(operator) ? { stretchy: "false" } : INFIX.has(operator) ? { form: "infix" } : {};
  return m("mo", kind, SIGNS[operator] ?? operator);
}

const minus = (text) => text.replace("-", "−");
const around = (node) => [m("mo", { stretchy: "false" }, "("), node, m("mo", { stretchy: "false" }, ")")];
const below = (text) => m("mrow", {}, ...text.split(/(,)/).map((each) =>
  m(each === "," ? "mo" : /^\d/.test(each) ? "mn" : "mi", {}, each)));

/** Whether a minus after this part is a sign, not a difference. */
function signs(before) {
  return !before || (before.localName === "mo" && !/[)\]]/.test(before.textContent));
}

function word(name) {
  if (LETTERS[name]) return m("mi", {}, LETTERS[name]);
  if (name === "sum") return m("mo", {}, "∑");
  return name.length < 3 && name !== "if" || NAMED.has(name) ? m("mi", {}, name) : m("mtext", {}, `\u00a0${name}\u00a0`);
}

/** Take ( ... ) off the tokens. */
function bracketed(tokens) {
  const content = [];
  let depth = 0;
  do {
    const token = tokens.shift();
    depth += { "(": 1, ")": -1 }[token.operator] ?? 0;
    content.push(token);
  } while (depth && tokens.length);
  return m("mrow", {}, ...parts(content));
}

function exponent(tokens) {
  const sign = tokens[0]?.operator === "-" ? [m("mo", {}, SIGNS[tokens.shift().operator])] : [];
  const inner = tokens[0]?.operator === "(" ? bracketed(tokens) : part(tokens, null);
  return sign.length ? m("mrow", {}, ...sign, inner) : inner;
}
