// How many of each class were given which class; a cell shows its pictures, or its rows.

import { h } from "../dom.js";
import { number } from "../math.js";
import { percent, words } from "../words.js";
import { pictures } from "./units.js";

/** Return the confusion matrix, or with many classes the commonest confusions. */
export function confusion({ classes }, { cell, row }) {
  const say = words.pictures;
  const head = h("h2"), table = h("table"), found = h("div", { class: "found", "aria-live": "polite" });
  let shown = null, wanted = 0, told = "";

  async function open(truth, given) {
    const mine = ++wanted;
    shown = { truth, given };
    const answer = await cell(truth, given).catch(() => null); // the run may be gone meanwhile
    if (!answer || mine !== wanted) return;
    const text = truth === given ? say.rightOnes(classes[truth], answer.in_all)
      : say.takenFor(classes[truth], classes[given], answer.in_all);
    found.replaceChildren(h("h3", {}, text), answer.pictures
      ? pictures(answer.rows, answer.pictures, (i, k) => say.example(i + 1, percent(answer.sure[k])), row) : rows(answer));
  }

  function rows({ inputs, X, rows: numbers, sure }) {
    const d = inputs.length;
    return h("div", { class: "scrolled", tabindex: 0, role: "group", "aria-label": say.cellRows }, h("table", {},
      h("thead", {}, h("tr", {}, ...[say.row, say.sure, ...inputs].map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, ...Array.from(numbers, (i, k) => h("tr", {},
        h("th", { scope: "row" }, h("button", { type: "button", class: "count", onclick: () => row(i) }, i + 1)),
        h("td", {}, percent(sure[k])),
        ...Array.from(X.subarray(k * d, (k + 1) * d), (value) => h("td", {}, number(value, 4))))))));
  }

  const count = (n, truth, given) => h("button", {
    type: "button", class: truth === given ? "count" : "count mistaken", "aria-label": say.cell(n, classes[truth], classes[given]),
    onclick: () => open(truth, given),
  }, n);

  function matrix({ confusion: counts }) {
    const K = classes.length;
    table.className = "confusion";
    table.replaceChildren(
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, say.corner),
        ...classes.map((name) => h("th", { scope: "col", title: name }, h("span", {}, name))))),
      h("tbody", {}, ...classes.map((name, t) => h("tr", {},
        h("th", { scope: "row", title: name }, h("span", {}, name)),
        ...classes.map((_, g) => h("td", {}, counts[t * K + g] ? count(counts[t * K + g], t, g) : "·"))))));
  }

  function commonest({ confused }) {
    table.className = "";
    table.replaceChildren(
      h("thead", {}, h("tr", {}, ...[say.true, say.given, say.count].map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, ...Array.from({ length: confused.shape[0] }, (_, i) => {
        const [truth, given, n] = confused.subarray(3 * i, 3 * i + 3);
        return h("tr", {}, h("th", { scope: "row" }, classes[truth]), h("td", {}, classes[given]),
          h("td", {}, count(n, truth, given)));
      })));
  }

  return {
    element: h("section", { class: "card" }, head,
      h("div", { class: "scrolled", tabindex: 0, role: "group", "aria-label": say.matrix }, table),
      h("p", { class: "note" }, say.matrixNote), found),
    show(answer) {
      head.replaceChildren(say.scored(answer.examples, answer.score), " ", h("small", {}, say.ofRows(answer.rows)));
      const now = [...(answer.confusion ?? answer.confused)].join();
      if (now === told) return; // so that the focus stays where it is
      told = now;
      const active = document.activeElement?.getAttribute("aria-label"), inside = table.contains(document.activeElement);
      if (answer.confusion) matrix(answer);
      else commonest(answer);
      if (inside) [...table.querySelectorAll("button")].find((each) => each.getAttribute("aria-label") === active)?.focus();
      if (shown) open(shown.truth, shown.given);
    },
  };
}
