// Which examples switch a unit on: those of the data with the largest a.

import { h } from "./dom.js";
import { number } from "./math.js";
import { canvas, grey } from "./paint.js";
import { words } from "./words.js";

/** Return the pictures' place; `show` takes the server's answer, null takes them away. */
export function examples() {
  const list = h("ol", { class: "examples" });
  const note = h("p", { class: "note" });
  const element = h("div", { hidden: true }, h("h3", {}, words.switchesOn), list, note);
  return {
    element,
    show(answer) {
      element.hidden = !answer;
      if (!answer) return;
      const { pictures, labels, a, of } = answer;
      const [, height, width] = pictures.shape;
      const any = a[0] > 0;
      note.textContent = any ? words.strongest(labels.length, of) : words.noneSwitches(of);
      list.replaceChildren(...(any ? labels : []).map((label, i) => {
        const picture = canvas(words.exampleOf(label, number(a[i], 2)));
        grey(picture, pictures.subarray(i * height * width, (i + 1) * height * width), [height, width], 255);
        return h("li", {}, picture, h("span", { "aria-hidden": "true" }, number(a[i], 2)));
      }));
    },
  };
}
