// Today in numbers: the figures on top, how calls ended, and the queues.

import { OUTCOMES, count, dayOf, make, ofWord, share, write } from "./format.js";

const figures = document.getElementById("figures");
const outcomes = document.getElementById("today");
const since = document.getElementById("today-since");
const queues = document.getElementById("queues");
const queueRows = document.getElementById("queue-rows");

const FIGURES = [
  ["talking", "Talking", "talk"],
  ["ringing", "Ringing", "ring"],
  ["held", "On hold", "hold"],
  ["available", "Available", "free"],
  ["level", "Service level today", ""],
  ["offered", "Offered today", ""],
  ["missed", "Missed today", "stop"],
  ["outbound", "Outbound today", ""],
];
const cells = new Map();
for (const [key, word, tint] of FIGURES) {
  const [number, about] = [make("span"), make("small")];
  cells.set(key, { number, about });
  figures.append(make("div", { class: "figure", "data-tint": tint }, make("dt", {}, word), make("dd", {}, number, about)));
}

function figure(key, number, about = "") {
  write(cells.get(key).number, typeof number === "number" ? count(number) : number);
  write(cells.get(key).about, about);
}

const partOf = (part, all, word) => (all ? `${share(part, all)} ${word}` : "");

export function drawFigures(calls, people, summary) {
  const now = calls.counts();
  figure("talking", now.CONNECTED ?? 0);
  figure("ringing", now.RINGING ?? 0, now.DIALING ? `and ${count(now.DIALING)} dialing` : "");
  figure("held", now.ON_HOLD ?? 0, now.PARKED ? `and ${count(now.PARKED)} parked` : "");
  figure("available", people.available());
  if (!summary) return;
  const { service_level_offered: offered, service_level_answered_within_20: within } = summary;
  const source = summary.service_level_source === "INTERVAL_METRICS" ? "interval metrics" : "call records";
  figure("level", share(within, offered), `in 20 s, from ${source}`);
  figure("offered", summary.calls_offered, partOf(summary.calls_answered, summary.calls_offered, "answered"));
  const missed = summary.dispositions.INBOUND.MISSED ?? 0;
  figure("outbound", summary.calls_outbound, partOf(summary.calls_outbound_connected, summary.calls_outbound, "connected"));
  figure("missed", missed, partOf(missed, summary.calls_offered, "of those offered"));
}

export function drawOutcomes(summary) {
  if (!summary) return;
  write(since, `Ended since ${dayOf(summary.day_start)}. A call that rings at two people counts for both.`);
  const parts = [
    ["Inbound", summary.dispositions.INBOUND, summary.calls_offered],
    ["Outbound", summary.dispositions.OUTBOUND, summary.calls_outbound],
  ];
  const none = make("p", { class: "none" }, "No call has ended yet.");
  outcomes.replaceChildren(...(parts.some(([, , all]) => all) ? [] : [none]), ...parts.filter(([, , all]) => all).map(([way, by, all]) => part(way, by, all)));
}

function part(way, by, all) {
  const inside = [make("h3", {}, `${way}: ${count(all)}`)];
  const sorted = Object.entries(by).sort((a, b) => b[1] - a[1]);
  for (const [word, number] of sorted) {
    const outcome = ofWord(OUTCOMES, word);
    const told = `${count(number)} · ${share(number, all)}`;
    inside.push(
      make("span", {}, outcome.word),
      make("meter", { max: String(all), value: String(number), "data-tint": outcome.tint, "aria-label": `${way}, ${outcome.word}` }, told),
      make("span", { class: "number" }, told),
    );
  }
  return make("div", { class: "outcomes" }, ...inside);
}

export function drawQueues(calls, summaries) {
  queues.hidden = summaries.length === 0;
  const now = calls.ofQueues();
  queueRows.replaceChildren(
    ...summaries.map((row) => {
      const { ringing, talking } = now.get(row.scope_id) ?? { ringing: 0, talking: 0 };
      const level = share(row.service_level_answered_within_20, row.service_level_offered);
      const numbers = [ringing, talking, row.calls_offered, row.calls_answered].map(count);
      return make(
        "tr", {},
        make("th", { scope: "row" }, row.scope_id),
        ...[...numbers, level].map((text) => make("td", { class: "number" }, text)),
      );
    }),
  );
}
