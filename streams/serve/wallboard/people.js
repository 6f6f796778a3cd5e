// The people, each always at the same place, by number; buttons choose who is shown.

import { ACTIVITIES, count, extension, lasting, make, ofWord, write } from "./format.js";

const list = document.getElementById("people");
const none = document.getElementById("people-none");
const total = document.getElementById("people-count");
const bar = document.getElementById("people-filter");

const FILTERS = [
  ["Logged in", (activity) => activity !== "OFFLINE"],
  ...Object.entries(ACTIVITIES).filter(([key]) => key !== "UNKNOWN").map(([key, { word }]) => [word, (activity) => activity === key]),
];

export class People {
  constructor(now) {
    this.now = now;
    this.rows = new Map();
    this.tiles = new Map();
    this.dirty = new Set();
    this.shows = FILTERS[0][1];
    this.unordered = false;
    this.seen = new Set();
    this.eye = new IntersectionObserver((entries) => this.#look(entries), { rootMargin: "200px" });
    this.buttons = FILTERS.map(([word, shows], index) => {
      const number = make("span", { class: "count" });
      const button = make("button", { type: "button", "aria-pressed": String(index === 0) }, word, number);
      button.addEventListener("click", () => this.#choose(button, shows));
      bar.append(button);
      return { shows, number };
    });
  }

  replace(rows) {
    this.dirty.add(""); // also nothing is something to draw
    for (const key of this.rows.keys()) this.dirty.add(key);
    this.rows = new Map(rows.map((row) => [row.extension_key, row]));
    for (const key of this.rows.keys()) this.dirty.add(key);
  }

  put(row) {
    this.rows.set(row.extension_key, row);
    this.dirty.add(row.extension_key);
  }

  drop(key) {
    this.rows.delete(key);
    this.dirty.add(key);
  }

  available() {
    let found = 0;
    for (const row of this.rows.values()) found += row.activity === "AVAILABLE";
    return found;
  }

  draw(now) {
    if (!this.dirty.size) return;
    for (const key of this.dirty) this.#update(key, now);
    this.dirty.clear();
    if (this.unordered) this.#order();
    const found = {};
    for (const row of this.rows.values()) found[row.activity] = (found[row.activity] ?? 0) + 1;
    for (const { shows, number } of this.buttons) {
      write(number, count(Object.entries(found).reduce((sum, [key, more]) => sum + (shows(key) ? more : 0), 0)));
    }
    const shown = Object.entries(found).reduce((sum, [key, more]) => sum + (this.shows(key) ? more : 0), 0);
    write(total, shown === this.rows.size ? count(shown) : `${count(shown)} of ${count(this.rows.size)}`);
    none.hidden = shown > 0;
  }

  tick(now) {
    for (const tile of this.seen) write(tile.since, lasting(tile.row.activity_since, now));
  }

  #choose(button, shows) {
    for (const other of bar.children) other.setAttribute("aria-pressed", String(other === button));
    this.shows = shows;
    for (const key of this.rows.keys()) this.dirty.add(key);
  }

  #update(key, now) {
    const row = this.rows.get(key);
    let tile = this.tiles.get(key);
    if (!row) {
      if (tile) {
        this.eye.unobserve(tile.node);
        this.seen.delete(tile);
        tile.node.remove();
        this.tiles.delete(key);
      }
      return;
    }
    tile ??= this.#add(key);
    tile.row = row;
    const activity = ofWord(ACTIVITIES, row.activity);
    tile.node.dataset.tint = activity.tint;
    tile.node.hidden = !this.shows(row.activity);
    write(tile.what, activity.word);
    write(tile.since, lasting(row.activity_since, now));
  }

  #add(key) {
    const tile = {
      who: make("span", { class: "who" }, extension(key)),
      since: make("span", { class: "since" }),
      what: make("span", { class: "what" }),
      place: Number(extension(key)),
    };
    tile.node = make("li", { class: "person" }, tile.who, tile.since, tile.what);
    tile.node.tile = tile;
    this.eye.observe(tile.node);
    this.tiles.set(key, tile);
    this.unordered = true;
    return tile;
  }

  // Only tiles on the screen, or nearly, are told the time.
  #look(entries) {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) this.seen.add(target.tile);
      else this.seen.delete(target.tile);
      write(target.tile.since, lasting(target.tile.row.activity_since, this.now()));
    }
  }

  #order() {
    const sorted = [...this.tiles.values()].sort((a, b) => a.place - b.place);
    list.replaceChildren(...sorted.map((tile) => tile.node));
    this.unordered = false;
  }
}
