// The Drive view: a recorded lap goes through the network, and the reader may take from it what it
// sees or thinks with.  The server evaluates the whole lap anew after each change.

import { button, h, inside, still } from "./dom.js";
import { display, layered } from "./math.js";
import { canvas, grey, largest, signed } from "./paint.js";
import { newest } from "./transport.js";
import { words } from "./words.js";

const svg = inside("http://www.w3.org/2000/svg");
const RATES = [1, 1 / 2, 1 / 4, 1 / 10];
const DARK = 0.6; // shade over the weights of a unit whose activation is 0
const CARD = 8; // receptors that a card of one click covers, down and across
const STEERING = 0; // column of the orders

/** Fill `el` with the view; return how it ends. */
export function mount(el, source) {
  const { drive: said } = words;
  const stop = new AbortController();
  const root = h("div", { class: "drive" }, h("p", { class: "note" }, said.loading));
  el.replaceChildren(root);
  source.ask("lap", {}, stop.signal).then(build, source.trouble);

  function build(lap) {
    const [looks, rows, columns] = lap.retina.shape;
    const hidden = lap.layers[1];
    const off = new Set((source.settings.off ?? "").split(",").map(Number).filter((j) => j >= 1 && j <= hidden));
    let card = cardOf(source.settings.card), kind = source.settings.cover;
    if (!lap.covers.includes(kind)) [kind] = lap.covers;
    let before = null, now = null; // what the network orders: as it learnt it, and as it is changed
    let look = within(source.settings.look, looks), time = look, clock = 0, frame = 0;

    const road = retina(rows, columns, lap, moved);
    const units = Array.from({ length: hidden }, (_, j) => unit(lap, j, () => toggle(j + 1)));
    const first = lap.hills[STEERING][2];
    const hills = lap.hills.map((limits, k) => hill(limits, k ? said.speed : said.steering, k * first));
    const course = graph(lap, (at) => seek(at));
    const told = h("p", { class: "orders" });
    const slider = h("input", {
      type: "range", min: 0, max: looks - 1, step: 1, "aria-label": said.scrub, oninput: () => seek(Number(slider.value)),
    });
    const play = button("", () => (frame ? pause() : start()), { class: "play" });
    const rate = h("select", { "aria-label": said.rate }, ...RATES.map((value, i) => h("option", { value }, said.rates[i])));
    const covering = h("select", { onchange: () => { kind = covering.value; change(); } },
      ...lap.covers.map((name) => h("option", { value: name, selected: name === kind }, said.covers[name])));
    const uncover = button(said.uncover, () => moved(null), { class: "plain" });
    const all = button(said.allOn, () => { off.clear(); change(); }, { class: "plain" });
    const apart = h("p", { role: "status" });
    const ghost = sample("ghost", said.before);

    root.replaceChildren(
      h("section", { class: "card" }, h("h1", {}, said.title), h("p", { class: "note" }, said.hint), road.element,
        slider, h("div", { class: "buttons" }, play, rate),
        h("div", { class: "buttons" }, h("label", {}, said.coverWith, " ", covering), uncover)),
      h("div", { class: "within" },
        h("section", { class: "card" },
          h("div", { class: "head" }, h("h2", {}, said.units(hidden), " ", h("small", {}, lap.layers.join("-"))), all),
          h("p", { class: "note" }, said.unitsHint), h("div", { class: "neurons" }, ...units.map(({ element }) => element))),
        h("section", { class: "card" }, h("h2", {}, said.graph), course.element, apart)),
      h("section", { class: "card" }, h("h2", {}, said.hills), told, ...hills.map(({ element }) => element),
        h("p", { class: "note legend" }, sample("own", said.own), sample("his", said.teacher), ghost),
        display(layered("δ", 3), "=", layered("a", 3), "−", "y"), h("p", { class: "note" }, said.deltaLine)),
      h("section", { class: "card about" }, h("h2", {}, said.aboutTitle), h("div", {}, ...said.about.map((text) => h("p", {}, text)))));

    const wanted = newest((name, values) => source.ask(name, values, stop.signal), heard, source.trouble);

    function heard(answer) {
      now = answer;
      if (!off.size && !card) before = answer;
      course.show(before?.orders, changed() ? now.orders : null);
      apart.textContent = said.apart(now.apart, changed() ? before?.apart : null);
      show();
    }

    const changed = () => off.size > 0 || card !== null;

    const asked = () => ({ off: [...off], ...(card ? { ...card, cover: kind } : {}) });
    source.tell({ lap: () => ({ what: "lap", ...asked() }) });

    /** Ask for the orders after a change, and keep it in the address. */
    function change() {
      units.forEach(({ switched }, j) => switched(!off.has(j + 1)));
      road.cover(card);
      uncover.hidden = !card;
      all.hidden = !off.size;
      ghost.hidden = !changed();
      source.remember({
        off: off.size ? [...off].sort().join(",") : null, card: card && Object.values(card).join(","), cover: card && kind,
      });
      wanted("drive", asked());
    }

    function toggle(j) {
      if (!off.delete(j)) off.add(j);
      change();
    }

    function moved(next) {
      card = next;
      change();
    }

    function show() {
      if (!now) return;
      road.show(look, now.paths, changed() ? before?.paths : null);
      units.forEach(({ show: lit }, j) => lit(now.hidden[look * hidden + j]));
      hills.forEach(({ show: drawn }) => drawn(look, now, lap, changed() ? before : null));
      const [own, his] = [now.orders, lap.teacher].map((orders) => orders.subarray(2 * look, 2 * look + 2));
      told.replaceChildren(h("strong", {}, said.orders(own)), h("span", { class: "note" }, said.teacherOrders(his)));
      course.at(look);
      slider.value = look;
      slider.setAttribute("aria-valuetext", said.at(look / lap.a_second, own));
    }

    function seek(at) {
      pause();
      time = look = within(at, looks);
      source.remember({ look });
      show();
    }

    function start() {
      if (look === looks - 1) time = look = 0;
      clock = performance.now();
      frame = requestAnimationFrame(advance);
      named();
    }

    function advance(at) {
      time += Math.max(0, at - clock) / 1000 * lap.a_second * Number(rate.value);
      clock = at;
      if (time >= looks - 1) return seek(looks - 1);
      if (look !== Math.floor(time)) {
        look = Math.floor(time);
        show();
      }
      frame = requestAnimationFrame(advance);
    }

    function pause() {
      cancelAnimationFrame(frame);
      if (frame) source.remember({ look });
      frame = 0;
      named();
    }

    function named() {
      play.textContent = frame ? said.pause : said.play;
    }

    function pressed(event) {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      const typing = event.target.matches("select, input");
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (event.key === " " && !event.target.matches("button, select")) frame ? pause() : start();
      else if (typing) return;
      else if (step) seek(look + step * (event.shiftKey ? lap.a_second : 1));
      else if (event.key === "Home") seek(0);
      else if (event.key === "End") seek(looks - 1);
      else if (Number(event.key) >= 1 && Number(event.key) <= hidden) toggle(Number(event.key));
      else return;
      event.preventDefault();
    }

    function cardOf(text) {
      const [top, left, bottom, right] = (text ?? "").split(",").map(Number);
      return 0 <= top && top < bottom && bottom <= rows && 0 <= left && left < right && right <= columns
        ? { top, left, bottom, right } : null;
    }

    document.addEventListener("keydown", pressed, { signal: stop.signal });
    stop.signal.addEventListener("abort", pause);
    if (off.size || card) {
      source.ask("drive", { off: [] }, stop.signal).then((answer) => { before = answer; change(); }, source.trouble);
    } else {
      change();
    }
    named();
    if (!still() && source.settings.look === undefined) start();
  }

  return () => stop.abort();
}

