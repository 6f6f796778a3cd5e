/** Entry of the script tag: reads the settings, offers `window.WidgetStreams`, and starts unless it needs consent. */

import { version } from "../package.json";
import { Collector, type Status } from "./collector";
import { type Config, readSettings } from "./settings";

/** What the page may call. */
interface Api {
  readonly version: string;
  /** Consent was given: capture from now on. */
  start(): void;
  /** Capture no more, in all tabs; with `discard` what is not sent yet is forgotten. */
  stop(options?: { discard?: boolean }): Promise<void>;
  status(): Status;
}

declare global {
  interface Window {
    WidgetStreams?: Api;
    WidgetStreamsConfig?: Config;
  }
}

function main(): void {
  if (window.WidgetStreams) return;
  const tag = document.currentScript ?? document.querySelector('script[data-key][src*="collector"]');
  const settings = readSettings(tag as HTMLScriptElement | null, window.WidgetStreamsConfig ?? {});
  const collector = new Collector(settings, version);
  window.WidgetStreams = {
    version,
    start: () => collector.start(),
    stop: (options) => collector.stop(options?.discard === true),
    status: () => collector.status(),
  };
  if (!settings.needsConsent) collector.start();
}

try {
  main();
} catch (error) {
  console.warn(`widget-streams: nothing is captured: ${error instanceof Error ? error.message : error}`);
}
