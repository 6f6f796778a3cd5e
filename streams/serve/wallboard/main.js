// The wallboard: asks for everything once, then follows the stream, and draws five times a second at most.

import "./theme.js";
import { NoToken, all, follow, one, setToken } from "./api.js";
import { Calls } from "./calls.js";
import { count, timeOf, write } from "./format.js";
import { People } from "./people.js";
import { chosen, named, offer, watch } from "./scope.js";
import { drawFigures, drawOutcomes, drawQueues } from "./today.js";

const QUEUES_MS = 5000;
const RETRY_MS = 2000;
const DRAW_MS = 200;
const KINDS = "active-call,active-call-ended,presence,presence-gone,summary";

const link = document.getElementById("link");
const linkText = document.getElementById("link-text");
const spoken = document.getElementById("spoken");
const notes = document.getElementById("notes");
const door = document.getElementById("door");
const board = document.getElementById("board");

const now = () => Date.now() + ahead;
const calls = new Calls();
const people = new People(now);
let summary = null;
let queues = [];
let status = null;
let ahead = 0;
let running = null;
let fresh = { summary: true, queues: true };
let drawnAt = 0;

const TAKES = {
  "active-call": (row) => calls.put(row),
  "active-call-ended": (row) => calls.drop(row.leg_id),
  presence: (row) => people.put(row),
  "presence-gone": (row) => people.drop(row.extension_key),
  summary: (row) => {
    summary = row;
    fresh.summary = true;
  },
  status: (row) => takeStatus(row),
  reset: () => start(),
};

function takeStatus(row) {
  status = row;
  ahead = row.now - Date.now();
  offer(row.scopes);
  write(notes, row.notes.join(" ") || " ");
  if (row.stale) tell("stale", `Kafka is away: as of ${timeOf(row.as_of)}`);
  else tell("live", "Live");
}

function tell(state, text) {
  if (link.dataset.link !== state) spoken.textContent = text;
  link.dataset.link = state;
  write(linkText, text);
}

async function load(scope) {
  const [told, active, present, totals] = await Promise.all([
    one("/v1/status"),
    all("/v1/calls/active", scope),
    all("/v1/presence", scope),
    one("/v1/summary", scope),
  ]);
  calls.replace(active.rows);
  people.replace(present.rows);
  summary = totals;
  fresh = { summary: true, queues: true };
  takeStatus(told);
  return active.version;
}

async function start() {
  running?.abort();
  const mine = (running = new AbortController());
  const scope = chosen();
  try {
    const version = await load(scope);
    await loadQueues();
    if (mine.signal.aborted) return;
    open(true);
    spoken.textContent = `Showing ${named()}: ${count(calls.rows.size)} calls, ${count(people.rows.size)} people.`;
    await follow({ ...scope, kinds: KINDS }, version, {
      signal: mine.signal,
      take: (name, data) => TAKES[name]?.(data),
      link: () => tell("away", "No connection to the service, trying again …"),
    });
  } catch (error) {
    if (mine.signal.aborted) return;
    if (error instanceof NoToken) {
      open(false);
      return;
    }
    tell("away", "The service does not answer yet, trying again …");
    setTimeout(() => mine.signal.aborted || start(), RETRY_MS);
  }
}

function open(isOpen) {
  const asked = door.hidden && !isOpen;
  door.hidden = isOpen;
  board.hidden = !isOpen;
  if (asked) {
    tell("waiting", "A token is needed");
    document.getElementById("token").focus();
  }
}

async function loadQueues() {
  const { queue, team, site } = chosen();
  if (team || site) queues = [];
  else queues = (await one("/v1/summaries", { scope_type: "QUEUE" })).items.filter((row) => !queue || row.scope_id === queue);
  fresh.queues = true;
}

function draw(frame) {
  requestAnimationFrame(draw);
  if (frame - drawnAt < DRAW_MS) return;
  drawnAt = frame;
  const [changed, instant] = [calls.dirty.size + people.dirty.size > 0, now()];
  if (changed || fresh.summary) {
    calls.draw(instant);
    people.draw(instant);
    drawFigures(calls, people, summary);
  }
  if (fresh.summary) drawOutcomes(summary);
  if (fresh.queues) drawQueues(calls, queues);
  fresh = { summary: false, queues: false };
}

document.getElementById("door-form").addEventListener("submit", (event) => {
  event.preventDefault();
  setToken(document.getElementById("token").value.trim());
  start();
});
watch(() => start());
setInterval(() => {
  calls.tick(now());
  people.tick(now());
  fresh.queues = true;
  if (status?.stale) write(linkText, `Kafka is away: as of ${timeOf(status.as_of)}`);
}, 1000);
setInterval(() => {
  if (door.hidden && status) loadQueues().catch(() => {});
}, QUEUES_MS);
requestAnimationFrame(draw);
start();