const within = (at, n) => Math.min(n - 1, Math.max(0, Math.floor(Number(at)) || 0));

/** Return a line as the graphs draw it, with its name. */
const sample = (kind, text) => h("span", {},
  svg("svg", { viewBox: "0 0 24 8", "aria-hidden": "true" }, svg("path", { class: kind, d: "M0 4H24" })), text);

/** The retina with the car, where the orders lead, and a card; `moved(card)` is told of another card. */
function retina(rows, columns, lap, moved) {
  const { drive: said } = words;
  const picture = canvas(said.retina, "road");
  const points = lap.teacher_paths.shape[1];
  const [ghost, own, his] = ["ghost", "own", "his"].map((kind) => svg("polyline", { class: kind }));
  const cover = svg("rect", { class: "cover" });
  const [row, column] = lap.car;
  const car = svg("rect", { class: "car", x: column - 0.8, y: row - 1.3, width: 1.6, height: 2.6 });
  const over = svg("svg", {
    viewBox: `0 0 ${columns} ${rows}`, class: "over", tabindex: 0, role: "application", "aria-label": said.coverKeys,
  }, cover, ghost, own, his, car);
  let card = null, from = null, dragged = false;

  const place = (event) => {
    const box = over.getBoundingClientRect();
    return {
      row: Math.min(rows - 1, Math.max(0, Math.floor(rows * (event.clientY - box.top) / box.height))),
      column: Math.min(columns - 1, Math.max(0, Math.floor(columns * (event.clientX - box.left) / box.width))),
    };
  };
  const between = (a, b) => ({
    top: Math.min(a.row, b.row), left: Math.min(a.column, b.column),
    bottom: Math.max(a.row, b.row) + 1, right: Math.max(a.column, b.column) + 1,
  });
  const around = ({ row, column }) => {
    const top = Math.min(rows - CARD, Math.max(0, row - CARD / 2));
    const left = Math.min(columns - CARD, Math.max(0, column - CARD / 2));
    return { top, left, bottom: top + CARD, right: left + CARD };
  };
  const covers = ({ row, column }) =>
    card && card.top <= row && row < card.bottom && card.left <= column && column < card.right;

  over.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button) return;
    over.setPointerCapture(event.pointerId);
    from = place(event);
    dragged = false;
  });
  over.addEventListener("pointermove", (event) => {
    if (!from) return;
    const to = place(event);
    if (!dragged && to.row === from.row && to.column === from.column) return;
    dragged = true;
    moved(between(from, to));
  });
  over.addEventListener("pointerup", () => {
    if (from && !dragged) moved(covers(from) ? null : around(from));
    from = null;
  });
  over.addEventListener("pointercancel", () => (from = null));
  over.addEventListener("keydown", (event) => {
    const [down, right] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] ?? [0, 0];
    if (event.key === "Enter") moved(card ? null : around({ row: rows / 2, column: columns / 2 }));
    else if (card && (event.key === "Delete" || event.key === "Backspace" || event.key === "Escape")) moved(null);
    else if (card && (down || right)) moved(shifted(event.shiftKey, down, right));
    else return;
    event.preventDefault();
  });

  /** Return the card moved by a receptor, or its lower right corner alone. */
  function shifted(corner, down, right) {
    const { top, left, bottom, right: end } = card;
    if (corner) {
      return { top, left, bottom: Math.min(rows, Math.max(top + 1, bottom + down)), right: Math.min(columns, Math.max(left + 1, end + right)) };
    }
    if (top + down < 0 || bottom + down > rows || left + right < 0 || end + right > columns) return card;
    return { top: top + down, left: left + right, bottom: bottom + down, right: end + right };
  }

  const path = (paths, look) => Array.from({ length: points }, (_, i) => {
    const at = 2 * (look * points + i);
    return `${paths[at + 1].toFixed(2)},${paths[at].toFixed(2)}`;
  }).join(" ");

  return {
    element: h("div", { class: "retina" }, picture, over),
    cover(next) {
      card = next;
      const { top, left, bottom, right } = card ?? { top: 0, left: 0, bottom: 0, right: 0 };
      for (const [name, value] of Object.entries({ x: left, y: top, width: right - left, height: bottom - top })) {
        cover.setAttribute(name, value);
      }
    },
    show(look, paths, before) {
      const n = rows * columns;
      grey(picture, lap.retina.subarray(look * n, (look + 1) * n), [rows, columns], 255);
      own.setAttribute("points", path(paths, look));
      his.setAttribute("points", path(lap.teacher_paths, look));
      ghost.setAttribute("points", before ? path(before, look) : "");
    },
  };
}

