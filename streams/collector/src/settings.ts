/** What the integrator chose: attributes of the script tag, or the object `WidgetStreamsConfig` of the page. */

import type { Drop } from "./tally";

/** A token, or a function that gets one: the host page's own log-in vouches for the user with it. */
export type TokenSource = string | (() => string | null | undefined | Promise<string | null | undefined>);

/** The settings as an integrator writes them in `window.WidgetStreamsConfig`; attributes are the same in kebab case. */
export interface Config {
  /** Write key of the site. */
  key?: string;
  /** Where batches go; beside the script by default. */
  endpoint?: string;
  /** Origins the widget is served from. */
  widgetOrigins?: string[];
  /** CSS selector of the widget's iframe; any direct child frame of an allowed origin by default. */
  widgetFrame?: string;
  /** "required": nothing is captured, stored or sent before `start()`. */
  consent?: string;
  /** "keep": names and message texts go to the gateway as posted. */
  personalData?: string;
  /** "off": the widget is never asked for its calls. */
  snapshots?: string;
  /** How much waits in the browser at most, over all tabs. */
  maxBytes?: number;
  /** How long an event waits in the browser at most. */
  maxAgeHours?: number;
  token?: TokenSource;
  /** Told of every event that will never be sent. */
  onDrop?: (drop: Drop) => void;
}

/** The settings, checked and complete. */
export interface Settings {
  readonly key: string;
  readonly endpoint: string;
  readonly widgetOrigins: readonly string[];
  readonly widgetFrame: string;
  readonly needsConsent: boolean;
  readonly keepsPersonalData: boolean;
  readonly asksSnapshots: boolean;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  readonly token: TokenSource | undefined;
  readonly onDrop: ((drop: Drop) => void) | undefined;
}

const VENDOR = ["https://apps.ringcentral.com", "https://ringcentral.github.io"];

/** Reads the settings; the page's object wins over the tag. Throws a sentence for the console where one is wrong. */
export function readSettings(script: HTMLScriptElement | null, config: Config): Settings {
  const text = (name: keyof Config): string => String(config[name] ?? script?.dataset[name] ?? "");
  const number = (name: keyof Config, fallback: number): number => {
    const given = text(name) === "" ? fallback : Number(text(name));
    if (!(given > 0)) throw new Error(`${name} must be a number above 0`);
    return given;
  };
  if (!text("key")) throw new Error("the write key is missing: data-key");
  if (!text("endpoint") && !script?.src) throw new Error("the gateway's address is missing: data-endpoint");
  const origins = text("widgetOrigins").split(/[\s,]+/).filter(Boolean);
  return {
    key: text("key"),
    endpoint: new URL(text("endpoint") || "v1/events", script?.src || location.href).href,
    widgetOrigins: origins.length ? origins.map((origin) => new URL(origin).origin) : VENDOR,
    widgetFrame: text("widgetFrame"),
    needsConsent: text("consent") === "required",
    keepsPersonalData: text("personalData") === "keep",
    asksSnapshots: text("snapshots") !== "off",
    maxBytes: number("maxBytes", 5_000_000),
    maxAgeMs: number("maxAgeHours", 23) * 3_600_000,
    token: config.token ?? script?.dataset["token"],
    onDrop: config.onDrop,
  };
}
