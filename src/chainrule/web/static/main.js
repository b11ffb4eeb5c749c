// The page's frame: which view is shown, which network is open, and what went wrong.

import { button, h } from "./dom.js";
import { keys } from "./keys.js";
import { ask, follow, keepToken } from "./transport.js";
import { ways } from "./ways.js";
import { words } from "./words.js";

// The views that are built, in the order of their tabs
const VIEWS = {
  draw: () => import("./draw.js"),
  step: () => import("./step.js"),
  train: () => import("./train.js"),
  check: () => import("./check.js"),
  drive: () => import("./drive.js"),
};
const [FIRST] = Object.keys(VIEWS);

const tabs = document.getElementById("tabs");
const view = document.getElementById("view");
const alert = document.getElementById("trouble");
let end = () => {}, mounts = 0, network = null, leaving = new AbortController();

/** Return the view and its settings that the address holds: #draw&unit=2,364. */
function place() {
  const [name, ...rest] = location.hash.slice(1).split("&");
  return { name: name in VIEWS ? name : FIRST, settings: Object.fromEntries(new URLSearchParams(rest.join("&"))) };
}

function remember(settings) {
  const { name, settings: before } = place();
  const all = Object.entries({ ...before, ...settings }).filter(([, value]) => value != null);
  const query = new URLSearchParams(all);
  history.replaceState(null, "", `#${[name, ...(all.length ? [decodeURIComponent(query)] : [])].join("&")}`);
}

function trouble(error) {
  if (error?.name === "AbortError") return; // the view wanted that
  alert.hidden = !error;
  alert.textContent = error?.message ?? "";
}

/** Ask for a view, until it is left. */
function asked(name, values, signal) {
  return ask(name, values, signal ? AbortSignal.any([signal, leaving.signal]) : leaving.signal);
}

async function show() {
  const mine = ++mounts;
  if (keepToken()) network = null; // another run of the server may have another one open
  const { name, settings } = place();
  for (const tab of tabs.children) {
    tab.removeAttribute("aria-current");
    if (tab.hash !== `#${name}`) continue;
    tab.setAttribute("aria-current", "page");
    tabs.scrollLeft = tab.offsetLeft - tabs.offsetLeft - (tabs.clientWidth - tab.offsetWidth) / 2;
  }
  document.title = words.title(words.views[name]);
  trouble(null);
  try {
    network ??= await ask("network");
    const { mount } = await VIEWS[name]();
    if (mine !== mounts) return; // another view was chosen meanwhile
    opened();
    end();
    menu.tell(null);
    if (view.contains(document.activeElement)) view.focus(); // before what has the focus goes
    view.replaceChildren();
    // What a view says after it was left is not heard: the address is another view's
    const now = (act) => (value) => { if (mine === mounts && place().name === name) act(value); };
    const heard = { remember: now(remember), trouble: now(trouble), tell: now(menu.tell) };
    leaving = new AbortController();
    end = mount(view, { ask: asked, follow, network, settings, keys: document, ...heard }) ?? (() => {});
  } catch (error) {
    trouble(error);
  }
}

function opened() {
  const file = h("input", { type: "file", accept: ".safetensors", hidden: true, onchange: open });
  document.getElementById("opened").replaceChildren(
    h("span", { class: "note" }, words.opened(network)), file,
    button(words.open, () => file.click(), { title: words.openHint }));
}

async function open(event) {
  const [file] = event.target.files;
  if (!file) return;
  leaving.abort(); // what the view has asked is about the network before
  try {
    network = await ask("open", { file: new Uint8Array(await file.arrayBuffer()), name: file.name });
    const here = `${location.hash}&`.startsWith(`#${network.view}&`);
    if (network.view === "draw" || here) await show();
    else location.hash = network.view;
  } catch (error) {
    leaving = new AbortController();
    trouble(error);
  }
  event.target.value = "";
}

const names = Object.keys(VIEWS);
if (names.length > 1) tabs.append(...names.map((name) => h("a", { href: `#${name}` }, words.views[name])));
document.getElementById("help").append(keys(names, () => place().name, (name) => (location.hash = name)));
const menu = ways(document.getElementById("ways"), { ask, trouble, network: () => network });
addEventListener("hashchange", show);
show();
