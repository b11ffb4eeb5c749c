// The server's runs, as this page knows them.  A stream says that a run has moved on; its numbers are
// then fetched from where this page has them, so that a lost connection loses nothing.

import { number } from "./math.js";

const AGAIN = 1500; // milliseconds until a lost stream is asked for again

/** Follow all runs; `changed(run, what)` is called with what is new: "numbers" or "words". */
export function runs(source, changed) {
  const known = new Map();
  const gone = new AbortController();
  let lost = false, again = 0;

  /** Bring one run up to date; what happens meanwhile is looked at once more afterwards. */
  async function update(run) {
    if (run.busy) return;
    run.busy = true;
    try {
      while (run.behind()) {
        const { told, state, n } = run.event;
        if (run.length <= n) {
          const more = await source.ask("history", { run: run.id, since: run.length }, gone.signal);
          if (more.gone) return dropped(run.id);
          run.add(more);
        }
        run.state = state;
        changed(run, "numbers");
        if (run.told !== `${told} ${state}`) {
          const said = await source.ask("run", { run: run.id }, gone.signal);
          if (said.gone) return dropped(run.id);
          Object.assign(run.said, said);
          run.told = `${told} ${state}`;
          changed(run, "words");
        }
      }
    } catch (error) {
      source.trouble(error); // and the stream, once it is back, asks again
    } finally {
      run.busy = false;
    }
  }

  function heard(event) {
    if (lost) source.trouble(null);
    lost = false;
    if (event.state === "dropped") return dropped(event.run);
    if (!known.has(event.run)) known.set(event.run, mirror(event.run));
    const run = known.get(event.run);
    run.event = event;
    update(run);
  }

  async function listen() {
    try {
      await source.follow("events", {}, heard, gone.signal);
    } catch (error) {
      if (error.name === "AbortError") return;
      lost = true;
      source.trouble(error);
    }
    again = setTimeout(listen, AGAIN);
  }

  function dropped(id) {
    known.delete(id);
    changed(null, "words");
  }

  listen();
  return {
    known,
    /** Make a run known before the stream tells of it. */
    get(id) {
      if (!known.has(id)) known.set(id, mirror(id));
      return known.get(id);
    },
    end() {
      clearTimeout(again);
      gone.abort();
    },
  };
}

/** What this page knows of one run. */
function mirror(id) {
  return {
    id,
    event: { run: id, state: "preparing", n: -1, told: 0 },
    state: "preparing", // at its last number here: the event's may be of a later one
    told: "",
    busy: false,
    columns: {}, // by name the numbers of each iteration: J, J_val, seconds, ...
    said: { steps: [], notes: [], state: "preparing" },
    get length() {
      return this.columns.J?.length ?? 0;
    },
    behind() {
      return this.length <= this.event.n || this.told !== `${this.event.told} ${this.event.state}`;
    },
    add({ since, run, ...columns }) {
      for (const [name, values] of Object.entries(columns)) {
        (this.columns[name] ??= []).length = since;
        for (const value of values) this.columns[name].push(value);
      }
    },
    /** The numbers of one iteration: name and text, for each that is told. */
    at(iteration) {
      return Object.entries(this.columns).filter(([, values]) => Number.isFinite(values[iteration]))
        .map(([name, values]) => [name, number(values[iteration])]);
    },
  };
}
