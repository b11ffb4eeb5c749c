// The notes' Backpropagation Algorithm as lines, of which one is the current one.

import { button, h } from "./dom.js";
import { formula } from "./notation.js";
import { words } from "./words.js";

const FORWARD = ["given", "x", "forward"];

/** Return the lines for a network of L layers.  A line without a kind is no step of its own:
 * without a target only the way forward has steps. */
export function linesOf(L, target = true) {
  return allLines(L).map((line) => (target || FORWARD.includes(line.kind) ? line : { ...line, kind: undefined }));
}

function allLines(L) {
  const say = words.step.lines;
  const layers = Array.from({ length: L - 1 }, (_, n) => n + 2); // 2, ..., L
  return [
    { kind: "given", text: say.given },
    { kind: "zero", text: say.zero },
    { text: say.loop },
    { kind: "x", depth: 1, text: say.x },
    { depth: 1, text: say.forward },
    ...layers.map((l) => ({
      kind: "forward", l, depth: 2,
      formula: `z(${l}) = Theta(${l - 1}) [1; a(${l - 1})], a(${l}) = ${l === L ? "h" : "g"}(z(${l}))`,
    })),
    { kind: "output", l: L, depth: 1, text: say.output },
    ...(L > 2 ? [{ depth: 1, text: say.back }] : []),
    ...layers.slice(0, -1).reverse().map((l) => ({
      kind: "back", l, depth: 2, formula: `delta(${l}) = (Theta(${l})^T delta(${l + 1})) .* g'(z(${l}))`,
    })),
    { depth: 1, text: say.add },
    ...layers.map((l) => ({
      kind: "add", l: l - 1, depth: 2,
      formula: `Delta(${l - 1}) := Delta(${l - 1}) + delta(${l}) [1; a(${l - 1})]^T`,
    })),
    { kind: "weights", text: say.weights },
    { kind: "biases", text: say.biases },
    { kind: "descend", text: say.descend },
  ];
}

/** Whether a line belongs to the loop over the examples. */
export const looped = (line) => (line.depth ?? 0) > 0;

/** Return the list of the lines; `chosen(n)` is called with a line's number among the steps. */
export function algorithm(lines, chosen) {
  const steps = lines.filter((line) => line.kind);
  const items = lines.map((line) => {
    const content = line.formula ? formula(line.formula, h("span")) : mixed(line.text);
    const body = line.kind
      ? button("", () => chosen(steps.indexOf(line)), { class: "line", "aria-label": (line.formula ?? line.text).replaceAll("$", "") })
      : h("span", { class: "line" });
    body.append(...content.childNodes);
    return { line, body, item: h("li", { class: `depth${line.depth ?? 0}` }, body) };
  });
  return {
    element: h("ol", { class: "algorithm", "aria-label": words.step.algorithm }, ...items.map(({ item }) => item)),
    mark(n) {
      for (const { line, body } of items) {
        if (!line.kind) continue;
        const now = line === steps[n];
        if (now) body.setAttribute("aria-current", "step");
        else body.removeAttribute("aria-current");
        body.tabIndex = now ? 0 : -1;
      }
    },
  };
}

/** Return text in which what stands between two $ is a formula. */
export function mixed(text, element = h("span")) {
  text.split("$").forEach((piece, n) => {
    if (n % 2) formula(piece, element);
    else if (piece) element.append(piece);
  });
  return element;
}
