// The Train view: settings, the six steps, the curve of J, every theta, and several optimizers from one
// start.  The server trains; this page may be closed and opened while it does.

import { chart, sample } from "./curve.js";
import { button, h, still } from "./dom.js";
import { mount as pictures } from "./looks/looks.js";
import { both, display, frac, number, row, sum } from "./math.js";
import { runs } from "./runs.js";
import { form, KEYS, strings, typed } from "./trainform.js";
import { words } from "./words.js";

const FIRST = "digits"; // what is trained before anybody asks
const LONG = ["mnist"]; // what nobody waits for who only chose it
const MORE = 100; // iterations
const MOST = 6; // optimizers in one comparison
const PLAYED = 4000; // milliseconds that a training takes when it is shown again
const say = words.train;

/** Fill `el` with the view; return how it ends. */
export function mount(el, source) {
  const parts = skeleton();
  el.append(parts.left, parts.middle, parts.right);
  el.className = "train";
  let known = null, settings = null, given = null, asked = 0;
  let group = [], chosen = null, at = null, playing = 0, drawing = 0;

  const mirror = runs(source, (run, what) => {
    if (!run && chosen && !mirror.known.has(chosen.id)) select([...mirror.known.values()].at(-1)?.said.group, null);
    if (what === "words") listed();
    if (!run || group.includes(run.id)) later();
  });
  const looks = pictures(parts.right, source);
  const curves = chart(parts.chart, (x) => look(nearest(x)));

  // What is trained

  async function begin() {
    try {
      known = await source.ask("problems");
      settings = form(known, edited);
      parts.few.append(settings.few);
      parts.more.append(settings.table, settings.more);
      parts.data.append(...Object.keys(known.data).map((name) => h("option", { value: name }, say.data[name] ?? name)));
      parts.presets.append(...Object.keys(known.presets).map((name) => h("option", { value: name }, name)));
      parts.optimizers.append(...known.optimizers.map(compared));
      const wanted = typed(source.settings), optimizers = source.settings.optimizers?.split(",");
      const { runs: kept } = await source.ask("runs");
      for (const said of kept) mirror.get(said.run).said = said;
      const any = Object.keys(wanted).length;
      const same = kept.findLast((said) => !any || (equal(said.settings, wanted) && said.optimizer === (optimizers?.[0] ?? said.optimizer)));
      at = Number(source.settings.iteration ?? NaN);
      if (!Number.isInteger(at)) at = null;
      if (same) {
        filled(same.settings);
        select(same.group);
      } else {
        filled(any ? { ...(wanted.data ? known.data[wanted.data] : {}), ...wanted } : { data: FIRST, ...known.data[FIRST] });
        await train(optimizers);
      }
    } catch (error) {
      source.trouble(error);
    }
  }

  /** Put settings into the form, and tell what was decided about their data. */
  function filled(values, failed = source.trouble) {
    settings.fill(values);
    if (values.table !== undefined) ownTable(values.table, given?.name ?? say.ownTable);
    parts.data.value = values.table === undefined ? values.data : "table";
    return describe(failed);
  }

  async function describe(failed = source.trouble) {
    const mine = ++asked;
    parts.decided.replaceChildren(h("summary", {}, say.states.preparing));
    try {
      const said = await source.ask("data", { settings: only(settings.settings, ["data", "table", "target", "drop", "missing", "kind", "header", "encoding", "na", "keep"]) });
      if (mine !== asked) return;
      source.trouble(null);
      if (said.trouble) return mend(said);
      const kind = said.classes ? say.classes(said.classes.length) : say.numbers(said.target);
      parts.decided.replaceChildren(h("summary", {}, say.decided(said.rows, said.inputs, kind)),
        h("ul", {}, ...said.notes.map((text) => h("li", {}, text))));
      parts.decided.hidden = false;
      if (settings.settings.table !== undefined) ownTable(settings.settings.table, said.name);
      for (const name of ["lm", "br"]) {
        const box = parts.optimizers.querySelector(`[value="${name}"]`);
        if (!box) continue;
        box.disabled = Boolean(said.classes); // they fit numbers
        if (said.classes) box.checked = false;
      }
    } catch (error) {
      if (mine !== asked) return;
      parts.decided.hidden = true;
      failed(error);
    }
  }

  /** Offer what would mend a table. */
  function mend({ trouble, mend: by }) {
    const text = Object.entries(by).map(([name, value]) => `${name} = ${[value].flat().join(", ")}`).join(", ");
    parts.decided.open = true;
    parts.decided.hidden = false;
    parts.decided.replaceChildren(h("summary", {}, say.cannot), h("p", { class: "wrong-table" }, trouble),
      button(text, () => {
        const now = settings.settings;
        const together = Object.fromEntries(Object.entries(by).map(([name, value]) =>
          [name, Array.isArray(now[name]) ? [...now[name], ...[value].flat()] : value]));
        settings.fill({ ...now, ...together });
        describe();
      }));
  }

  function edited(name) {
    parts.presets.value = "";
    parts.why.textContent = "";
    if (["target", "drop", "missing", "kind", "na", "keep"].includes(name)) describe();
  }

  /** Take a file as the data; one that cannot be read leaves all as it was. */
  async function table(file) {
    source.trouble(null);
    const before = settings.settings, had = given, { open } = parts.decided;
    try {
      given = await source.ask("table", { file: new Uint8Array(await file.arrayBuffer()), name: file.name });
      parts.decided.open = true;
      await filled({ table: given.table }, (error) => { throw error; });
      parts.presets.value = parts.why.textContent = "";
    } catch (error) {
      if (given !== had) {
        given = had;
        if (!had) parts.data.querySelector("[value=table]").remove();
        parts.decided.open = open;
        await filled(before);
      }
      source.trouble(error);
    }
    parts.file.value = "";
  }

  function ownTable(table, name) {
    given = { table, name };
    const option = parts.data.querySelector("[value=table]") ?? parts.data.appendChild(h("option", { value: "table" }));
    option.textContent = name;
  }

  /** Train with what the form says; with several optimizers from one start. */
  async function train(optimizers) {
    source.trouble(null);
    parts.state.textContent = say.states.preparing;
    const values = settings.settings;
    try {
      const { runs: ids } = await source.ask("train", { settings: values, ...(optimizers ? { optimizers } : {}) });
      for (const id of ids) Object.assign(mirror.get(id).said, { settings: values, group: ids[0], run: id });
      ids.forEach((id, i) => { mirror.get(id).said.optimizer = optimizers?.[i] ?? values.optimizer; });
      select(ids[0], at);
      parts.dropped.textContent = (await source.ask("runs")).said;
    } catch (error) {
      parts.state.textContent = parts.comparing.textContent = "";
      source.trouble(error);
    }
  }

  // What is shown

  /** Show the runs of a group, and look at one of them. */
  function select(id, iteration = at) {
    group = [...mirror.known.values()].filter(({ said }) => said.group === id).map((run) => run.id);
    chosen = mirror.known.get(group[0]) ?? null;
    at = iteration;
    listed();
    later();
  }

  function look(iteration) {
    stopPlaying();
    at = iteration >= last(chosen) ? null : Math.max(iteration, 0);
    later();
  }

  const last = (run) => Math.max(run?.length - 1, 0);
  /** The iteration that is looked at: the newest, unless the reader went back. */
  const looked = () => Math.min(at ?? chosen?.said.taken ?? last(chosen), last(chosen));
  /** The nearest iteration whose theta is kept. */
  function kept(iteration) {
    const { stride = 1 } = chosen.said;
    return iteration === last(chosen) || iteration === chosen.said.taken ? iteration : iteration - (iteration % stride);
  }

  const axis = { iterations: (run) => run.columns.J.map((_, i) => i), evaluations: (run) => run.columns.n_eval, seconds: (run) => run.columns.seconds };
  const x = (run) => axis[parts.axis.value](run);
  function nearest(place) {
    const all = x(chosen);
    let best = 0;
    all.forEach((value, i) => { if (Math.abs(value - place) < Math.abs(all[best] - place)) best = i; });
    return best;
  }

  function later() {
    if (!drawing) drawing = requestAnimationFrame(() => { drawing = 0; draw(); });
  }

  function draw() {
    if (!chosen) return;
    const { said, event } = chosen;
    const several = group.length > 1, state = event.n < 0 && said.state === "over" ? said.state : chosen.state;
    const layers = said.layers?.join("-");
    parts.line.textContent = say.line(said, layers);
    parts.steps.replaceChildren(...known.steps.map((text, i) => step(text, i, said, state)));
    buttons(state, said);
    parts.share.hidden = event.share === undefined;
    if (event.share !== undefined) {
      parts.share.value = event.share;
      parts.share.setAttribute("aria-label", event.what);
    }
    const members = group.map((id) => mirror.known.get(id)).filter((run) => run?.length);
    parts.curves.hidden = !members.length;
    parts.compared.replaceChildren(...(several ? group.map((id) => legend(mirror.get(id), id)) : []));
    parts.axisRow.hidden = !several;
    if (members.length && chosen.length) {
      const iteration = kept(looked());
      const shown = several
        ? members.map((run) => ({ name: run.said.optimizer, x: x(run), y: run.columns.J, look: group.indexOf(run.id) }))
        : [["J", "J"], ["J_val", say.J_val]].filter(([name]) => chosen.columns[name])
          .map(([name, text], i) => ({ name: text, x: x(chosen), y: chosen.columns[name], look: i }));
      curves.show({ curves: shown, x: say.axes[several ? parts.axis.value : said.epochs ? "epochs" : "iterations"], at: x(chosen)[iteration] ?? null });
      parts.slider.max = last(chosen);
      parts.slider.value = iteration;
      parts.slider.setAttribute("aria-valuetext", say.iteration(iteration, last(chosen), said));
      parts.where.textContent = say.iteration(iteration, last(chosen), said);
      parts.numbers.replaceChildren(...chosen.at(iteration).map(([name, text]) =>
        h("div", {}, h("dt", {}, say.columns[name] ?? name), h("dd", {}, text))));
      if (state !== "preparing") shows(chosen.id, iteration);
    }
    parts.stopped.replaceChildren(...why(said, state));
    parts.notes.hidden = !said.notes.length;
    parts.told.replaceChildren(...said.notes.map(({ text, heading }) => h(heading ? "strong" : "div", {}, text)));
  }

  function step(text, i, said, state) {
    const done = said.steps.length > i && (i < 5 || state === "over");
    const now = !done && said.steps.length === (i < 5 ? i : 6) && !said.trouble;
    const found = i < 5 ? said.steps[i] : say.minimised(chosen, state);
    return h("li", { class: done ? "done" : now ? "now" : "", ...(now ? { "aria-current": "step" } : {}) },
      text, done ? h("span", { class: "tick" }, " ✓") : null, h("span", { class: "hidden" }, done ? say.done : ""),
      found ? h("div", { class: "note" }, found) : null);
  }

  function buttons(state, said) {
    const over = state === "over", paused = state === "paused";
    parts.pause.hidden = over;
    parts.pause.textContent = paused ? say.resume : say.pause;
    parts.stop.hidden = over;
    parts.one.hidden = over && !said.can_go_on;
    parts.more100.hidden = !over || !said.can_go_on || !chosen.length;
    parts.state.textContent = over ? "" : say.states[state] ?? state;
    const left = group.length > 1 ? going().length : 0;
    parts.comparing.textContent = left ? say.comparing(group.length - left + 1, group.length) : "";
  }

  function legend(run, id) {
    const i = group.indexOf(id), y = run.columns.J;
    const radio = h("input", { type: "radio", name: "looked", ...(run === chosen ? { checked: true } : {}),
      onchange: () => { chosen = run; at = null; later(); } });
    return h("label", { class: "legend" }, radio, sample(i), h("span", {}, run.said.optimizer),
      h("span", { class: "note" }, run.said.trouble ?? (y?.length ? say.cameTo(number(y.at(-1)), y.length - 1) : say.states[run.state])));
  }

  function why(said, state) {
    if (said.trouble) return [h("p", { class: "failed" }, said.trouble)];
    if (state !== "over" || !said.report) return [];
    const [first, ...others] = said.report;
    return [h("p", {}, h("strong", { class: first.startsWith("diverged") ? "failed" : "" }, sentence(first))),
      ...others.map((text) => (text.startsWith("try: ") ? h("p", {}, sentence(text)) : h("div", { class: "note" }, text))),
      said.scores?.length ? h("p", { class: "scores" }, ...said.scores.map(([name, score]) => h("span", {}, `${name} `, h("b", {}, score)))) : null,
      ...said.advice.map((text) => h("p", {}, sentence(text))),
      said.stride > 1 ? h("p", { class: "note" }, say.thinned(said.stride)) : null].filter(Boolean);
  }

  /** Fill the list of runs that are kept. */
  function listed() {
    const groups = new Map();
    for (const run of mirror.known.values()) {
      if (run.said.group !== undefined) groups.set(run.said.group, [...(groups.get(run.said.group) ?? []), run]);
    }
    parts.runs.replaceChildren(...[...groups].map(([id, members]) =>
      h("option", { value: id }, say.run(id, members.map(({ said }) => said)))));
    if (chosen) parts.runs.value = chosen.said.group;
    parts.runsRow.hidden = groups.size < 2;
  }

  let told = "";
  /** Show a theta, and put it into the address. */
  function shows(run, iteration) {
    const now = JSON.stringify([run, iteration, chosen.said.settings, group.length]);
    if (now === told) return;
    told = now;
    looks.show(run, iteration);
    source.tell({ run, iteration });
    const optimizers = group.length > 1 ? group.map((id) => mirror.get(id).said.optimizer).join(",") : null;
    source.remember({ ...Object.fromEntries(KEYS.map((name) => [name, null])), ...strings(chosen.said.settings),
      optimizers, iteration: at === null ? null : iteration });
  }

  // What the reader does

  async function wish(name, values) {
    try {
      await source.ask(name, values);
      source.trouble(null);
    } catch (error) {
      source.trouble(error);
    }
  }

  const going = () => group.filter((id) => mirror.get(id).event.state !== "over");
  const state = () => chosen?.state;
  const pause = () => wish(state() === "paused" ? "resume" : "pause", { runs: going() });
  const stop = () => wish("stop", { runs: going() });
  function one() {
    at = null;
    return state() === "over" ? wish("more", { run: chosen.id, iterations: 1 }) : wish("resume", { runs: [chosen.id], iterations: 1 });
  }
  function more() {
    at = null;
    return wish("more", { run: chosen.id, iterations: MORE });
  }

  /** Show the training again, from its start or from where the reader is. */
  function play() {
    if (playing) return stopPlaying();
    const end = last(chosen), from = at ?? 0, began = performance.now();
    const pace = end / (still() ? 1 : PLAYED);
    if (still()) return look(from + 1);
    parts.play.textContent = say.stopPlaying;
    const frame = () => {
      const to = from + Math.floor((performance.now() - began) * pace);
      at = to >= end ? null : to;
      draw();
      if (to >= end) stopPlaying();
      else playing = requestAnimationFrame(frame);
    };
    playing = requestAnimationFrame(frame);
  }

  function stopPlaying() {
    cancelAnimationFrame(playing);
    playing = 0;
    parts.play.textContent = say.play;
  }

  function compared(name) {
    const first = ["lbfgs", "cg", "gd", "adam"];
    return h("label", { class: "check" }, h("input", { type: "checkbox", value: name, ...(first.includes(name) ? { checked: true } : {}) }), name);
  }

  function compare() {
    const names = [...parts.optimizers.querySelectorAll("input:checked")].map(({ value }) => value);
    if (!names.length || names.length > MOST) return source.trouble(new Error(say.someOptimizers(MOST)));
    at = null;
    parts.comparing.textContent = say.states.preparing;
    parts.middle.scrollIntoView({ block: "start", behavior: still() ? "auto" : "smooth" });
    train(names);
  }

  function pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !chosen) return;
    if (event.target.matches("input:not([type=range]), select, textarea")) return;
    if (event.key === " " && !event.target.matches("button, summary, a, input")) {
      event.preventDefault();
      if (state() === "over") play();
      else pause();
    }
    if (event.key === ".") one();
  }

  function dropped(event) {
    event.preventDefault();
    const [file] = event.dataTransfer.files;
    if (file) table(file);
  }

  const over = (event) => event.preventDefault();
  parts.data.addEventListener("change", () => {
    const name = parts.data.value;
    parts.presets.value = parts.why.textContent = "";
    at = null;
    if (name === "table") return filled({ table: given.table });
    filled({ data: name, ...known.data[name] });
    if (!LONG.includes(name)) train();
  });
  parts.presets.addEventListener("change", () => {
    const preset = known.presets[parts.presets.value];
    if (!preset) return;
    at = null;
    filled({ ...known.data[preset.data], ...preset });
    parts.why.textContent = say.presets[parts.presets.value] ?? "";
    train();
  });
  parts.runs.addEventListener("change", () => {
    const id = Number(parts.runs.value);
    select(id, null);
    filled(chosen.said.settings);
    parts.presets.value = parts.why.textContent = "";
  });
  parts.file.addEventListener("change", () => parts.file.files[0] && table(parts.file.files[0]));
  parts.open.addEventListener("click", () => parts.file.click());
  parts.train.addEventListener("submit", (event) => { event.preventDefault(); at = null; train(); });
  parts.pause.addEventListener("click", pause);
  parts.one.addEventListener("click", one);
  parts.stop.addEventListener("click", stop);
  parts.more100.addEventListener("click", more);
  parts.compare.addEventListener("click", compare);
  parts.axis.addEventListener("change", later);
  parts.slider.addEventListener("input", () => look(Number(parts.slider.value)));
  parts.play.addEventListener("click", play);
  el.addEventListener("dragover", over);
  el.addEventListener("drop", dropped);
  document.addEventListener("keydown", pressed);
  begin();

  return () => {
    el.className = "";
    el.removeEventListener("dragover", over);
    el.removeEventListener("drop", dropped);
    document.removeEventListener("keydown", pressed);
    cancelAnimationFrame(drawing);
    stopPlaying();
    mirror.end();
    curves.end();
    looks.end();
  };
}