/** A hidden unit: its weights as a picture, its votes, its activation, and a switch. */
function unit(lap, j, toggled) {
  const { drive: said } = words;
  const [, rows, columns] = lap.weights.shape, n = rows * columns, K = lap.votes.shape[1];
  const weights = lap.weights.subarray(j * n, (j + 1) * n), votes = lap.votes.subarray(j * K, (j + 1) * K);
  const picture = canvas(said.weights(j + 1));
  signed(picture, weights, [rows, columns], largest(weights));
  const lamp = h("span", { class: "lamp", "aria-hidden": "true" });
  const value = h("span", { class: "value" });
  const bar = h("span", { class: "bar" });
  const state = h("strong");
  const name = button(said.unit(j + 1), toggled, { role: "switch" });
  name.append(state);
  const element = h("div", { class: "neuron" },
    h("div", { class: "lit" }, picture, lamp),
    h("div", {}, name, h("div", { class: "activation" }, h("span", { class: "track" }, bar), value),
      ...lap.hills.map(([, , units], k) => ballot(votes.subarray(k ? lap.hills[0][2] : 0).subarray(0, units), largest(votes), k ? said.speed : said.steering))));
  return {
    element,
    switched(on) {
      name.setAttribute("aria-checked", on);
      state.textContent = on ? said.on : said.off;
      element.classList.toggle("off", !on);
    },
    show(a) {
      bar.style.width = `${100 * a}%`;
      lamp.style.opacity = DARK * (1 - a);
      value.textContent = a.toFixed(2);
    },
  };
}

