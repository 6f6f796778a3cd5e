/** Which messages are the widget's events. Everything else that a page is sent is none of our business. */

import type { Settings } from "./settings";

/** A widget event: what the iframe posted. Only `type` is known to be there. */
export type WidgetEvent = { readonly type: string } & { readonly [field: string]: unknown };

/** Posts that are not called `rc-…-notify` and tell something about calls or the page load all the same. */
const TELLING = new Set([
  "rc-adapter-syncPresence",
  "rc-adapter-pushAdapterState",
  "rc-webphone-sessions-sync",
  "rc-control-call-error",
]);

/** Notifications about the widget's looks, or whose content is other people's words; they say nothing about calls. */
const SILENT = /^rc-(adapter-|brand-assets-|message-thread-|ringcx-lead-)/;

/** Tells whether a message is posted by the widget of this page: its window, its origin, a shape that we know. */
export function isWidgetEvent(message: MessageEvent, settings: Settings): boolean {
  // NB: data comes last, because looking at it makes the browser unpack it.
  return (
    settings.widgetOrigins.includes(message.origin) &&
    isWidgetWindow(message.source, settings.widgetFrame) &&
    isTelling((message.data as { type?: unknown } | null | undefined)?.type)
  );
}

function isTelling(type: unknown): boolean {
  if (typeof type !== "string") return false;
  return TELLING.has(type) || (/^rc-[A-Za-z-]{1,60}-notify$/.test(type) && !SILENT.test(type));
}

/** NB: `parent` of a window of another origin may be read, and nothing else of it. */
function isWidgetWindow(source: MessageEventSource | null, selector: string): boolean {
  if (!source || !("parent" in source)) return false;
  if (!selector) return source !== window && source.parent === window;
  const frames = document.querySelectorAll<HTMLIFrameElement>(selector);
  return Array.from(frames).some((frame) => frame.contentWindow === source);
}
