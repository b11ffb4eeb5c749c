// The keys of the page: `?` lists those of the view in a dialog, others change the view.

import { button, h } from "./dom.js";
import { words } from "./words.js";

const OFF = "keys are off"; // what the browser remembers it by

/** Let keys change the view; return the button that lists them.  `now` tells the view that is
 * shown, `turn` shows another. */
export function keys(views, now, turn) {
  const list = h("div");
  const on = h("input", { type: "checkbox", onchange: () => {
    if (on.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "");
  } });
  const dialog = h("dialog", { "aria-labelledby": "keys-title", onkeydown: (event) => event.stopPropagation() },
    h("div", { class: "head" }, h("h2", { id: "keys-title" }, words.keys.title),
      button(words.keys.close, () => dialog.close(), { autofocus: true })),
    list, h("label", {}, on, " ", words.keys.on));
  document.body.append(dialog);

  function show() {
    const name = now();
    const others = views.filter((view) => view !== name);
    const turning = others.map((view) => [words.keys.view[view], words.keys.turn(words.views[view])]);
    list.replaceChildren(
      ...[[words.views[name], words.keys.in[name] ?? []], [words.keys.everywhere, [...turning, ...words.keys.all]]]
        .filter(([, rows]) => rows.length)
        .map(([caption, rows]) => h("table", { class: "keys" }, h("caption", {}, caption),
          h("tbody", {}, ...rows.map(([names, what]) => h("tr", {},
            h("th", { scope: "row" }, ...names.split(" ").map((key) => h("kbd", {}, key))), h("td", {}, what)))))));
    on.checked = localStorage.getItem(OFF) === null;
    dialog.showModal();
  }

  function pressed(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event)) return;
    const view = views.find((name, i) => event.key === words.keys.view[name] || event.key === String(i + 1));
    if (event.key === "?") show();
    else if (view && view !== now()) turn(view);
    else return;
    event.preventDefault();
  }

  // Who speaks to the machine, and is heard as letters, can switch single keys off
  addEventListener("keydown", (event) => {
    if (/^\S$/.test(event.key) && !typing(event) && localStorage.getItem(OFF) !== null) event.stopPropagation();
  }, true);
  addEventListener("keydown", pressed);
  return button("?", show, { title: words.keys.title, "aria-label": words.keys.title, "aria-haspopup": "dialog" });
}

/** Whether what has the focus takes letters itself. */
function typing(event) {
  return event.target.matches?.("input:not([type=checkbox], [type=range], [type=button]), select, textarea, dialog *");
}
