// The first hidden layer: a picture for each unit where the inputs are pixels, else a map of weights
// with the columns' names and the share that each has in all of them.

import { button, h, roving } from "../dom.js";
import { fixed, number } from "../math.js";
import { canvas, grey, largest, signed } from "../paint.js";
import { words } from "../words.js";

const FIRST = 30; // units that are shown before all are asked for
const SHOWN = 10; // inputs, likewise

/** Return the hidden units as pictures; `unit(j)` is called with the number of one, from 1. */
export function tiles({ units, layers }, { unit }) {
  const say = words.pictures;
  const [n, height, width] = units.shape;
  const all = Array.from({ length: n }, (_, i) => {
    const picture = canvas("", "tile");
    picture.setAttribute("aria-hidden", true);
    const element = h("button", {
      type: "button", "aria-label": say.tile(i + 1), hidden: i >= FIRST, onclick: () => unit(i + 1),
    }, picture);
    return { picture, element };
  });
  const list = h("div", { class: "tiles", role: "group", "aria-label": say.tiles },
    ...all.map(({ element }) => element));
  const more = button(say.allUnits(n), () => {
    more.hidden = true;
    all.forEach(({ element }) => (element.hidden = false));
    roving(list);
  }, { hidden: n <= FIRST });
  roving(list);
  return {
    element: h("section", { class: "card" }, h("h2", {}, say.lookFor(layers[1]), " ", h("small", {}, words.clickUnit)),
      list, more, h("p", { class: "note" }, say.tileScale(n, layers[1]))),
    show({ units }) {
      const size = height * width;
      all.forEach(({ picture }, i) => {
        const values = units.subarray(i * size, (i + 1) * size);
        signed(picture, values, [height, width], largest(values));
      });
    },
  };
}

/** Return the pictures of some rows; `name(i)` says what each is, `chosen(i)` is called with its row. */
export function pictures(rows, all, name, chosen) {
  const [, height, width] = all.shape, size = height * width;
  return h("div", { class: "tiles" }, ...Array.from(rows, (i, k) => {
    const picture = canvas("", "tile");
    grey(picture, all.subarray(k * size, (k + 1) * size), [height, width]);
    picture.setAttribute("aria-hidden", true);
    return h("button", { type: "button", "aria-label": name(i, k), title: name(i, k), onclick: () => chosen(i) }, picture);
  }));
}

/** Return Theta(1) as a map: a line for each input, a square for each unit. */
export function weights({ layers, inputs, Theta }, { unit }) {
  const say = words.pictures;
  const count = Theta.shape[1];
  const body = h("tbody"), numbers = h("tbody"), scale = h("p", { class: "note" });
  const strips = new Map();
  let every = false, last = null;
  const more = button(say.allInputs(inputs.length), () => {
    every = true;
    more.hidden = true;
    show(last);
  }, { hidden: inputs.length <= SHOWN });

  function strip(name) {
    if (!strips.has(name)) {
      const picture = canvas("", "strip");
      picture.addEventListener("click", (event) => {
        const box = picture.getBoundingClientRect();
        unit(1 + Math.min(count - 1, Math.max(0, Math.floor((count * (event.clientX - box.left)) / box.width))));
      });
      const share = h("td");
      strips.set(name, {
        picture, share,
        element: h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, picture), share),
      });
    }
    return strips.get(name);
  }

  function show(answer) {
    last = answer;
    const { Theta, shares, inputs } = answer;
    const most = largest(Theta);
    const names = [words.bias, ...inputs].slice(0, every ? undefined : SHOWN + 1);
    const values = (i) => Theta.subarray(i * count, (i + 1) * count);
    body.replaceChildren(...names.map((name, i) => {
      const { picture, share, element } = strip(name);
      signed(picture, values(i), [1, count], most);
      const top = values(i).reduce((best, value, j, all) => (Math.abs(value) > Math.abs(all[best]) ? j : best), 0);
      picture.setAttribute("aria-label", say.strip(name, top + 1, number(values(i)[top], 3)));
      share.textContent = i ? say.shareOf(shares[i - 1]) : "";
      return element;
    }));
    scale.textContent = say.mapScale(number(most, 2), count, layers[1]);
    if (details.open) fill(answer);
  }

  function fill({ Theta, inputs }) {
    numbers.replaceChildren(...[words.bias, ...inputs].map((name, i) => h("tr", {},
      h("th", { scope: "row" }, name),
      ...Array.from(Theta.subarray(i * count, (i + 1) * count), (value) => h("td", {}, fixed(value, 3))))));
  }

  const details = h("details", { ontoggle: () => details.open && fill(last) }, h("summary", {}, say.numbers),
    h("div", { class: "scrolled", tabindex: 0, role: "group", "aria-label": say.mapNumbers }, h("table", {},
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, say.input),
        ...Array.from({ length: count }, (_, j) => h("th", { scope: "col" }, j + 1)))), numbers)));
  return {
    element: h("section", { class: "card" },
      h("h2", {}, say.lookFor(layers[1])),
      h("table", { class: "strips" }, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, say.input),
        h("th", { scope: "col" }, say.unitsTo(count)), h("th", { scope: "col" }, say.share))), body),
      more, scale, button(say.explainUnit, () => unit(1)), details),
    show,
  };
}
