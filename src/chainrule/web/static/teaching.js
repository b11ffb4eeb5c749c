// Wrong? Learn it: what the reader says a picture is, the network learns.

import { button, h } from "./dom.js";
import { words } from "./words.js";

/** Return the line that teaches; `picture()` is what is shown, `changed()` is told of a new network. */
export function teaching(source, picture, changed) {
  const choice = h("select", {}, ...Array.from({ length: 10 }, (_, y) => h("option", { value: y }, y)));
  const learn = button(words.learn, start);
  const ask = h("div", { class: "wrong", hidden: true }, h("label", {}, words.wrong, " ", choice), " ", learn);
  const bar = h("progress", { max: 1, "aria-label": words.working.learning });
  const doing = h("div", { class: "note" });
  const work = h("div", { hidden: true }, bar, doing);
  const result = h("strong", { role: "status" });
  const count = h("span");
  const forget = button(words.forget, undo);
  const own = h("div", { class: "own", hidden: true }, result, h("div", { class: "note" }, count, " "), forget);
  const stop = new AbortController();
  let read = null; // the mark that is shown, and as what it was read

  async function start() {
    const x = picture()?.slice();
    if (!x) return;
    x.shape = [x.length];
    source.trouble(null);
    busy(true);
    try {
      await source.follow("learn", { x, y: Number(choice.value) }, (told) => {
        if (told.what) {
          bar.value = told.share;
          doing.textContent = words.working[told.what];
        } else {
          result.textContent = words.learnt(told.y, told.before, told.after);
          learnt(told.own);
          changed();
        }
      }, stop.signal);
    } catch (error) {
      source.trouble(error);
    }
    busy(false);
  }

  async function undo() {
    try {
      learnt((await source.ask("forget")).own);
      changed();
    } catch (error) {
      source.trouble(error);
    }
  }

  function busy(now) {
    work.hidden = !now;
    learn.disabled = forget.disabled = now;
    bar.removeAttribute("value"); // until the first share is told
    doing.textContent = words.working.learning;
  }

  function learnt(n) {
    source.network.own = n;
    own.hidden = !n;
    count.textContent = words.own(n);
  }

  learnt(source.network.own);
  return {
    element: h("div", {}, ask, work, own),
    /** Offer to teach the mark that was read as `label`; null where nothing was. */
    show(label, mark) {
      const now = label === null ? null : `${mark}: ${label}`;
      ask.hidden = label === null;
      if (now !== read && now !== null && label !== "none") choice.value = label; // else it is the reader's
      read = now;
    },
    end: () => stop.abort(),
  };
}
