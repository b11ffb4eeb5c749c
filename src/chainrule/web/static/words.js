// All the words of the page, so that they can be read together and translated.

const plural = (n, one, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;

export const words = {
  views: { draw: "Draw" },
  title: (view) => `${view} · chainrule`,
  noServer: "The server has ended: start chainrule look again, and open the address it prints.",
  serverError: "The server made a mistake: the terminal where it runs says which.",
  notSupported: "This view could not be loaded: reload the page.",

  // The keys: those of each view, those of all; several names of one row have spaces between them
  keys: {
    title: "Keys",
    close: "Close",
    everywhere: "Everywhere",
    on: "Single letters and digits work (switch this off if you speak to your machine)",
    turn: (view) => `go to ${view}`,
    view: { draw: "d", step: "s", train: "t", check: "c", drive: "v" },
    all: [
      ["Tab", "from control to control; the arrow keys move within a layer or a list"],
      ["Enter", "explain the unit, press the button"],
      ["Esc", "close what is open"],
      ["?", "this list"],
    ],
    in: {
      draw: [
        ["0 … 9", "an example of that digit"],
        ["← ↑ → ↓", "on the pad: move the pen"],
        ["Space", "on the pad: put the pen down, or lift it"],
        ["Ctrl+Z", "on the pad: take a stroke back"],
        ["Delete", "on the pad: clear it"],
        ["Ctrl+V", "read a photo that you copied"],
      ],
    },
  },

  open: "Open…",
  openHint: "Open a model file (.safetensors) that reads 28×28 digits",
  opened: (network) => `${network.name}, ${network.layers.join("-")}`,

  draw: "Draw a digit",
  drawHint: "or type one, or drop a photo. Nothing leaves this machine.",
  pad: "Drawing pad. The arrow keys move the pen, space puts it down or lifts it, a digit draws an "
    + "example, Ctrl+Z takes a stroke back, Delete clears.",
  penDown: "pen down",
  penUp: "pen up",
  clear: "Clear",
  undo: "Undo",
  photo: "Photo…",
  photoRead: (labels) => (labels.length ? `The photo; read: ${labels.join(" ")}` : "The photo; no digit read"),
  markRead: (i, label, sure) => `mark ${i}, read as ${label}, ${sure}`,
  reading: "reading the photo …",
  rows: (rows) => rows.map((row) => row.join("")).join(" / "),
  foundIn: (digits, others) => `${plural(digits, "digit")}`
    + (others ? `, ${plural(others, "mark")} that ${others === 1 ? "is" : "are"} no digit` : ""),
  noMarks: "Nothing is written on this photo.",
  nothing: "nothing drawn yet",
  tooSmall: "Too small to be a digit: draw it larger.",
  none: "no digit",
  sure: (p) => `${percent(p)} sure`,
  looks: (alone) => `the mean of 9 looks; this picture alone: ${percent(alone)}`,
  said: (label, p) => `${label}, ${percent(p)} sure`,
  severalMarks: (n) => `${plural(n, "mark")}; shown below:`,
  chooseMark: (i, label) => `show mark ${i}, read as ${label}`,

  wrong: "Wrong? It is a",
  learn: "Learn it",
  working: { drawing: "drawing other digits, so that none is forgotten", learning: "learning" },
  learnt: (y, before, after) => `${y}: ${percent(before)} before, ${percent(after)} now`,
  own: (n) => `It has learnt ${plural(n, "digit")} of yours.`,
  forget: "Forget",

  happens: "What happens to it",
  stages: {
    contrast: "light divided out",
    mask: "ink and paper",
    cut: "cut out",
    upright: "upright",
    even: "even strokes",
    x: "28×28: what it sees",
  },
  does: "What the network does with it",
  clickUnit: "click a unit",
  byValue: "sort by value",
  units: (n) => plural(n, "unit"),
  layer: (l, n) => `Activations of layer ${l}, ${plural(n, "unit")}. The arrow keys choose one, `
    + "Enter explains it.",
  unitValue: (j, value) => `unit ${j}: ${value}`,
  largestUnits: (l) => `The ten largest activations of layer ${l}`,
  answers: "The network's answers",
  className: (label) => (label === "none" ? "none" : label),

  unit: (j, l) => `Unit ${j} of layer ${l}`,
  outputUnit: (label, l) => `Output “${label}”, layer ${l}`,
  unitTitle: "One unit",
  noUnit: "Click a square: its weights, its sum and its place on the curve of g appear here.",
  close: "Close",
  looksFor: "what it looks for",
  weightTimes: (what) => `weight × ${what} here`,
  scales: (weight, adds) => `Orange adds, blue takes away. Full colour is ${weight} on the left, `
    + `${adds} on the right.`,
  ink: "ink",
  activation: "a",
  columns: { pixel: "pixel", unit: "unit", weight: "weight", adds: "adds" },
  bias: "bias",
  pixel: (row, column) => `row ${row}, col ${column}`,
  unitName: (j, l) => `unit ${j} of layer ${l}`,
  others: (n) => `${n} others`,
  sumOf: "sum",
  curve: (g, z, a) => `The curve of ${g}, with the unit's point at z = ${z}, a = ${a}`,
  forwardLine: "Notes, Backpropagation Algorithm: “Perform forward propagation to compute a(l)”.",
  target: "What would it learn, if this were",
  noTarget: "–",
  backwardLine: "Notes, Backpropagation Algorithm: δ(L) = a(L) − y, then δ(l) backwards, and Δ_ij "
    + "grows by a_j δ_i.",
  teaches: (largest) => `Its row of Δ, as a picture: full colour is ${largest}. A step of gradient `
    + "descent takes a small part of it away from the weights.",
  noDelta: "δ is 0: this picture would not change its weights.",
};

/** Return a probability as the command prints it: never quite 100 %. */
export function percent(p) {
  return `${Math.min(100 * p, 99.9).toFixed(1)} %`;
}
