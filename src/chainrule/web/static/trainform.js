// The settings of a training.  Each control has the name of the library's parameter.

import { h } from "./dom.js";
import { words } from "./words.js";

// What a setting holds, in the order of the form; `wholes` and `names` are lists with commas between
const FIELDS = {
  hidden: { kind: "wholes" },
  activation: { kind: "names", choices: "activations" },
  lam: { kind: "real" },
  optimizer: { kind: "name", choices: "optimizers" },
  learning_rate: { kind: "real", rule: true },
  max_iter: { kind: "whole" },
  seed: { kind: "whole" },
  output: { kind: "name", choices: "outputs", optional: true, more: true },
  batch_size: { kind: "whole", rule: true, more: true },
  dropout: { kind: "reals", rule: true, more: true },
  validation: { kind: "real", more: true },
  patience: { kind: "whole", more: true },
  test_size: { kind: "real", more: true },
  scale: { kind: "flag", more: true },
  target: { kind: "names", table: true },
  drop: { kind: "names", table: true, list: true },
  missing: { kind: "name", table: true, choices: ["mean", "drop", "category"], optional: true },
  kind: { kind: "name", table: true, choices: ["classes", "numbers"], optional: true },
  keep: { kind: "names", table: true, list: true },
  na: { kind: "names", table: true, list: true },
};
const LISTS = new Set(["wholes", "reals", "names"]);
const OTHERS = ["data", "table", "start", "header", "encoding"]; // settings without a control of their own
export const KEYS = [...OTHERS, ...Object.keys(FIELDS)];

/** Return settings as the server takes them from strings as the address has them. */
export function typed(strings) {
  const found = {};
  for (const [name, text] of Object.entries(strings)) {
    const value = KEYS.includes(name) && text !== "" ? parsed(name, String(text)) : undefined;
    if (value !== undefined) found[name] = value;
  }
  return found;
}

function parsed(name, text) {
  if (name === "table") return Number(text);
  if (name === "header") return text === "true";
  const { kind, list } = FIELDS[name] ?? { kind: "name" };
  const parts = text.split(",").map((part) => part.trim()).filter(Boolean);
  // What is no number goes to the server as it is, which says what it should be
  const of = (part) => (kind === "names" || Number.isNaN(Number(part)) ? part : Number(part));
  if (kind === "wholes") return parts.map(of);
  if (kind === "names" || kind === "reals") return list || parts.length > 1 ? parts.map(of) : of(parts[0] ?? "");
  if (kind === "flag") return text === "true";
  return kind === "name" ? text : of(text.trim());
}

/** Return settings as strings. */
export const strings = (settings) => Object.fromEntries(
  Object.entries(settings).map(([name, value]) => [name, String(value)]));

/** Return the form; `changed(name)` is called when the reader has changed a control. */
export function form(known, changed) {
  const controls = {};
  const say = words.train;

  function control(name) {
    const { kind, choices, optional } = FIELDS[name];
    const id = `train-${name}`, hint = `${id}-hint`;
    const common = { id, "aria-describedby": hint, onchange: () => touched(name) };
    const options = Array.isArray(choices) ? choices : known[choices];
    if (kind === "flag") {
      controls[name] = h("select", common, ...[["", say.auto], ["true", say.yes], ["false", say.no]]
        .map(([value, text]) => h("option", { value }, text)));
    } else if (options) {
      controls[name] = h("select", common, ...(optional ? [h("option", { value: "" }, say.auto)] : []),
        ...options.map((value) => h("option", { value }, value)));
    } else {
      controls[name] = h("input", { ...common, type: "text", autocomplete: "off", spellcheck: "false",
        inputmode: kind === "names" ? "text" : LISTS.has(kind) ? "text" : "decimal", placeholder: say.placeholders[name] ?? say.auto });
    }
    return h("div", { class: "field", "data-name": name },
      h("label", { for: id }, name), controls[name], h("span", { class: "note", id: hint }, say.hints[name]));
  }

  const names = (which) => Object.keys(FIELDS).filter((name) => which(FIELDS[name]));
  const few = h("div", { class: "fields" }, ...names(({ more, table }) => !more && !table).map(control));
  const more = h("details", {}, h("summary", {}, say.more),
    h("div", { class: "fields" }, ...names((field) => field.more).map(control)));
  const table = h("details", { hidden: true }, h("summary", {}, say.columnsOf),
    h("div", { class: "fields" }, ...names((field) => field.table).map(control)));
  const others = {};

  function touched(name) {
    show();
    changed(name);
  }

  /** Hide what does not belong to the optimizer, or to data by name. */
  function show() {
    const rule = known.rules.includes(controls.optimizer.value);
    for (const [name, field] of Object.entries(FIELDS)) {
      if (field.rule) controls[name].closest(".field").hidden = !rule;
    }
    table.hidden = others.table === undefined;
  }

  return {
    few, more, table,
    /** The settings as the server takes them. */
    get settings() {
      const rule = known.rules.includes(controls.optimizer.value);
      const given = Object.entries(controls).filter(([name]) => {
        const field = FIELDS[name];
        return (rule || !field.rule) && (others.table !== undefined || !field.table);
      }).map(([name, { value }]) => [name, value.trim()]);
      return { ...others, ...typed(Object.fromEntries(given)) };
    },
    /** Fill in settings, and leave all else as the library has it. */
    fill(settings) {
      for (const name of OTHERS) delete others[name];
      for (const name of OTHERS) if (settings[name] !== undefined) others[name] = settings[name];
      for (const [name, element] of Object.entries(controls)) {
        const text = settings[name] === undefined ? say.defaults[name] ?? "" : String(settings[name]);
        if (element.matches("select") && ![...element.options].some(({ value }) => value === text)) {
          element.append(h("option", { value: text }, text)); // tanh,relu: one a layer
        }
        element.value = text;
      }
      if ([...more.querySelectorAll("input, select")].some(({ value }) => value !== "")) more.open = true;
      show();
    },
  };
}