/** A unit's votes for the outputs of one hill: up is for, down is against. */
function ballot(votes, most, name) {
  const { drive: said } = words;
  const height = (vote) => (most > 0 ? 10 * Math.abs(vote) / most : 0);
  return h("figure", {},
    svg("svg", { class: "ballot", viewBox: `0 0 ${votes.length} 20`, preserveAspectRatio: "none", role: "img", "aria-label": said.votes(name) },
      ...[...votes].map((vote, i) => svg("rect", {
        class: vote > 0 ? "plus" : "minus", x: i, width: 1, y: vote > 0 ? 10 - height(vote) : 10, height: height(vote),
      }))),
    h("figcaption", {}, name));
}

/** A hill: the outputs as bars, the teacher's as a line, the orders read off both, and delta(3). */
function hill([low, high, units], name, start) {
  const { drive: said } = words;
  const H = 60, D = 22; // heights of a hill and of a delta of 1
  const bars = Array.from({ length: units }, (_, i) => svg("rect", { class: "output", x: i + 0.1, width: 0.8 }));
  const deltas = Array.from({ length: units }, (_, i) => svg("rect", { x: i + 0.1, width: 0.8 }));
  const [ghost, his] = ["ghost", "his"].map((kind) => svg("polyline", { class: kind }));
  const [hisOrder, ownOrder] = ["his", "own"].map((kind) => svg("path", { class: kind }));
  const picture = svg("svg", {
    class: "hill", viewBox: `0 -4 ${units} ${H + 2 * D + 10}`, preserveAspectRatio: "none", role: "img",
  }, svg("path", { class: "axis", d: `M0 ${H}H${units}M0 ${H + 4 + D}H${units}` }),
  ...bars, ...deltas, ghost, his, ownOrder, hisOrder);
  const values = (array, look, K) => array.subarray(look * K + start, look * K + start + units);
  const line = (a) => [...a].map((value, i) => `${i + 0.5},${H * (1 - value)}`).join(" ");
  const order = (value) => {
    const x = 0.5 + (units - 1) * Math.min(1, Math.max(0, (value - low) / (high - low)));
    return `M${x} -4V${H}`;
  };
  const k = start ? 1 : 0;
  return {
    element: h("figure", {}, h("div", { class: "ends" }, ...said.ends[k].map((text) => h("span", {}, text))), picture),
    show(look, now, lap, before) {
      const K = lap.layers[2];
      const a = values(now.outputs, look, K), delta = values(now.delta, look, K);
      bars.forEach((bar, i) => place(bar, H * (1 - a[i]), H * a[i]));
      deltas.forEach((bar, i) => {
        bar.setAttribute("class", delta[i] > 0 ? "plus" : "minus");
        place(bar, H + 4 + D - D * Math.max(0, delta[i]), D * Math.abs(delta[i]));
      });
      his.setAttribute("points", line(values(lap.y, look, K)));
      ghost.setAttribute("points", before ? line(values(before.outputs, look, K)) : "");
      hisOrder.setAttribute("d", order(lap.teacher[2 * look + k]));
      ownOrder.setAttribute("d", order(now.orders[2 * look + k]));
      picture.setAttribute("aria-label", said.hillLabel(name, now.orders[2 * look + k], lap.teacher[2 * look + k], k));
    },
  };
}

