// Where the views get their answers: `ask` for one, `follow` for a stream of them.
// A notebook can give the views another source with the same two functions.

import { pack, unpack } from "./wire.js";
import { words } from "./words.js";

const TOKEN = "token";
const BUSY = 150; // milliseconds until a server that is busy is asked again

/** Take the secret out of the address, so that no bookmark or screenshot has it; return whether one
 * was there. */
export function keepToken() {
  const parts = location.hash.slice(1).split("&");
  const given = parts.find((part) => part.startsWith(`${TOKEN}=`));
  if (!given) return false;
  sessionStorage.setItem(TOKEN, given.slice(TOKEN.length + 1));
  const rest = parts.filter((part) => part !== given).join("&");
  history.replaceState(null, "", location.pathname + (rest && `#${rest}`));
  return true;
}

async function post(name, values, signal, tries = 10) {
  let response;
  try {
    response = await fetch(`/api/${name}`, {
      method: "POST",
      headers: { "X-Chainrule-Token": sessionStorage.getItem(TOKEN) ?? "" },
      body: pack(values),
      signal,
    });
  } catch (error) {
    throw error.name === "AbortError" ? error : new Error(words.noServer);
  }
  if (response.status === 503 && tries) { // several pages ask at once
    await new Promise((done) => setTimeout(done, BUSY));
    return post(name, values, signal, tries - 1);
  }
  if (response.ok) return response;
  throw new Error(response.status === 500 ? words.serverError : (await response.text()).trim());
}

/** Return the values that the server answers; an error's message is a line for the reader. */
export async function ask(name, values = {}, signal = undefined) {
  return unpack(await (await post(name, values, signal)).arrayBuffer());
}

/** Call `heard` with the values of each message of a stream, until it ends or is aborted. */
export async function follow(name, values, heard, signal = undefined) {
  const reader = (await post(name, values, signal)).body.getReader();
  let waiting = new Uint8Array(0);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const all = new Uint8Array(waiting.length + value.length);
    all.set(waiting);
    all.set(value, waiting.length);
    let at = 0;
    while (all.length - at >= 4) {
      const n = new DataView(all.buffer).getUint32(at, true);
      if (all.length - at - 4 < n) break;
      const message = unpack(all.buffer, at + 4);
      if (message.error) throw new Error(message.error);
      heard(message);
      at += 4 + n;
    }
    waiting = all.slice(at);
  }
}

/** Return a function that asks for the newest values alone: what comes while it waits replaces
 * what came before, so that a slow answer never makes a queue.  Its `forget` drops what it waits for.
 * From one question to the next it lets at least `gap` milliseconds pass. */
export function newest(ask, heard, failed, gap = 0) {
  let next = null, busy = false, era = 0;
  async function wanted(name, values) {
    next = [name, values];
    if (busy) return;
    busy = true;
    while (next) {
      const [name, values] = next, mine = era, rest = gap && new Promise((rested) => setTimeout(rested, gap));
      next = null;
      try {
        const answer = await ask(name, values);
        if (mine === era) heard(answer);
      } catch (error) {
        if (mine === era) failed(error);
      }
      await rest;
    }
    busy = false;
  }
  wanted.forget = () => {
    next = null;
    era += 1;
  };
  return wanted;
}
