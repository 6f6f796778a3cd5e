/** One page load: numbers its events, remembers who is logged in, and makes envelopes of what the widget posts. */

import { uuid } from "./ids";
import { toText, TooLarge } from "./scrub";
import type { Settings } from "./settings";
import type { Tally } from "./tally";
import type { WidgetEvent } from "./widget";

/** An envelope that waits to be sent. Names are short because they are stored with every event. */
export interface Row {
  /** Place in the queue on disk; absent while it is in memory only. */
  k?: number;
  /** `event_id`. */
  readonly i: string;
  /** `session_id`. */
  readonly s: string;
  /** `captured_at`. */
  readonly t: number;
  /** Bytes of the envelope, about. */
  readonly z: number;
  /** The envelope as JSON, without its closing brace: what is known only at a try is added then. */
  readonly b: string;
  /** Whose token may vouch for it. */
  w: string;
}

/** Room for what is added at a try: `sent_at`, `replayed`. */
const ADDED_BYTES = 64;
/** A login number names somebody only with both halves. */
const LOGIN_NUMBER = /^\+?\d{5,15}\*\d*[1-9]\d*$/;

export class Session {
  readonly id = uuid();
  captured = 0;
  private sequence = 0;
  private login: string | null = null;
  private account: string | null = null;
  private extension: string | null = null;

  constructor(
    private readonly settings: Settings,
    private readonly tally: Tally,
    private readonly version: string,
  ) {}

  /** Gives the envelope of an event; undefined where it is dropped, which takes a number in the sequence too. */
  envelope(event: WidgetEvent, widgetOrigin: string, owner: string): Row | undefined {
    const capturedAt = Date.now();
    this.remember(event);
    this.sequence += 1;
    this.captured += 1;
    let text: string;
    try {
      text = toText(event, this.settings.keepsPersonalData);
    } catch (error) {
      this.tally.drop(error instanceof TooLarge ? "too_large" : "unreadable");
      return undefined;
    }
    const id = uuid();
    const head = JSON.stringify({
      envelope: 1,
      event_id: id,
      session_id: this.id,
      sequence: this.sequence,
      captured_at: capturedAt,
      login_number: this.login,
      account_id: this.account,
      extension_id: this.extension,
      page_origin: location.origin,
      widget_origin: widgetOrigin,
      collector: `browser-${this.version}`,
      visibility: document.visibilityState,
    });
    const b = `${head.slice(0, -1)},"event":${text}`;
    const z = new TextEncoder().encode(b).length + ADDED_BYTES;
    if (z > 256 * 1024) {
      this.tally.drop("too_large");
      return undefined;
    }
    return { i: id, s: this.id, t: capturedAt, z, b, w: owner };
  }

  private remember(event: WidgetEvent): void {
    const number = event["loginNumber"];
    if (event.type === "rc-login-status-notify" && typeof number === "string" && LOGIN_NUMBER.test(number)) {
      if (number !== this.login) this.account = this.extension = null;
      this.login = number;
    }
    const told = event["telephonySession"] as { accountId?: unknown; extensionId?: unknown } | null | undefined;
    if (event.type === "rc-telephony-session-notify" && told) {
      this.account = digits(told.accountId) ?? this.account;
      this.extension = digits(told.extensionId) ?? this.extension;
    }
  }
}

function digits(value: unknown): string | undefined {
  return (typeof value === "string" || typeof value === "number") && /^\d+$/.test(`${value}`) ? `${value}` : undefined;
}
