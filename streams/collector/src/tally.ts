/** Counts what will never be sent, and why, so that it can be told. */

/** Why an event was given up: too old, no room, refused by the gateway, larger than allowed, no JSON, or on request. */
export type Reason = "expired" | "overflow" | "refused" | "too_large" | "unreadable" | "discarded";

/** What the page's hook is told. */
export interface Drop {
  readonly reason: Reason;
  readonly count: number;
  /** The gateway's word where it refused. */
  readonly code?: string;
}

export type Counts = { [reason in Reason]?: number };

export class Tally {
  /** Since the page was loaded. */
  readonly dropped: Counts = {};
  private untold: Counts = {};

  constructor(private readonly hook: ((drop: Drop) => void) | undefined) {}

  drop(reason: Reason, count = 1, code?: string): void {
    if (!count) return;
    for (const counts of [this.dropped, this.untold]) counts[reason] = (counts[reason] ?? 0) + count;
    try {
      this.hook?.(code ? { reason, count, code } : { reason, count });
    } catch {
      // The hook is the page's; its trouble must not become ours.
    }
  }

  /** Takes what no envelope has told yet; give it back if the envelope did not arrive. */
  take(): Counts {
    const taken = this.untold;
    this.untold = {};
    return taken;
  }

  giveBack(counts: Counts): void {
    for (const [reason, count] of Object.entries(counts) as [Reason, number][])
      this.untold[reason] = (this.untold[reason] ?? 0) + count;
  }
}
