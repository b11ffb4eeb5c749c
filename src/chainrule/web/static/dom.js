// Elements made without HTML: whatever comes from data is text and nothing else.

/** Return an element: h("p", { class: "note", onclick: f }, "text", child, ...). */
export function h(tag, properties = {}, ...children) {
  return filled(document.createElement(tag), properties, children);
}

/** As `h`, for elements of SVG and MathML. */
export function inside(namespace) {
  return (tag, properties = {}, ...children) =>
    filled(document.createElementNS(namespace, tag), properties, children);
}

function filled(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

/** Return a button. */
export function button(text, onclick, properties = {}) {
  return h("button", { type: "button", onclick, ...properties }, text);
}

/** Make the buttons of a list one tab stop, in which the arrow keys move. */
export function roving(list) {
  const buttons = [...list.querySelectorAll("button")];
  buttons.forEach((each, i) => (each.tabIndex = i ? -1 : 0));
  list.addEventListener("keydown", (event) => {
    const step = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1 }[event.key];
    const now = buttons.indexOf(list.getRootNode().activeElement), next = buttons[now + step];
    if (now < 0 || !next) return;
    buttons[now].tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
    event.preventDefault();
  });
  return list;
}

/** Whether the reader wants no motion. */
export function still() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
