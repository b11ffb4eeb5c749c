// Messages between page and server: see wire.py, which says how they are made.

const ARRAYS = { f4: Float32Array, f8: Float64Array, u1: Uint8Array, i4: Int32Array };
const text = new TextEncoder();

/** Return values as a message; typed arrays may carry a `shape`. */
export function pack(values) {
  const plain = {}, arrays = {}, blocks = [];
  for (const [name, value] of Object.entries(values)) {
    const code = Object.keys(ARRAYS).find((key) => value instanceof ARRAYS[key]);
    if (code) {
      arrays[name] = [code, value.shape ?? [value.length]];
      blocks.push(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    } else {
      plain[name] = value;
    }
  }
  const header = text.encode(JSON.stringify({ plain, arrays }));
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, header.length, true);
  return new Blob([length, header, ...blocks]);
}

/** Return the values of a message; each array has its `shape`. */
export function unpack(buffer, start = 0) {
  const n = new DataView(buffer).getUint32(start, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, start + 4, n)));
  const values = header.plain;
  let at = start + 4 + n;
  for (const [name, [code, shape]] of Object.entries(header.arrays)) {
    const size = shape.reduce((a, b) => a * b, 1) * ARRAYS[code].BYTES_PER_ELEMENT;
    values[name] = new ARRAYS[code](buffer.slice(at, at + size)); // a copy begins at a whole word
    values[name].shape = shape;
    at += size;
  }
  return values;
}
