/** Asks the widget which calls it has, so that calls whose end nobody posted can be closed (CONTRACT 6). */

import type { WidgetEvent } from "./widget";

const FOCUS_MS = 15_000;

export class Snapshots {
  private window: Window | undefined;
  private origin = "";
  private askedAt = 0;

  /** Looks at an event; a log-in and a connection that is back are reasons to ask. */
  see(event: WidgetEvent, source: MessageEventSource | null, origin: string): void {
    this.window = source as Window;
    this.origin = origin;
    const isLogin = event.type === "rc-login-status-notify" && event["loggedIn"] === true;
    const isConnected =
      event.type === "rc-webphone-connection-status-notify" &&
      event["connectionStatus"] === "connectionStatus-connected";
    if (isLogin || isConnected) this.ask();
  }

  /** Somebody looks at the page again. */
  onFocus(): void {
    if (Date.now() - this.askedAt > FOCUS_MS) this.ask();
  }

  private ask(): void {
    this.askedAt = Date.now();
    this.window?.postMessage({ type: "rc-adapter-webphone-sessions-sync" }, this.origin);
  }
}
