// What the algorithm ends with: J and its fall, and D, unrolled as the notes unroll it.

import { button, h, inside } from "./dom.js";
import { fixed, number } from "./math.js";
import { formula, notation } from "./notation.js";
import { heading, name } from "./stage.js";
import { words } from "./words.js";

const svg = inside("http://www.w3.org/2000/svg");
const TERMS = 6; // costs that are written out

/** Return the card; `descend(n)` takes n more steps, `descend(null)` goes back to the start; `point(k)`
 * shows theta_k in all places. */
export function ending(descend, point) {
  const say = words.step;
  const sums = h("div"), fall = h("div"), told = h("p", { role: "status" }), table = h("div");
  const pointed = h("p", { class: "note pointed-at" }, say.point);
  const again = button(say.startOver, () => descend(null));
  const element = h("section", { class: "card ended" },
    h("h2", {}, say.ends), sums, h("h3", {}, say.fall), fall, told,
    h("div", { class: "buttons" }, ...[1, 10, 100].map((n) => button(say.more(n), () => descend(n))), again),
    table);

  function J({ costs, penalty, J: history, m }, lam) {
    const text = (value) => number(value, 5).replace("−", "-");
    const terms = [...costs].map(text);
    const some = terms.length > TERMS ? [...terms.slice(0, TERMS - 1), "...", terms.at(-1)] : terms;
    return [formula(say.J, h("p", { class: "formula" })),
      formula(`J = 1/${costs.length} (${some.join(" + ")})${lam ? ` + 1/${costs.length} * ${text(penalty)}` : ""} = ${text(history.at(-2))}`,
        h("p", { class: "formula in-numbers" }))];
  }

  function curve(history) {
    const width = 320, height = 110, finite = history.filter(Number.isFinite);
    const most = Math.max(...finite), least = Math.min(...finite);
    const x = (n) => 8 + ((width - 16) * n) / Math.max(1, history.length - 1);
    const y = (value) => height - 10 - ((height - 20) * (value - least)) / (most - least || 1);
    const points = history.map((value, n) => [n, value]).filter(([, value]) => Number.isFinite(value));
    const past = points.slice(0, -1), [n, last] = points.at(-1);
    return [svg("svg", {
      class: "curve", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": say.curve(number(history[0]), number(last), n),
    },
    svg("polyline", { class: "line", points: points.map(([k, value]) => `${x(k).toFixed(1)},${y(value).toFixed(1)}`).join(" ") }),
    ...past.filter(() => past.length < 30).map(([k, value]) => svg("circle", { class: "past", cx: x(k), cy: y(value), r: 2.5 })),
    svg("circle", { class: "point", cx: x(past.length - 1), cy: y(past.at(-1)[1]), r: 4.5 }),
    svg("circle", { class: "ahead", cx: x(n), cy: y(last), r: 4.5 })),
    h("p", { class: "note span" }, h("span", {}, say.from(number(history[0]))), h("span", {}, say.to(number(last))))];
  }

  function unrolled({ theta, D, index, J: history }, printed) {
    const minus = (digits) => digits.replace("-", "−");
    const against = (here, there) => (printed
      ? [h("td", { class: here === minus(there) ? "same" : "other" }, `${minus(there)} ${here === minus(there) ? "✓" : "≠"}`)] : []);
    const first = fixed(history.at(-2), 6);
    const rows = [...theta.keys()].map((k) => {
      const [l, i, j] = index.subarray(3 * k, 3 * k + 3), here = fixed(D[k], 7);
      return h("tr", { "data-k": k }, h("th", { scope: "row" }, k + 1),
        h("td", {}, notation(`Theta(${l})_${name(i, j)}`)), h("td", {}, h("code", {}, say.octave(l, i, j))),
        h("td", {}, number(theta[k])), h("td", { class: "gradient" }, here), ...against(here, printed?.D[k]));
    });
    const { columns } = say;
    return [h("h3", {}, say.unrolled), pointed,
      h("div", { class: "scroll unrolled", tabindex: 0, role: "group", "aria-label": say.unrolledKeys, onkeydown: walk },
        h("table", {}, h("thead", {}, h("tr", {},
          heading("k"), heading("Theta(l)_ij"), h("th", { scope: "col" }, columns.octave), heading("theta_k"), heading("D_k"),
          printed ? h("th", { scope: "col" }, columns.notes) : null)),
        h("tbody", {}, ...(printed ? [h("tr", { class: "cost" }, h("th", { scope: "row", colspan: 4 }, "J"),
          h("td", {}, first), ...against(first, printed.J))] : []), ...rows))),
      ...(printed ? [h("p", { class: "note" }, say.printed)] : [])];
  }

  /** Point at the next theta_k, or the one before. */
  function walk(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const rows = [...event.currentTarget.querySelectorAll("[data-k]")];
    const now = rows.findIndex((row) => row.classList.contains("pointed"));
    const next = rows[now < 0 ? 0 : now + step];
    if (!next) return;
    point(Number(next.dataset.k));
    next.scrollIntoView({ block: "nearest" });
  }

  return {
    element,
    /** Say which theta_k is pointed at; null for none. */
    point(answer, k) {
      const [l, i, j] = answer.index.subarray(3 * k, 3 * k + 3);
      pointed.replaceChildren();
      formula(`theta_${k + 1} = Theta(${l})_${name(i, j)} ,`, pointed);
      pointed.append(say.inOctave(k + 1, say.octave(l, i, j)));
    },
    show(answer, { lam, alpha, descents, printed }) {
      const history = [...answer.J];
      sums.replaceChildren(...J(answer, lam));
      fall.replaceChildren(...curve(history));
      told.textContent = say.fallTold(descents, number(history.at(-2), 5), number(alpha), number(history.at(-1), 5));
      if (!(history.at(-1) <= history.at(-2))) told.append(" ", h("strong", {}, say.rises));
      again.disabled = !descents;
      table.replaceChildren(...(answer.theta ? unrolled(answer, printed) : [h("p", { class: "note" }, say.large)]));
    },
  };
}
