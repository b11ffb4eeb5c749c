// The pad: strokes of a pen, a finger or the keyboard, and the bytes that the server reads.

import { still } from "./dom.js";

const SIDE = 280; // pixels of the picture that is seen
const SENT = 140; // pixels of the picture that is sent
const PEN = 0.075; // width of a stroke, as a part of the side
const STEP = 0.03; // what an arrow key moves the pen by
const WRITING = 900; // milliseconds in which an example is written

/** Make a canvas a pad; `changed` is called, at most once a frame, when its ink is another. */
export function pad(canvas, changed, say) {
  canvas.width = canvas.height = SIDE;
  const sent = new OffscreenCanvas(SENT, SENT);
  const sending = sent.getContext("2d", { willReadFrequently: true });
  const seen = canvas.getContext("2d");
  let strokes = [], cleared = [], drawing = null, example = false, frame = 0, writing = 0;
  const pen = { x: 0.5, y: 0.5, shown: false, down: false };

  function paint(context, side) {
    context.fillStyle = "#000";
    context.fillRect(0, 0, side, side);
    context.strokeStyle = "#fff";
    context.lineWidth = PEN * side;
    context.lineCap = context.lineJoin = "round";
    for (const stroke of strokes) {
      context.beginPath();
      context.moveTo(stroke[0].x * side, stroke[0].y * side);
      for (const { x, y } of stroke) context.lineTo(x * side, y * side);
      context.stroke();
    }
  }

  function show() {
    frame = 0;
    paint(seen, SIDE);
    if (pen.shown) {
      seen.strokeStyle = pen.down ? "#e69f00" : "#56b4e9";
      seen.lineWidth = 2;
      seen.beginPath();
      seen.arc(pen.x * SIDE, pen.y * SIDE, (PEN * SIDE) / 2 + 2, 0, 2 * Math.PI);
      seen.stroke();
    }
    changed(strokes.length > 0);
  }

  function redraw() {
    frame ||= requestAnimationFrame(show);
  }

  function ink() {
    paint(sending, SENT);
    const { data } = sending.getImageData(0, 0, SENT, SENT);
    const bytes = new Uint8Array(SENT * SENT).map((_, i) => data[4 * i]);
    bytes.shape = [SENT, SENT];
    return bytes;
  }

  function own() {
    cancelAnimationFrame(writing);
    if (example) strokes = [];
    example = false;
  }

  const place = ({ clientX, clientY }) => {
    const box = canvas.getBoundingClientRect();
    return { x: (clientX - box.left) / box.width, y: (clientY - box.top) / box.height };
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button) return;
    own();
    canvas.setPointerCapture(event.pointerId);
    pen.shown = pen.down = false;
    drawing = [place(event)];
    strokes.push(drawing);
    redraw();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!drawing || !event.isPrimary) return;
    const points = event.getCoalescedEvents?.() ?? [];
    drawing.push(...(points.length ? points : [event]).map(place));
    redraw();
  });
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, () => (drawing = null));
  }
  canvas.addEventListener("focus", () => {
    pen.shown = canvas.matches(":focus-visible"); // who came by keyboard sees where the pen is
    redraw();
  });
  canvas.addEventListener("blur", () => {
    pen.shown = pen.down = false;
    redraw();
  });
  canvas.addEventListener("keydown", (event) => {
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [0, 0];
    if (event.key === " ") {
      own();
      pen.shown = true;
      pen.down = !pen.down;
      if (pen.down) strokes.push([{ x: pen.x, y: pen.y }]);
      say(pen.down);
    } else if (dx || dy) {
      pen.shown = true;
      pen.x = Math.min(1, Math.max(0, pen.x + dx * STEP));
      pen.y = Math.min(1, Math.max(0, pen.y + dy * STEP));
      if (pen.down) strokes.at(-1).push({ x: pen.x, y: pen.y });
    } else if (event.key === "Delete" || event.key === "Backspace") {
      clear();
    } else if (event.key === "z" && (event.ctrlKey || event.metaKey)) {
      undo();
    } else {
      return;
    }
    event.preventDefault();
    redraw();
  });

  function clear() {
    cancelAnimationFrame(writing);
    if (strokes.length && !example) cleared = strokes;
    strokes = [];
    pen.down = false;
    redraw();
  }

  /** Take back a stroke, or the clearing. */
  function undo() {
    cancelAnimationFrame(writing);
    if (strokes.length) strokes.pop();
    else [strokes, cleared, example] = [cleared, [], false];
    pen.down = false;
    redraw();
  }

  /** Write strokes of an example, point by point unless the reader wants no motion. */
  function write(paths) {
    cancelAnimationFrame(writing);
    example = true;
    drawing = null;
    pen.down = false;
    const all = paths.map(dense);
    const total = all.reduce((n, path) => n + path.length, 0);
    const start = performance.now();
    const advance = (now) => {
      let left = still() ? total : Math.ceil((total * (now - start)) / WRITING);
      strokes = [];
      for (const path of all) {
        if (left > 0) strokes.push(path.slice(0, left));
        left -= path.length;
      }
      show();
      if (left < 0) writing = requestAnimationFrame(advance);
    };
    advance(start + 1);
  }

  show();
  return { clear, undo, write, ink };
}

/** Return a path with points close to each other. */
function dense(path) {
  const points = [path[0]];
  for (let i = 1; i < path.length; i++) {
    const a = path[i - 1], b = path[i];
    const n = Math.max(1, Math.ceil(Math.hypot(b.x - a.x, b.y - a.y) / 0.01));
    for (let k = 1; k <= n; k++) points.push({ x: a.x + ((b.x - a.x) * k) / n, y: a.y + ((b.y - a.y) * k) / n });
  }
  return points;
}
