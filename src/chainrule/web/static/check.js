// The Check view: a gradient compared with a numerical one, a mistake to be found, one's own code.

import { button, h } from "./dom.js";
import { epsilons } from "./epsilons.js";
import { number } from "./math.js";
import { scatter } from "./scatter.js";
import { words } from "./words.js";

const SETTING = { layers: "4-5-3", hidden: "sigmoid", output: "sigmoid", lam: "1.5", rows: "7" };
const MODES = ["own", "right", "game", "slip"]; // the first that is there is shown
const LEVELS = [1, 2, 3];
const SEEDS = 100_000;
const SCORE = "check score"; // what the session remembers it by
const PATIENCE = 5000; // milliseconds until a reader is told how to leave a file that runs for ever
const text = words.check;

/** Fill `el` with the view; return how it ends. */
export function mount(el, source) {
  let work = new AbortController(), options = null, shown = null, guessed = [], open = false, slow = 0;
  let state = { ...SETTING, level: "1", slip: "0", ...source.settings }, there = MODES;

  const modes = h("div", { class: "modes", role: "group", "aria-label": text.modes });
  const task = h("div", { class: "task" });
  const program = h("ol", { class: "program" });
  const legend = h("p", { class: "note" });
  const kind = h("select", {});
  const guess = h("p", { class: "guess" }, h("label", {}, text.kind, " ", kind));
  const go = button(text.go, check, { class: "primary" });
  const giveUp = button(text.giveUp, surrender);
  const next = button(text.another, another);
  const buttons = h("div", { class: "buttons" }, go, giveUp, next);
  const verdict = h("div", { class: "verdict", "aria-live": "polite" });
  const network = h("details", {}, h("summary", {}, text.network));
  const points = scatter();
  const title = h("h2", {}, text.title, " ", points.count);
  const table = h("tbody");
  const errors = epsilons((point) => {
    points.show(point.numerical);
    fill(shown.names.map((name, i) => ({ name, error: point.parts[i] })), point.epsilon);
  });
  const at = h("span", { class: "note" });

  const parts = h("table", { class: "parts" }, h("thead", {}, h("tr", {},
    ...[text.columns.part, text.columns.error, text.columns.says].map((name) => h("th", { scope: "col" }, name)))), table);
  const nothing = h("p", { class: "note" }, text.nothing);

  el.replaceChildren(h("div", { class: "checking" },
    h("section", { class: "card" }, h("h1", {}, text.head), modes, task, program, legend, guess, buttons, verdict, network),
    h("section", { class: "card" }, title, nothing, points.element, parts, at, errors.element)));

  const setting = () => ({ layers: state.layers, hidden: state.hidden, output: state.output, lam: Number(state.lam), rows: Number(state.rows) });
  const what = () => ({
    right: {}, game: { level: Number(state.level), seed: Number(state.seed) }, slip: { slip: Number(state.slip) },
  })[state.mode];

  /** Take other settings, keep them in the address, and begin anew. */
  function take(changes) {
    state = { ...state, ...changes };
    if (state.mode === "game") state.seed ??= String(Math.floor(Math.random() * SEEDS));
    const { mode, level, seed, slip } = state;
    const others = Object.entries(SETTING).map(([name, usual]) => [name, state[name] === usual ? null : state[name]]);
    source.remember({
      ...Object.fromEntries(others), mode: mode === there[0] ? null : mode, level: mode === "game" ? level : null,
      seed: mode === "game" ? seed : null, slip: mode === "slip" ? slip : null,
    });
    return begin();
  }

  async function begin() {
    work.abort();
    work = new AbortController();
    clearTimeout(slow);
    const { signal } = work;
    source.trouble(null);
    open = false;
    guessed = [];
    shown = null;
    const { mode } = state, own = mode === "own";
    for (const each of modes.children) each.setAttribute("aria-pressed", each.value === mode);
    guess.hidden = giveUp.hidden = mode !== "game";
    next.hidden = true;
    go.hidden = network.hidden = own;
    forget();
    legend.hidden = own;
    go.disabled = false;
    if (own) program.before(verdict); // what is read first
    else buttons.after(verdict);
    program.removeAttribute("tabindex");
    source.tell(own ? null : { gradient: () => ({ what: "gradient", ...setting(), ...what() }) });
    const focused = choices().indexOf(document.activeElement);
    if (own) return watch(signal);
    task.replaceChildren(h("p", { class: "note" }, text.tasks[mode]));
    controls();
    try {
      if (mode === "game") task.append(h("p", { class: "note", role: "status" }, text.hiding));
      const answer = await source.ask("code", { ...setting(), ...what() }, signal);
      task.replaceChildren(...tasks(answer));
      choices()[focused]?.focus(); // it is another element now
      lines(answer.lines, answer.mistakes);
      legend.textContent = text.legend(state.hidden);
      kind.replaceChildren(h("option", { value: "" }, text.noKind),
        ...[...answer.kinds].sort().map((name) => h("option", { value: name, title: options.kinds[name] }, name.replaceAll("-", " "))));
      if (mode !== "game") await check();
    } catch (error) {
      program.replaceChildren();
      source.trouble(error);
    }
  }

  /** Take away all that was said of a program. */
  function forget() {
    verdict.replaceChildren();
    table.replaceChildren();
    at.textContent = "";
    points.begin({ D: [], part: [], names: [] });
    errors.clear();
    compared(false);
  }

  const choices = () => [...task.querySelectorAll("select, input, button")];

  /** Return what stands above the program: what to do, and what can be chosen. */
  function tasks(answer) {
    const found = [h("p", { class: "note" }, text.tasks[answer.mistakes > 1 ? "pair" : state.mode])];
    if (state.mode === "game") {
      const level = select(LEVELS, state.level, (value) => take({ level: value, seed: undefined }), (value) => text.levels[value]);
      const seed = h("input", { type: "number", min: 0, max: SEEDS, value: state.seed, onchange: () => take({ seed: seed.value }) });
      found.push(h("div", { class: "buttons" }, h("label", {}, text.level, " ", level),
        h("label", { class: "seed", title: text.sameForAll }, text.number, " ", seed), button(text.another, another)),
      h("p", { class: "score" }, score()));
    }
    if (state.mode === "slip") {
      const groups = grouped(answer.slips);
      const choice = h("select", { onchange: () => take({ slip: choice.value }) },
        ...[...groups].map(([name, members]) => h("optgroup", { label: name },
          ...members.map((i) => h("option", { value: i, selected: i === Number(state.slip) }, answer.slips[i][1])))));
      found.push(h("label", {}, text.slip, " ", choice));
    }
    return found;
  }

  function grouped(slips) {
    const groups = new Map();
    slips.forEach(([name], i) => groups.set(name, [...(groups.get(name) ?? []), i]));
    return groups;
  }

  /** Show the program; in the game each line can be chosen, as many as are wrong. */
  function lines(code, mistakes) {
    const game = state.mode === "game";
    program.className = "program";
    program.setAttribute("aria-label", game ? text.choose(mistakes) : text.program);
    program.replaceChildren(...code.map((line, i) => {
      const body = h("code", {}, line);
      if (!game) return h("li", {}, body);
      const input = h("input", {
        type: mistakes > 1 ? "checkbox" : "radio", name: "line", value: i,
        onchange: () => choose(i, input.checked, mistakes),
      });
      return h("li", {}, h("label", {}, input, body));
    }));
  }

  function choose(i, on, most) {
    guessed = [...guessed.filter((line) => line !== i), ...(on ? [i] : [])].slice(-most);
    program.querySelectorAll("input").forEach((input, line) => (input.checked = guessed.includes(line)));
  }

  async function check() {
    work.abort(); // the curve of the check before
    work = new AbortController();
    const { signal } = work, pressedGo = document.activeElement === go;
    go.disabled = true;
    source.trouble(null);
    verdict.replaceChildren(h("p", { class: "note" }, text.comparing));
    table.replaceChildren();
    errors.clear();
    let last = null;
    try {
      const asked = { ...setting(), ...what(), epsilon: errors.epsilon, guess: guessed, kind: kind.value || null };
      await source.follow("check", asked, (message) => {
        if (message.D) begun(message);
        else if (message.numerical) points.add(message.numerical);
        else if (message.table) last = message;
      }, signal);
      await points.filled();
      if (signal.aborted) return;
      told(last);
      go.disabled = false;
      if (pressedGo) (next.hidden ? go : next).focus({ preventScroll: true }); // who is disabled loses it
      await source.follow("errors", { ...setting(), ...what() }, (message) => message.numerical && errors.add(message), signal);
    } catch (error) {
      if (!signal.aborted) verdict.replaceChildren();
      source.trouble(error);
    } finally {
      if (!signal.aborted) go.disabled = false;
    }
  }

  /** Show the pictures of a comparison; before the first one there are none. */
  function compared(any) {
    nothing.hidden = any;
    points.element.hidden = parts.hidden = !any;
    errors.element.hidden = !any || state.mode === "own";
  }

  function begun(message) {
    shown = message;
    compared(true);
    points.begin(message);
  }

  /** Show what a check says. */
  function told(last) {
    fill(last.table, last.epsilon);
    verdict.replaceChildren(...result(last), ...findings(last));
    if (last.slips.length) reveal(last);
  }

  function findings({ ok, about_J, diagnosis, place, largest }) {
    return [
      h("p", { class: ok ? "passed" : "failed" }, ok ? text.passed : text.failed),
      h("p", { class: "note" }, ok ? text.agree(number(largest, 2)) : text.worst(number(largest, 2), place)),
      ...(about_J ? [h("p", { class: "note" }, about_J)] : []),
      ...diagnosis.slice(0, 3).map((finding) => h("div", { class: "finding" },
        h("p", {}, h("strong", {}, finding.name), ": ", finding.words),
        h("p", { class: "note" }, text.evidence, finding.evidence),
        h("p", { class: "note" }, text.source[finding.source], finding.note))),
      ...(diagnosis.length > 3 ? [h("p", { class: "note" }, text.lessLikely(diagnosis.slice(3).map(({ name }) => name)))] : []),
    ];
  }

  /** Count a round of the game, and say how it went. */
  function result({ found, slips }) {
    if (state.mode !== "game" || open) return [];
    const hits = found.filter(Boolean).length;
    count(hits, slips.length);
    return [h("p", { class: hits ? "won" : "lost" }, text.won(hits, slips.length, guessed.length || kind.value))];
  }

  /** Mark the lines that were changed, each with the right one. */
  function reveal({ right, slips }) {
    open = true;
    const { activeElement } = document;
    giveUp.hidden = guess.hidden = true;
    next.hidden = state.mode !== "game";
    const wrong = new Map(slips.flatMap(({ names, words: said, lines }) => lines.map((i) => [i, `${names[0]}: ${said}`])));
    [...program.children].forEach((item, i) => {
      item.querySelector("input")?.setAttribute("disabled", "");
      if (!wrong.has(i)) return;
      item.classList.add("slip");
      item.append(h("div", { class: "should" }, h("span", {}, text.should, " ", h("code", {}, right[i])), h("span", { class: "named" }, wrong.get(i))));
    });
    if (activeElement === giveUp || program.contains(activeElement)) next.focus({ preventScroll: true }); // it can be pressed
  }

  async function surrender() {
    try {
      const solved = await source.ask("answer", { ...setting(), ...what() }, work.signal);
      guessed = [];
      count(0, solved.slips.length);
      verdict.replaceChildren(h("p", { class: "lost" }, text.gaveUp));
      reveal(solved);
    } catch (error) {
      source.trouble(error);
    }
  }

  async function another() {
    await take({ mode: "game", seed: undefined });
    if (document.activeElement === document.body) program.querySelector("input")?.focus({ preventScroll: true });
  }

  function count(hits, of) {
    const before = JSON.parse(sessionStorage.getItem(SCORE) ?? "[0, 0]");
    sessionStorage.setItem(SCORE, JSON.stringify([before[0] + hits, before[1] + of]));
    task.querySelector(".score")?.replaceChildren(score());
  }

  function score() {
    const [hits, of] = JSON.parse(sessionStorage.getItem(SCORE) ?? "[0, 0]");
    return of ? text.score(hits, of) : "";
  }

  function fill(rows, epsilon) {
    parts.hidden = !rows.length; // the parts are known only with the network
    table.replaceChildren(...rows.map(({ name, error, ok }) => h("tr", { class: ok === false ? "bad" : "" },
      h("th", { scope: "row" }, text.part(name)), h("td", {}, error.toExponential(1).replace("-", "−")),
      h("td", {}, ok === undefined ? "" : ok ? text.ok : text.wrong))));
    at.textContent = text.at(number(epsilon, 2));
  }

  /** Watch the reader's own file: each save is another check. */
  async function watch(signal) {
    const status = h("p", { class: "note", role: "status" });
    const again = button(text.watchAgain, begin, { hidden: true });
    const stop = button(text.stop, () => {
      work.abort();
      clearTimeout(slow);
      status.textContent = text.stopped;
      stop.hidden = true;
      again.hidden = false;
    });
    const changes = h("div", { class: "changes" });
    if (options.path) {
      task.replaceChildren(h("p", { class: "path" }, options.path), status, h("div", { class: "buttons" }, stop, again), changes);
      program.setAttribute("aria-label", options.path);
    } else {
      task.replaceChildren(); // a report has no file, and comes once
      program.replaceChildren();
      program.removeAttribute("aria-label");
    }
    let saves = 0, names = [];
    try {
      await source.follow("own_code", {}, (message) => {
        clearTimeout(slow);
        if (message.lines || message.gone) forget(); // what stood there was of another version
        if (message.gone) {
          status.textContent = text.gone;
          changes.replaceChildren();
          program.replaceChildren();
          verdict.replaceChildren(h("p", { class: "failed" }, message.gone));
        } else if (message.lines) {
          const more = message.length - message.lines.length;
          program.className = "program listing";
          program.tabIndex = 0; // it scrolls
          program.replaceChildren(...message.lines.map((line) => h("li", {}, h("code", {}, line || " "))),
            ...(more > 0 ? [h("li", { class: "note" }, text.moreLines(more))] : []));
          for (const [line] of message.changes) program.children[line - 1]?.classList.add("changed");
          if (message.changes.length) bringUp(message.changes[0][0]);
          if (saves++) changes.replaceChildren(h("h2", {}, text.changed(new Date().toLocaleTimeString())), ...message.changes.slice(0, 8).map(difference));
          status.textContent = text.running;
          slow = setTimeout(() => (status.textContent = text.forever), PATIENCE);
        } else if (message.failed) {
          status.textContent = text.notRun;
          verdict.replaceChildren(h("p", { class: "failed" }, message.failed));
          markLine(message.line);
        } else {
          status.textContent = [text.waiting, ...message.told].join(" ");
          begun(message);
          points.add(message.numerical);
          fill(message.table, message.epsilon);
          const now = message.diagnosis.map(({ name }) => name);
          verdict.replaceChildren(...since(names, now, saves), ...findings(message));
          names = now;
        }
      }, signal);
    } catch (error) {
      source.trouble(error);
    }
    if (signal.aborted) return; // by who left, or pressed Stop and reads so
    clearTimeout(slow);
    status.textContent = text.unwatched;
    stop.hidden = true;
    again.hidden = false;
  }

  /** Say which mistakes the last check had named and this one does not. */
  function since(before, now, saves) {
    const gone = before.filter((name) => !now.includes(name));
    return saves > 1 && gone.length ? [h("p", { class: "won" }, text.mended(gone))] : [];
  }

  function difference([line, before, after]) {
    return h("div", { class: "difference" }, h("span", { class: "note" }, text.line(line)),
      ...(before ? [h("del", {}, before.trim())] : []), ...(after ? [h("ins", {}, after.trim())] : []));
  }

  function markLine(line) {
    const item = line && program.children[line - 1];
    if (!item) return;
    item.classList.add("slip");
    bringUp(line);
  }

  /** Scroll the file so that a line is seen, and leave the page where it is. */
  function bringUp(line) {
    const item = program.children[line - 1];
    if (item) program.scrollTop = item.offsetTop - program.offsetTop - program.clientHeight / 2;
  }

  function select(values, chosen, changed, name = String) {
    const element = h("select", { onchange: () => changed(element.value) },
      ...values.map((value) => h("option", { value, selected: String(value) === String(chosen) }, name(value))));
    return element;
  }

  /** Fill the choices of the network; they follow the settings. */
  function controls() {
    const isPreset = (preset) => Object.entries(preset).every(([name, value]) => state[name] === value);
    const now = Object.keys(options.presets).find((name) => isPreset(options.presets[name])) ?? "";
    const input = (name, more) => h("input", { value: state[name], ...more, onchange: (event) => fresh({ [name]: event.target.value }) });
    const fields = [
      [text.preset, select(["", ...Object.keys(options.presets)], now, (name) => name && fresh(options.presets[name]), (name) => name || text.ownNetwork)],
      [text.layers, input("layers", { pattern: "[0-9]+(-[0-9]+)+", size: 10 })],
      ["hidden", select(options.activations, state.hidden, (hidden) => fresh({ hidden }))],
      ["output", select(options.outputs, state.output, (output) => fresh({ output }))],
      ["lam", input("lam", { type: "number", min: 0, max: 1000, step: "any" })],
      [text.rows, input("rows", { type: "number", min: 1, max: 200 })],
    ];
    network.replaceChildren(network.firstChild, h("div", { class: "setting" },
      ...fields.map(([name, field]) => h("label", {}, h("span", {}, name), field))));
  }

  /** Take another network: a mistake's number means another one there. */
  function fresh(changes) {
    const { activeElement } = el.getRootNode();
    const place = [...network.querySelectorAll("select, input")].indexOf(activeElement);
    take({ ...changes, slip: "0", seed: undefined });
    network.querySelectorAll("select, input")[place]?.focus();
  }

  function pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches?.("input:not([type=radio], [type=checkbox], [type=range]), select, textarea, dialog *")) return;
    if (event.key === "Enter" && event.target.name === "line" && !go.disabled) check();
    else if (event.key === "c" && !go.hidden && !go.disabled) check();
    else if (event.key === "n" && state.mode !== "own") another();
    else return;
    event.preventDefault();
  }

  async function start() {
    try {
      options = await source.ask("checks", {}, work.signal);
      errors.over(options.epsilons);
    } catch (error) {
      return source.trouble(error);
    }
    there = MODES.filter((mode) => mode !== "own" || options.own);
    if (!there.includes(state.mode)) [state.mode] = there;
    modes.replaceChildren(...there.map((mode) => button(mode === "own" ? options.own : text.mode[mode],
      () => take({ mode }), { value: mode, "aria-pressed": false })));
    await take({});
  }

  source.keys.addEventListener("keydown", pressed);
  start();
  return () => {
    source.keys.removeEventListener("keydown", pressed);
    clearTimeout(slow);
    points.end();
    work.abort();
  };
}
