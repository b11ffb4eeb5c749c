// The ways out of every view: the run on show as text that does it again, files, and a link.

import { button, h } from "./dom.js";
import { words } from "./words.js";

// What a view may have on show beside a run, and the languages that do it again
const TEXTS = { numbers: ["python", "octave"], gradient: ["python"], lap: ["python"], reading: ["python", "command"] };
const FILES = ["model", "record", "history", "npz", "mat", "picture"];

/** Fill `el` with the menu; `source` has `ask`, `network` and `trouble` as a view's has.  Its `tell` takes
 * what a view shows: { run, iteration }, or one of TEXTS with a function, or null. */
export function ways(el, source) {
  const say = words.ways;
  const list = h("div", { class: "menu", hidden: true, id: "ways-menu" });
  const open = button(`${say.menu} ▾`, () => toggle(list.hidden), {
    "aria-expanded": "false", "aria-controls": "ways-menu",
  });
  const text = h("pre", { tabindex: 0, role: "region", "aria-label": say.text });
  const heading = h("h2"), note = h("p", { class: "note" }), done = h("p", { role: "status" });
  const matrices = button("", () => download("download", { ...run, what: "mat" }).catch((error) => {
    sheet.close();
    source.trouble(error);
  }));
  const sheet = h("dialog", { class: "copied", "aria-label": say.text }, heading, text, note, done,
    h("div", { class: "buttons" }, button(say.copy, copy), matrices, button(words.close, () => sheet.close())));
  el.replaceChildren(open, list, sheet);
  let run = null, kind, asked; // kind: one of TEXTS; asked: a function that returns what the view would ask for

  const item = (name, act) => h("li", {}, button(name, () => {
    toggle(false);
    open.focus(); // a dialog gives the focus back to where it was, which the menu no longer shows
    Promise.resolve(act()).catch((error) => source.trouble(error));
  }));
  const group = (title, ...items) => [h("h2", {}, title), h("ul", {}, ...items)];

  function toggle(on) {
    list.hidden = !on;
    open.setAttribute("aria-expanded", on);
    if (!on) return;
    list.replaceChildren(
      ...(run ? [
        ...group(say.again, ...["python", "command", "octave"].map((name) => item(say[name], () => copied(name)))),
        ...group(say.files, ...FILES.map((what) => item(say[what], () => download("download", { ...run, what })))),
        h("p", { class: "note" }, say.theta(run.iteration)),
      ] : kind ? group(say[kind], ...TEXTS[kind].map((name) => item(say.plain[name], () => copied(name)))) : []),
      ...(kind === "reading" ? [
        ...group(say.files, item(say.model, () => download("opened-model")),
          ...(source.network()?.own ? [item(say.own, () => download("own"))] : [])),
        h("p", { class: "note" }, say.noRun),
      ] : []),
      h("ul", {}, item(say.link, () => show(say.link, location.href, say.linkNote))));
    list.querySelector("button").focus();
  }

  async function copied(name) {
    const answer = await source.ask("copied", run ? { run: run.run } : asked());
    const files = answer.needs[name];
    const missing = answer[`no_${name}`];
    if (missing) return show(say.plain[name], "", say.none[name] ?? missing);
    const shown = show(say.plain[name], answer[name], files.length ? say.needs[name](files) : "");
    matrices.hidden = name !== "octave" || !files.length;
    matrices.textContent = say.matrices(files[0]);
    return shown;
  }

  async function download(route, values) {
    const { name, content } = await source.ask(route, values);
    const link = h("a", { href: URL.createObjectURL(new Blob([content])), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  function show(title, content, hint) {
    heading.textContent = title;
    text.textContent = content;
    text.hidden = !content;
    note.textContent = hint;
    done.textContent = "";
    matrices.hidden = true;
    sheet.showModal();
    return content && copy();
  }

  async function copy() {
    try {
      await navigator.clipboard.writeText(text.textContent);
      done.textContent = say.copied;
    } catch { // the browser may not allow it
      getSelection().selectAllChildren(text);
      done.textContent = say.notCopied;
    }
  }

  list.addEventListener("keydown", (event) => {
    const buttons = [...list.querySelectorAll("button")];
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (step) {
      buttons[buttons.indexOf(document.activeElement) + step]?.focus();
      event.preventDefault();
    }
  });
  el.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || list.hidden) return;
    toggle(false);
    open.focus();
    event.stopPropagation();
  });
  document.addEventListener("pointerdown", (event) => !el.contains(event.target) && !list.hidden && toggle(false));
  return {
    tell(shown) {
      run = shown?.run ? { run: shown.run, iteration: shown.iteration } : null;
      kind = Object.keys(TEXTS).find((name) => shown?.[name]);
      asked = shown?.[kind];
    },
  };
}
