// Words and times as they are shown. An extension is shown by its own number, the part after the star, never more.

export const STATES = {
  RINGING: { word: "Ringing", sign: "◔", tint: "ring", rank: 0 },
  DIALING: { word: "Dialing", sign: "↗", tint: "ring", rank: 1 },
  ON_HOLD: { word: "On hold", sign: "‖", tint: "hold", rank: 2 },
  PARKED: { word: "Parked", sign: "P", tint: "hold", rank: 3 },
  CONNECTED: { word: "Talking", sign: "●", tint: "talk", rank: 4 },
  UNKNOWN: { word: "Unknown", sign: "?", tint: "", rank: 5 },
};

export const ACTIVITIES = {
  ON_CALL: { word: "On a call", tint: "talk" },
  RINGING: { word: "Ringing", tint: "ring" },
  ON_HOLD: { word: "On hold", tint: "hold" },
  AVAILABLE: { word: "Available", tint: "free" },
  BUSY: { word: "Busy", tint: "stop" },
  DO_NOT_DISTURB: { word: "Do not disturb", tint: "stop" },
  OFFLINE: { word: "Offline", tint: "" },
  UNKNOWN: { word: "Unknown", tint: "" },
};

export const OUTCOMES = {
  ANSWERED: { word: "Answered", tint: "talk" },
  ANSWERED_ELSEWHERE: { word: "Answered elsewhere", tint: "free" },
  MISSED: { word: "Missed", tint: "stop" },
  VOICEMAIL: { word: "Voicemail", tint: "ring" },
  REJECTED: { word: "Rejected", tint: "stop" },
  FORWARDED: { word: "Forwarded", tint: "free" },
  REPLIED: { word: "Replied", tint: "free" },
  UNANSWERED: { word: "Not answered", tint: "stop" },
  BUSY: { word: "Busy", tint: "ring" },
  FAILED: { word: "Failed", tint: "stop" },
  UNKNOWN: { word: "Unknown", tint: "" },
};

export const ofWord = (table, word) => table[word] ?? table.UNKNOWN;

export const extension = (key) => key.slice(key.lastIndexOf("*") + 1);

export function lasting(since, now) {
  if (since === null || since === undefined) return "–";
  const seconds = Math.max(0, Math.floor((now - since) / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

const whole = new Intl.NumberFormat("en");
export const count = (number) => whole.format(number);
export const share = (part, all) => (all ? `${Math.round((100 * part) / all)} %` : "–");

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const moment = new Intl.DateTimeFormat(undefined, { weekday: "short", hour: "2-digit", minute: "2-digit" });
export const timeOf = (instant) => clock.format(instant);
export const dayOf = (instant) => moment.format(instant);

export function make(name, attributes = {}, ...inside) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...inside);
  return node;
}

export function write(node, text) {
  if (node.firstChild === null) node.append(text);
  else if (node.firstChild.data !== text) node.firstChild.data = text;
}
