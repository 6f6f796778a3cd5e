// Asks the service, page by page, and follows its stream. The token is kept for this tab only.

const TOKEN = "widget-streams-token";
const RETRY_MS = [500, 1000, 2000, 4000, 8000];
const SILENCE_MS = 25000;

export class NoToken extends Error {}

export const setToken = (token) => sessionStorage.setItem(TOKEN, token);

function headers(more = {}) {
  const token = sessionStorage.getItem(TOKEN);
  return token ? { Authorization: `Bearer ${token}`, ...more } : more;
}

async function ask(path, parameters, options = {}) {
  const query = new URLSearchParams(parameters).toString();
  const answer = await fetch(query ? `${path}?${query}` : path, { cache: "no-store", ...options, headers: headers(options.headers) });
  if (answer.status === 401) throw new NoToken();
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer;
}

export async function one(path, parameters = {}) {
  return (await ask(path, parameters)).json();
}

// Every row, and the version that the first page had: what changed since then comes again by the stream.
export async function all(path, parameters = {}) {
  const rows = [];
  let version = null;
  let cursor = null;
  do {
    const answer = await ask(path, { ...parameters, limit: "1000", ...(cursor ? { cursor } : {}) });
    version ??= answer.headers.get("Widget-Streams-Version");
    const page = await answer.json();
    rows.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor);
  return { rows, version };
}

// Follows the stream until `signal` ends it: `take(event, data)` for each event, `link(state)` when it comes or goes.
export async function follow(parameters, version, { take, link, signal }) {
  let last = version;
  let failures = 0;
  while (!signal.aborted) {
    const breath = new AbortController();
    const end = () => breath.abort();
    signal.addEventListener("abort", end);
    try {
      const answer = await ask("/v1/stream", parameters, { headers: { "Last-Event-ID": last }, signal: breath.signal });
      failures = 0;
      for await (const event of events(answer.body, breath)) {
        if (signal.aborted) return;
        take(event.name, JSON.parse(event.data));
        last = event.id ?? last;
      }
    } catch (error) {
      if (error instanceof NoToken) throw error;
    } finally {
      signal.removeEventListener("abort", end);
    }
    if (signal.aborted) return;
    link("away");
    const wait = RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)];
    await new Promise((done) => setTimeout(done, wait * (0.75 + Math.random() / 2)));
  }
}

async function* events(body, breath) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const timer = setTimeout(() => breath.abort(), SILENCE_MS);
    const { value, done } = await reader.read();
    clearTimeout(timer);
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      const event = { name: "message", data: "", id: null };
      for (const line of part.split("\n")) {
        if (line.startsWith("data: ")) event.data += line.slice(6);
        else if (line.startsWith("event: ")) event.name = line.slice(7);
        else if (line.startsWith("id: ")) event.id = line.slice(4);
      }
      if (event.data) yield event;
    }
  }
}
