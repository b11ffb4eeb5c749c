// A photo with its marks, each a button that shows what the network saw of it; and how photos come in.

import { h, roving } from "./dom.js";
import { canvas, colours } from "./paint.js";
import { percent, words } from "./words.js";

const UNSURE = 0.9; // a reading below it is marked as doubtful

/** Return a photo as it was read; `chosen(i)` is called with a mark's number, from 0. */
export function sheet({ rgb, boxes, labels, probabilities, numbers }, chosen) {
  const [height, width] = rgb.shape;
  const picture = canvas(words.photoRead(numbers), "sheet");
  colours(picture, rgb);
  const marks = labels.map((label, i) => {
    const [x0, y0, x1, y1] = boxes.subarray(4 * i, 4 * i + 4);
    const digit = label !== "none";
    const kind = !digit ? "stranger" : probabilities[i] < UNSURE ? "digit doubtful" : "digit";
    const box = h(digit ? "button" : "span", digit
      ? { type: "button", class: kind, "aria-label": words.markRead(i + 1, label, percent(probabilities[i])), onclick: () => chosen(i) }
      : { class: kind }, digit ? h("span", {}, label) : null);
    box.style.left = `${(100 * x0) / width}%`;
    box.style.top = `${(100 * y0) / height}%`;
    box.style.width = `${(100 * (x1 - x0)) / width}%`;
    box.style.height = `${(100 * (y1 - y0)) / height}%`;
    return box;
  });
  const element = roving(h("div", { class: "photo", role: "group", "aria-label": words.photo }, picture, ...marks));
  return {
    element,
    select(i) {
      marks.forEach((mark, k) => mark.matches("button") && mark.setAttribute("aria-pressed", k === i));
    },
  };
}

/** Call `given(file)` for a picture that is dropped on `el` or pasted; return how that ends. */
export function incoming(el, given) {
  const picture = (files) => [...(files ?? [])].find(({ type }) => type.startsWith("image/"));
  const over = (event) => event.preventDefault();
  const drop = (event) => {
    event.preventDefault();
    if (picture(event.dataTransfer.files)) given(picture(event.dataTransfer.files));
  };
  const paste = (event) => picture(event.clipboardData.files) && given(picture(event.clipboardData.files));
  el.addEventListener("dragover", over);
  el.addEventListener("drop", drop);
  document.addEventListener("paste", paste);
  return () => {
    el.removeEventListener("dragover", over);
    el.removeEventListener("drop", drop);
    document.removeEventListener("paste", paste);
  };
}
