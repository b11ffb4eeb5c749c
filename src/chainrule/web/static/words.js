// All the words of the page, so that they can be read together and translated.

const plural = (n, one, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;

export const words = {
  views: { draw: "Draw", drive: "Drive" },
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
      drive: [
        ["Space", "play, or pause"],
        ["← →", "one look back or on; with Shift, a second"],
        ["Home End", "the start, the end of the lap"],
        ["1 … 4", "switch a hidden unit off and on"],
        ["Enter", "on the retina: lay a card down, or take it away"],
        ["← ↑ → ↓", "on the retina: move the card; with Shift, change its size"],
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

  drive: {
    loading: "The lap is being read …",
    title: "A network drives",
    hint: "It sees these 30×32 receptors and nothing else: the road ahead is light, grass is dark. "
      + "Drag over them, and it sees less.",
    retina: "What the network sees: the road ahead is light, grass is dark. Two lines show where the "
      + "network's steering leads, and the teacher's.",
    coverKeys: "Cover receptors. Enter lays a card down or takes it away, the arrow keys move it, with "
      + "Shift they change its size.",
    coverWith: "Covered, they see",
    covers: { nothing: "nothing: 0", grass: "grass: −1", road: "road: 1" },
    uncover: "uncover",
    units: (n) => `Its ${plural(n, "hidden unit")}`,
    unitsHint: "Orange: road there switches the unit on; blue: off. Beside it, what the unit votes for "
      + "(up) and against. Switch one off, and nothing hears it any more.",
    weights: (j) => `Unit ${j}: its weights from the retina`,
    unit: (j) => `unit ${j}`,
    on: "on",
    off: "off",
    allOn: "all on",
    votes: (name) => `Its votes for the ${name}`,
    hills: "Two hills",
    steering: "steering",
    speed: "speed",
    ends: [["left", "steering", "right"], ["slow", "speed", "fast"]],
    own: "the network",
    teacher: "the teacher",
    before: "the network unchanged",
    orders: ([steering, speed]) => `${turned(steering)}, speed ${speed.toFixed(0)}`,
    teacherOrders: ([steering, speed]) => `the teacher: ${turned(steering)}, speed ${speed.toFixed(0)}`,
    hillLabel: (name, own, his, k) => `The hill of the ${name}: the network ${k ? own.toFixed(0) : turned(own)}, `
      + `the teacher ${k ? his.toFixed(0) : turned(his)}`,
    deltaLine: "Below each hill, δ(3): how far each output is above the teacher's hill (orange) or below "
      + "it (blue). Notes, Backpropagation Algorithm: “Using y(t), compute δ(L) = a(L) − y(t)”.",
    play: "Play",
    pause: "Pause",
    rate: "Speed of the lap",
    rates: ["real time", "half as fast", "a quarter", "a tenth"],
    scrub: "Time in the lap",
    at: (seconds, [steering]) => `${seconds.toFixed(1)} seconds, ${turned(steering)}`,
    graph: "Its steering over the lap",
    apart: ([steering, speed], before) => `On this lap the network's orders are ${degrees(steering)} of `
      + `steering and ${speed.toFixed(1)} of speed from the teacher's, on average`
      + (before ? `; unchanged, ${degrees(before[0])} and ${before[1].toFixed(1)}.` : "."),
    aboutTitle: "Dean Pomerleau's network",
    about: [
      "Around 1990 ALVINN, a network of 960 inputs and 4 or 5 hidden units, watched people drive a van "
      + "for a few minutes and then steered it. This one watched five minutes of a racing game.",
      "Each output stands for one steering. The answer is no single output but a hill of them, and the "
      + "order is where the best fitting hill has its top; so neighbours share what they learn.",
    ],
  },

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
  value: "value",
  activation: "a",
  input: (i) => `input ${i}`,
  columns: { pixel: "pixel", input: "input", unit: "unit", weight: "weight", adds: "adds" },
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

  pictures: {
    lookFor: (n) => `What ${n === 1 ? "its hidden unit looks" : `its ${n} hidden units look`} for`,
    tiles: "The hidden units, each as a picture of its weights. The arrow keys choose one, Enter explains it.",
    tile: (j) => `unit ${j}`,
    allUnits: (n) => `Show ${n} units`,
    tileScale: (shown, n) => "Orange: ink there switches it on, blue: off. Each has its own scale."
      + (shown < n ? ` The first ${shown} of ${n}.` : ""),
    input: "input",
    unitsTo: (n) => (n === 1 ? "to the unit" : `to units 1 – ${n}`),
    share: "share",
    shareOf: (share) => `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`,
    strip: (name, j, weight) => `${name}: its largest weight is ${weight}, to unit ${j}`,
    allInputs: (n) => `Show ${plural(n, "input")}`,
    mapScale: (most, shown, n) => `Orange adds, blue takes away; full colour is ${most}. The share is `
      + `that of an input in the sum of all |weights|.${shown < n ? ` The first ${shown} of ${n} units.` : ""}`,
    explainUnit: "Explain a unit",
    numbers: "The numbers",
    mapNumbers: "The weights as numbers, a column for each unit",

    unitCard: "One unit explained",
    thisRow: "The example",
    layerOf: "Layer",
    unitOf: "unit",
    rowOf: { "held out": "held-out row", "trained on": "row" },

    scored: (examples, score) => `${{ "held out": "Held out", "trained on": "Trained on" }[examples]}: ${score}`,
    places: { "held out": "held out", "trained on": "trained on" },
    ofRows: (n) => plural(n, "row"),
    matrix: "The confusion matrix",
    corner: "true",
    matrixNote: "A line for what is true, a column for the answer. A number opens its examples.",
    true: "true",
    given: "answer",
    count: "rows",
    cell: (n, truth, given) => `${plural(n, "row")} of ${truth}, answered ${given}`,
    rightOnes: (name, n) => `${name}: ${n} right`,
    takenFor: (truth, given, n) => `${truth} taken for ${given}: ${n}`,
    example: (row, sure) => `row ${row}, ${sure} sure`,
    cellRows: "The rows of this cell",
    row: "row",
    sure: "sure",

    regions: "What it answers where",
    regionsAre: (shares) => `A map of the answers over the two inputs, with the rows trained on: ${shares}`,
    mapShare: (name, share) => `${name} on ${share} %`,
    regionsTwin: (x, y) => `The answer at places of the map: ${x} across, ${y} down`,
    curve: "The fitted curve",
    keyCurve: "h(x)",
    keyRows: "trained on",
    keyBand: "90 % band of h",
    keySpread: "90 % of new y",
    curveTwin: "The curve at eleven places",
    bars: "The bands hold at the end of a training, where J is lowest; before, they are too narrow or too wide.",
    noBars: (why) => (why === "optimizer"
      ? "No error bars: they come from the bend of J at its lowest point, which lm and br compute. Train with one of them."
      : `No error bars: ${why}.`),
    predicted: "Predicted against true",
    trueOf: (name) => `true ${name}`,
    predictedOf: (name) => `predicted ${name}`,
    predictedAre: (score) => `Predicted against true values, a point for each row; ${score}`,
    diagonal: "On the line is what it got exactly right.",
    worst: "The ten rows with the largest errors",
  },

  ways: {
    menu: "Copy as",
    again: "This training as",
    python: "Python, the same bits",
    command: "a command, the same bits",
    octave: "Octave, for J and D",
    files: "Download",
    model: "the network (.safetensors)",
    record: "the run (run.json)",
    history: "its history (.csv)",
    npz: "theta for NumPy (.npz)",
    mat: "theta and data for Octave (.mat)",
    picture: "the training as a picture (.png)",
    own: "your labelled digits (.npz)",
    link: "A link to these settings",
    noRun: "Train something, and it can be taken along from here.",
    theta: (iteration) => `theta as it is after iteration ${iteration}`,
    copied: "Copied.",
    notCopied: "Select the text and copy it.",
    copy: "Copy",
    text: "The text to copy",
    needs: {
      python: (files) => `Put ${files.join(", ")} beside it.`,
      command: (files) => `Type it where ${files.join(", ")} is.`,
      octave: () => "It reads run.mat: download theta and data for Octave, and name the file so.",
    },
    none: {
      command: "The command has no way to start from zeros: Python has one.",
    },
    linkNote: "It holds settings and no data. The address is good for as long as this page's server runs on this port.",
  },
};

/** Return a probability as the command prints it: never quite 100 %. */
export function percent(p) {
  return `${Math.min(100 * p, 99.9).toFixed(1)} %`;
}

const degrees = (angle) => `${(Math.abs(angle) * 180 / Math.PI).toFixed(1)}°`;

/** Return an angle of the wheels in words: to the right is positive. */
function turned(angle) {
  return Math.abs(angle) < 0.001 ? "straight on" : `${degrees(angle)} ${angle > 0 ? "right" : "left"}`;
}
