/**
 * What of a widget event may leave the page, as JSON text.
 *
 * Secrets stay in the page always. Names and texts, which nothing after the gateway keeps, stay here too unless the
 * integrator says otherwise. `call.id` and `callId` leave: the gateway hashes them, and calls cannot be joined without.
 */

import type { WidgetEvent } from "./widget";

const SECRETS = words("sipData mobilePickupData voiceCallToken fromTag toTag deviceId");
const PERSONAL = words(
  "name firstName lastName displayName fromName toName fromUserName toUserName email contact contactMatch location" +
    " originalLocalName receivedTransferFromName fileName notes aiNote text body transcription",
);
const TEXTS = words("subject coverPageText");
const FILES = words("attachments recordings recording");

const MAX_VALUES = 20_000;
/** An envelope of more than 256 KiB is refused by the gateway; the rest is for what is added to the event. */
const MAX_CHARACTERS = 250_000;
/** No event of the widget is half as deep, and parsers of JSON give up far later. */
const MAX_DEPTH = 32;

/** Thrown for an event that is not worth the page's time. */
export class TooLarge extends Error {}

function words(text: string): Set<string> {
  return new Set(text.split(" "));
}

/** Gives an event as JSON. Throws TooLarge for what is too large or too deep. */
export function toText(event: WidgetEvent, keepsPersonalData: boolean): string {
  const text = JSON.stringify(new Copy(keepsPersonalData).of(event, 0, false));
  // NB: half of a pair of surrogates is no text: strict parsers refuse it, and the whole batch with it.
  return text.includes("\\ud") ? text.replace(/(\\\\)|\\ud[89a-f]../g, (_, pair?: string) => pair ?? "\\ufffd") : text;
}

class Copy {
  private values = 0;
  private characters = 0;

  constructor(private readonly keepsPersonalData: boolean) {}

  of(value: unknown, depth: number, isFile: boolean): unknown {
    if (typeof value === "string") return this.text(value);
    if (typeof value !== "object" || value === null) return typeof value === "bigint" ? undefined : value;
    if (depth > MAX_DEPTH || ++this.values > MAX_VALUES) throw new TooLarge();
    if (Array.isArray(value)) return value.map((item) => this.of(item, depth + 1, isFile));
    const copy: { [name: string]: unknown } = {};
    for (const [name, inner] of Object.entries(value)) {
      if (SECRETS.has(name) || (isFile && /ur[il]$/i.test(name))) continue;
      if (PERSONAL.has(name) && !this.keepsPersonalData) continue;
      this.count(name.length);
      copy[name] = this.field(name, inner, depth + 1, isFile);
    }
    return copy;
  }

  private field(name: string, value: unknown, depth: number, isFile: boolean): unknown {
    if (name === "oAuthUri") return Boolean(value);
    if (TEXTS.has(name) && !this.keepsPersonalData && typeof value !== "object") return `${value ?? ""}`.length;
    // The address of a file is the key to it.
    return this.of(value, depth, isFile || FILES.has(name));
  }

  /** A query can hold an access token. */
  private text(text: string): string {
    this.count(text.length);
    return /^[a-z][a-z+.-]*:\/\//i.test(text) ? text.replace(/[?#].*$/s, "") : text;
  }

  private count(characters: number): void {
    this.characters += characters;
    if (++this.values > MAX_VALUES || this.characters > MAX_CHARACTERS) throw new TooLarge();
  }
}
