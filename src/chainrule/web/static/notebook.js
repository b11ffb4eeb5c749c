// A view in a notebook, as anywidget shows it.  Its answers come as messages from the kernel, and it
// stands in a shadow root, so that no style goes in or out.

import { h } from "./dom.js";
import { mount as check } from "./check.js";
import { mount as step } from "./step.js";
import { pack, unpack } from "./wire.js";

const VIEWS = { check, step };

/** Return `ask` and `follow`, as in transport.js, that reach the kernel by a widget's messages. */
function answered(model) {
  async function follow(name, values, heard, signal) {
    const id = Math.random(), body = await pack(values).arrayBuffer();
    signal?.throwIfAborted();
    await new Promise((done, failed) => {
      function end(how, why) {
        model.off("msg:custom", told);
        signal?.removeEventListener("abort", gone);
        how(why);
      }
      function gone() {
        model.send({ id });
        end(failed, signal.reason);
      }
      function told(content, [frame]) {
        if (content.id !== id) return; // it answers something else
        if (!frame) return end(done);
        const message = unpack(frame.buffer, frame.byteOffset + 4);
        if (message.error) end(failed, new Error(message.error));
        else heard(message);
      }
      model.on("msg:custom", told);
      signal?.addEventListener("abort", gone);
      model.send({ id, name }, undefined, [body]);
    });
  }

  async function ask(name, values = {}, signal = undefined) {
    let answer;
    await follow(name, values, (message) => (answer = message), signal);
    return answer;
  }

  return { ask, follow };
}

async function render({ model, el }) {
  const host = h("div", { "data-lm-suppress-shortcuts": true }); // keys of JupyterLab, as c for copy
  const alert = h("p", { id: "trouble", role: "alert", hidden: true }), view = h("div", { id: "view", tabindex: -1 });
  const style = h("style", {}, model.get("style"));
  host.attachShadow({ mode: "open" }).append(style, alert, view);
  el.replaceChildren(host);
  function trouble(error) {
    if (error?.name === "AbortError") return;
    alert.hidden = !error;
    alert.textContent = error?.message ?? "";
  }
  function remember(settings) {
    const all = Object.entries({ ...model.get("settings"), ...settings }).filter(([, value]) => value != null);
    model.set("settings", Object.fromEntries(all.map(([name, value]) => [name, String(value)])));
    model.save_changes();
  }
  const { ask, follow } = answered(model);
  const network = await ask("network");
  return VIEWS[model.get("view")](view, {
    ask, follow, network, settings: model.get("settings"), remember, trouble, keys: view, tell() {}, // no menu is there to be told
  });
}

export default { render };
