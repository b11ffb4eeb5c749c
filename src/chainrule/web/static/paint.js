// Arrays as pictures.  Grey for ink and activations, orange for plus and blue for minus elsewhere:
// Okabe and Ito's colours, which colour-blind people tell apart.

import { h } from "./dom.js";

const PLUS = [213, 94, 0], MINUS = [0, 114, 178];

/** Return a canvas for arrays; `label` says what it shows to those who do not see it. */
export function canvas(label, kind = "picture") {
  return h("canvas", { class: kind, role: "img", "aria-label": label, width: 1, height: 1 });
}

/** Paint numbers from 0 to `most` as black to white; bytes have 255 as their most. */
export function grey(target, values, [height, width] = values.shape, most = null) {
  most ??= values instanceof Uint8Array ? 255 : 1;
  paint(target, height, width, (i, pixel) => pixel.fill(shade(values[i], most), 0, 3));
}

const shade = (value, most) => (most > 0 ? 255 * Math.min(1, Math.max(0, value / most)) : 0);

/** Paint bytes of red, green and blue. */
export function colours(target, values) {
  const [height, width] = values.shape;
  paint(target, height, width, (i, pixel) => pixel.set(values.subarray(3 * i, 3 * i + 3)));
}

/** Paint numbers of both signs: orange is plus, blue is minus, white is 0. */
export function signed(target, values, [height, width], most) {
  paint(target, height, width, (i, pixel) => {
    const share = most > 0 ? Math.min(1, Math.abs(values[i]) / most) : 0;
    const colour = values[i] > 0 ? PLUS : MINUS;
    for (let c = 0; c < 3; c++) pixel[c] = 255 + share * (colour[c] - 255);
  });
}

function paint(target, height, width, colour) {
  if (target.width !== width || target.height !== height) {
    target.width = width;
    target.height = height;
  }
  const context = target.getContext("2d");
  const image = context.createImageData(width, height);
  for (let i = 0; i < height * width; i++) {
    const pixel = image.data.subarray(4 * i, 4 * i + 4);
    pixel[3] = 255;
    colour(i, pixel);
  }
  context.putImageData(image, 0, 0);
}

/** Return the largest absolute value. */
export function largest(values) {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

/** Return rows and columns of a nearly square grid for n units. */
export function grid(n) {
  const columns = Math.ceil(Math.sqrt(n));
  return [Math.ceil(n / columns), columns];
}