const sentence = (text) => (text ? text[0].toUpperCase() + text.slice(1) + (text.endsWith(".") ? "" : ".") : "");
const only = (values, names) => Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name)));
const equal = (one, other) => {
  const text = (values) => JSON.stringify(Object.entries(strings(values)).sort());
  return text(one) === text(other);
};

/** The view's elements, empty. */
function skeleton() {
  const parts = {
    line: h("p", { class: "note" }),
    data: h("select", { id: "train-data" }),
    presets: h("select", { id: "train-preset" }, h("option", { value: "" }, say.noPreset)),
    why: h("p", { class: "why" }),
    file: h("input", { type: "file", hidden: true }),
    open: button(say.open, () => {}, { title: say.openHint }),
    few: h("div"), more: h("div"),
    decided: h("details", { class: "decided", hidden: true }),
    pause: button(say.pause, () => {}, { hidden: true }),
    one: button(say.one, () => {}, { title: say.oneHint, hidden: true }),
    stop: button(say.stop, () => {}, { hidden: true }),
    more100: button(say.more100(MORE), () => {}, { hidden: true, title: say.more100Hint(MORE) }),
    state: h("span", { class: "note", role: "status" }),
    share: h("progress", { max: 1, hidden: true }),
    steps: h("ol", { class: "steps" }),
    optimizers: h("div", { class: "checks" }),
    compare: button(say.compare),
    comparing: h("span", { class: "note", role: "status" }),
    axis: h("select", { id: "train-axis" }, ...["iterations", "evaluations", "seconds"].map((name) => h("option", { value: name }, say.axes[name]))),
    compared: h("div", { class: "compared", role: "radiogroup", "aria-label": say.lookAt }),
    runs: h("select", { id: "train-run" }),
    dropped: h("p", { class: "note" }),
    chart: h("div"),
    slider: h("input", { type: "range", min: 0, max: 0, value: 0, id: "train-iteration" }),
    where: h("output", { for: "train-iteration" }),
    play: button(say.play, () => {}, { title: say.playHint }),
    numbers: h("dl", { class: "numbers" }),
    stopped: h("div", { class: "stopped", role: "status" }),
    told: h("div", { class: "told" }),
    right: h("div", { class: "pictures" }),
  };
  parts.notes = h("details", { hidden: true }, h("summary", {}, say.told), parts.told);
  parts.axisRow = h("p", { class: "axis-row" }, h("label", { for: "train-axis" }, say.x), " ", parts.axis);
  parts.runsRow = h("p", { class: "runs-row" }, h("label", { for: "train-run" }, say.runs), " ", parts.runs);
  parts.train = h("form", {},
    parts.decided, parts.few, parts.more,
    h("div", { class: "buttons" }, h("button", { class: "primary", type: "submit" }, say.train),
      parts.pause, parts.one, parts.stop, parts.more100, parts.state));
  parts.left = h("section", { class: "card", "aria-label": say.title }, h("h1", {}, say.title), parts.line,
    h("div", { class: "fields" },
      h("div", { class: "field" }, h("label", { for: "train-data" }, say.dataLabel), parts.data),
      h("div", { class: "field" }, h("label", { for: "train-preset" }, say.presetLabel), parts.presets)),
    parts.why,
    h("p", { class: "own-table" }, parts.open, parts.file, h("span", { class: "note" }, say.dropHint)),
    parts.train, parts.share, h("h2", {}, say.sixSteps), parts.steps,
    h("details", {}, h("summary", {}, say.compareTitle), h("p", { class: "note" }, say.compareHint), parts.optimizers, parts.compare, " ", parts.comparing));
  parts.curves = h("div", { hidden: true }, parts.chart, parts.compared, parts.axisRow,
    h("div", { class: "slide" }, h("label", { for: "train-iteration" }, say.iterationLabel), parts.slider, parts.play, parts.where),
    parts.numbers);
  parts.middle = h("section", { class: "card", "aria-label": say.curve }, h("h2", {}, say.curve), parts.runsRow, parts.dropped,
    parts.curves, parts.stopped, parts.notes, formula());
  return parts;
}

/** The notes' cost with lambda, to be opened. */
function formula() {
  return h("details", {}, h("summary", {}, say.formula),
    display("J", "(", "Θ", ")", "=", frac("1", "m"), sum(row("t", "=", "1"), "m"), "cost", "(", "t", ")"),
    display("+", frac("λ", row("2", "m")), sum(row("l", ",", "i", ",", "j"), ""), both("Θ", row("j", "i"), "2")),
    h("p", { class: "note" }, say.formulaNote), h("p", { class: "note" }, say.startNote));
}
