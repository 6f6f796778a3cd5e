/** What becomes of a batch: the gateway's answer, read. */

/** One event that the gateway named. */
export interface Refusal {
  readonly index: number;
  readonly code: string;
  readonly retry: boolean;
}

export type Fate =
  /** In Kafka, but for what is refused. */
  | "taken"
  /** Nobody knows; keep it and come again. */
  | "later"
  /** Too much at once. */
  | "halve"
  /** It will never be taken. */
  | "drop"
  /** Nothing of this page will be taken: stop, and keep what waits. */
  | "stop"
  /** The token is not good, or one is needed. */
  | "token";

export interface Verdict {
  readonly fate: Fate;
  readonly code: string;
  readonly refused: readonly Refusal[];
  /** How long the gateway asks us to wait, ms. */
  readonly waitMs: number;
}

const FATES: { readonly [code: string]: Fate } = {
  BAD_JSON: "drop",
  BAD_REQUEST: "drop",
  BAD_ENCODING: "drop",
  UNSUPPORTED_TYPE: "drop",
  UNSUPPORTED_ENCODING: "drop",
  NOTHING_ACCEPTED: "taken",
  BODY_TOO_LARGE: "halve",
  TOO_MANY_EVENTS: "halve",
  BAD_HTTP: "stop",
  KEY_UNKNOWN: "stop",
  ORIGIN_NOT_ALLOWED: "stop",
  NOT_FOUND: "stop",
  METHOD_NOT_ALLOWED: "stop",
  TOKEN_INVALID: "token",
  TOKEN_EXPIRED: "token",
  TOKEN_REQUIRED: "token",
};

const MAX_WAIT_MS = 600_000;

/** Reads an answer. What has no body of the gateway's comes from something in between: nothing is known then. */
export async function read(response: Response): Promise<Verdict> {
  const body = (await response.json().catch(() => null)) as { [name: string]: unknown } | null;
  const refused = Array.isArray(body?.["refused"]) ? (body["refused"] as Refusal[]) : undefined;
  const code = typeof body?.["code"] === "string" ? body["code"] : `HTTP_${response.status}`;
  const decided = fate(response.status, code, body?.["retry"], refused);
  return { fate: decided, code, refused: refused ?? [], waitMs: wait(response) };
}

function fate(status: number, code: string, retry: unknown, refused: unknown): Fate {
  if (status === 202) return refused ? "taken" : "later";
  if (status < 400 || status >= 500 || retry !== false) return "later";
  // A word that this collector does not know yet: keeping is safe, going on is not.
  return FATES[code] ?? "stop";
}

function wait(response: Response): number {
  const header = response.headers.get("retry-after");
  if (!header) return 0;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Math.min(Math.max(ms || 0, 0), MAX_WAIT_MS);
}