function place(rect, y, height) {
  rect.setAttribute("y", y);
  rect.setAttribute("height", height);
}

/** The steering over the lap; a click or a drag goes to a look. */
function graph(lap, seek) {
  const { drive: said } = words;
  const [looks] = lap.retina.shape, H = 100, limit = largest(lap.teacher.filter((_, i) => i % 2 === STEERING));
  const [ghost, own, his] = ["ghost", "own", "his"].map((kind) => svg("polyline", { class: kind }));
  const cursor = svg("path", { class: "cursor" });
  const seconds = Array.from({ length: Math.ceil(looks / lap.a_second) }, (_, s) => s).slice(1);
  const picture = svg("svg", { class: "steering", viewBox: `0 0 ${looks - 1} ${H}`, preserveAspectRatio: "none", role: "img", "aria-label": said.graph },
    svg("path", { class: "axis", d: `M0 ${H / 2}H${looks}` + seconds.map((s) => `M${s * lap.a_second} ${H / 2 - 3}V${H / 2 + 3}`).join("") }),
    ghost, own, his, cursor);
  const line = (orders) => Array.from({ length: looks }, (_, i) =>
    `${i},${(H / 2) * (1 - orders[2 * i + STEERING] / limit / 1.05)}`).join(" ");
  const to = (event) => {
    const box = picture.getBoundingClientRect();
    seek((looks - 1) * (event.clientX - box.left) / box.width);
  };
  picture.addEventListener("pointerdown", (event) => {
    picture.setPointerCapture(event.pointerId);
    to(event);
  });
  picture.addEventListener("pointermove", (event) => event.buttons && to(event));
  his.setAttribute("points", line(lap.teacher));
  return {
    element: h("div", { class: "course" }, h("span", { class: "up" }, said.ends[0][2]), picture, h("span", { class: "down" }, said.ends[0][0])),
    show(before, now) {
      own.setAttribute("points", now ?? before ? line(now ?? before) : "");
      ghost.setAttribute("points", now && before ? line(before) : "");
    },
    at: (look) => cursor.setAttribute("d", `M${look} 0V${H}`),
  };
}
