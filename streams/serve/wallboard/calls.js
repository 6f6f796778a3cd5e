// The calls that go on: ringing first, then on hold, then talking, the longest on top of each.

import { STATES, count, extension, lasting, make, ofWord, write } from "./format.js";

const body = document.getElementById("calls-rows");
const none = document.getElementById("calls-none");
const total = document.getElementById("calls-count");
const more = document.getElementById("calls-more");
const MOST = 100;

function byUrgency(a, b) {
  return ofWord(STATES, a.state).rank - ofWord(STATES, b.state).rank || (a.state_since ?? 0) - (b.state_since ?? 0);
}

export class Calls {
  constructor() {
    this.rows = new Map();
    this.lines = new Map();
    this.dirty = new Set();
    this.most = MOST;
    more.addEventListener("click", () => {
      this.most = this.most > MOST ? MOST : Infinity;
      this.dirty.add("");
    });
  }

  replace(rows) {
    this.dirty.add(""); // also nothing is something to draw
    for (const key of this.rows.keys()) this.dirty.add(key);
    this.rows = new Map(rows.map((row) => [row.leg_id, row]));
    for (const key of this.rows.keys()) this.dirty.add(key);
  }

  put(row) {
    this.rows.set(row.leg_id, row);
    this.dirty.add(row.leg_id);
  }

  drop(key) {
    this.rows.delete(key);
    this.dirty.add(key);
  }

  counts() {
    const found = {};
    for (const row of this.rows.values()) found[row.state] = (found[row.state] ?? 0) + 1;
    return found;
  }

  ofQueues() {
    const found = new Map();
    for (const row of this.rows.values()) {
      for (const queue of row.queues) {
        const seen = found.get(queue) ?? { ringing: 0, talking: 0 };
        if (row.state === "RINGING") seen.ringing += 1;
        if (row.state === "CONNECTED") seen.talking += 1;
        found.set(queue, seen);
      }
    }
    return found;
  }

  draw(now) {
    if (!this.dirty.size) return;
    const shown = [...this.rows.values()].sort(byUrgency).slice(0, this.most);
    const kept = new Set();
    for (const row of shown) {
      const key = row.leg_id;
      const line = this.lines.get(key) ?? this.#add(key);
      if (line.row !== row) this.#fill(line, row, now);
      kept.add(key);
    }
    for (const [key, line] of this.lines) {
      if (kept.has(key)) continue;
      line.node.remove();
      this.lines.delete(key);
    }
    this.dirty.clear();
    this.#order(shown);
    write(total, count(this.rows.size));
    none.hidden = this.rows.size > 0;
    more.hidden = this.rows.size <= MOST;
    more.setAttribute("aria-expanded", String(this.most > MOST));
    write(more, this.most > MOST ? `Show the first ${MOST}` : `Show all ${count(this.rows.size)}`);
  }

  tick(now) {
    for (const line of this.lines.values()) {
      write(line.since, lasting(line.row.state_since, now));
      write(line.whole, lasting(line.row.initiated_at, now));
    }
  }

  #add(key) {
    const line = {
      who: make("td", { class: "who" }),
      sign: make("span", { "aria-hidden": "true" }),
      word: make("span"),
      since: make("td", { class: "number" }),
      way: make("td", { class: "wide soft" }),
      whole: make("td", { class: "number wide soft" }),
    };
    line.state = make("span", { class: "state" }, line.sign, line.word);
    line.node = make("tr", {}, line.who, make("td", {}, line.state), line.since, line.way, line.whole);
    this.lines.set(key, line);
    return line;
  }

  #fill(line, row, now) {
    const state = ofWord(STATES, row.state);
    line.row = row;
    line.state.dataset.tint = state.tint;
    write(line.who, extension(row.extension_key));
    write(line.sign, state.sign);
    write(line.word, row.muted ? `${state.word}, muted` : state.word);
    write(line.way, `${row.direction === "OUTBOUND" ? "Outbound" : "Inbound"}${row.queue_call ? ", queue" : ""}`);
    write(line.since, lasting(row.state_since, now));
    write(line.whole, lasting(row.initiated_at, now));
  }

  // Only lines that are not where they belong are moved: the others keep their place on the screen.
  #order(shown) {
    let at = body.firstElementChild;
    for (const row of shown) {
      const { node } = this.lines.get(row.leg_id);
      if (node === at) at = at.nextElementSibling;
      else body.insertBefore(node, at);
    }
  }
}
