/** Sends what waits, one request at a time, until nothing does; after a failure it waits longer and longer. */

import type { Election } from "./election";
import type { Outbox } from "./outbox";
import type { Row } from "./session";
import type { Settings } from "./settings";
import type { Tally } from "./tally";
import type { Token } from "./token";
import { read, type Verdict } from "./verdict";

const BATCH_BYTES = 40_000;
const FRAME_BYTES = 300;
/** Browsers allow 64 KiB under way in requests that outlive the page; the host page may use some of it. */
const KEEPALIVE_BYTES = 60_000;
const TIMEOUT_MS = 30_000;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
/** An event sent so long after it was captured comes from the queue, not from life. */
const REPLAYED_MS = 10_000;

export class Sender {
  sent = 0;
  /** The last word that was no success; empty after one. */
  trouble = "";
  /** The gateway will not have this page's events, whatever we do. */
  isBarred = false;
  private isRunning = false;
  private isAsked = false;
  private failures = 0;
  private retryAt = 0;
  private notBefore = 0;
  private timer = 0;
  private flyingBytes = 0;
  private halves = 1;

  constructor(
    private readonly settings: Settings,
    private readonly outbox: Outbox,
    private readonly election: Election,
    private readonly token: Token,
    private readonly tally: Tally,
  ) {}

  /** Sends what there is, now or when the wait is over. */
  kick(): void {
    this.isAsked = true;
    if (!this.isRunning) void this.run();
  }

  /** The network is back, or somebody looks: no reason to wait longer than the gateway asked for. */
  hurry(): void {
    this.retryAt = this.notBefore;
    this.kick();
  }

  /** The page may go away: send in requests that outlive it. What is on disk and refused for now stays there. */
  flush(): void {
    const everything = this.election.leads && performance.now() >= this.retryAt;
    while (!this.isBarred) {
      const left = KEEPALIVE_BYTES - this.flyingBytes - FRAME_BYTES;
      const rows = this.outbox.last(everything, Math.min(left, this.room()));
      if (!rows.length) return;
      void this.deliver(rows, true).then(() => this.isAsked && this.kick());
    }
  }

  private async run(): Promise<void> {
    this.isRunning = true;
    clearTimeout(this.timer);
    try {
      while (this.isAsked && !this.isBarred && performance.now() >= this.retryAt) {
        this.isAsked = false;
        const rows = await this.outbox.next(this.election.leads, this.election.alone, this.room() / this.halves);
        // Others can send what this tab cannot read.
        if (this.outbox.isDiskBroken && !this.election.alone) this.election.resign();
        if (!rows.length) continue;
        this.isAsked = true;
        await this.deliver(rows);
      }
    } finally {
      this.isRunning = false;
    }
    if (this.isAsked && !this.isBarred) this.timer = setTimeout(() => this.kick(), this.retryAt - performance.now());
  }

  private async deliver(rows: Row[], isLast = false): Promise<void> {
    const told = this.tally.take();
    this.outbox.setFlying(rows, true);
    const bytes = size(rows);
    this.flyingBytes += bytes;
    try {
      const verdict = await this.post(rows, told, isLast);
      if (verdict.fate !== "taken") this.tally.giveBack(told);
      await this.obey(verdict, rows);
    } catch {
      this.tally.giveBack(told);
      this.wait("NO_ANSWER", 0);
    }
    this.flyingBytes -= bytes;
    this.outbox.setFlying(rows, false);
    if (this.failures) await this.outbox.trim();
  }

  private async post(rows: readonly Row[], told: object, isLast: boolean): Promise<Verdict> {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), TIMEOUT_MS);
    try {
      const response = await fetch(this.settings.endpoint, {
        method: "POST",
        // NB: with this type browsers ask no permission first.
        headers: { "content-type": "text/plain" },
        body: this.body(rows, told),
        credentials: "omit",
        referrerPolicy: "no-referrer",
        // After a failure without: the host page may have used up what browsers allow.
        keepalive: (isLast || this.failures === 0) && this.flyingBytes <= KEEPALIVE_BYTES,
        signal: limit.signal,
      });
      return await read(response);
    } finally {
      clearTimeout(timer);
    }
  }

  private body(rows: readonly Row[], told: object): string {
    const now = Date.now();
    const isVouchedFor = this.token.value && rows[0]!.w === this.token.owner;
    const head = { key: this.settings.key, ...(isVouchedFor ? { token: this.token.value } : {}), sent_at: now };
    const envelopes = rows.map((row, index) => {
      const dropped = index === 0 && Object.keys(told).length ? `,"dropped":${JSON.stringify(told)}` : "";
      return `${row.b},"sent_at":${now},"replayed":${now - row.t > REPLAYED_MS}${dropped}}`;
    });
    return `${JSON.stringify(head).slice(0, -1)},"events":[${envelopes.join(",")}]}`;
  }

  private async obey(verdict: Verdict, rows: readonly Row[]): Promise<void> {
    const { fate, code, waitMs } = verdict;
    if (fate === "taken") return this.take(verdict, rows);
    if (fate === "drop" || (fate === "halve" && rows.length === 1)) return this.drop(rows, code);
    this.trouble = code;
    if (fate === "later") return this.wait(code, waitMs);
    if (fate === "stop") return this.bar();
    if (fate === "token") return this.renew(rows[0]!.w, code);
    this.halves *= 2;
    return undefined;
  }

  private async take(verdict: Verdict, rows: readonly Row[]): Promise<void> {
    const named = new Map(verdict.refused.map((refusal) => [refusal.index, refusal]));
    const isKept = (index: number): boolean => named.get(index)?.retry === true;
    for (const refusal of verdict.refused)
      if (!refusal.retry && rows[refusal.index]) this.tally.drop("refused", 1, String(refusal.code));
    await this.outbox.done(rows.filter((_, index) => !isKept(index)));
    this.sent += rows.length - verdict.refused.length;
    if (verdict.refused.some((refusal) => refusal.retry)) return this.wait("PARTLY_LATER", verdict.waitMs);
    this.failures = this.retryAt = this.notBefore = 0;
    this.halves = 1;
    this.trouble = "";
    return undefined;
  }

  private async drop(rows: readonly Row[], code: string): Promise<void> {
    this.tally.drop("refused", rows.length, code);
    await this.outbox.done(rows);
  }

  private bar(): void {
    this.isBarred = true;
    // Another tab may have better settings.
    this.election.resign();
  }

  private async renew(owner: string, code: string): Promise<void> {
    // Another token of this user would not help with somebody else's events.
    const isOurs = owner === this.token.owner || !this.token.value;
    if (isOurs && (await this.token.renew())) return this.outbox.adopt(this.token.owner);
    if (code !== "TOKEN_REQUIRED" && this.token.value) this.token.value = "";
    else {
      this.outbox.park(owner, performance.now() + LONGEST_WAIT_MS);
      setTimeout(() => this.kick(), LONGEST_WAIT_MS);
    }
    return this.wait(code, 0);
  }

  private wait(code: string, waitMs: number): void {
    this.trouble = code;
    this.failures += 1;
    // NB: not the clock of the day, which people and time servers set back.
    const now = performance.now();
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.failures);
    const jittered = FIRST_WAIT_MS + Math.random() * (longest - FIRST_WAIT_MS);
    // Those that were told the same moment should not all come back in it.
    this.notBefore = waitMs ? now + waitMs + Math.random() * FIRST_WAIT_MS : 0;
    this.retryAt = Math.max(now + (waitMs ? 0 : jittered), this.notBefore);
    this.isAsked = true;
  }

  private room(): number {
    return BATCH_BYTES - FRAME_BYTES - this.settings.key.length - this.token.value.length;
  }
}

function size(rows: readonly Row[]): number {
  return rows.reduce((sum, row) => sum + row.z, FRAME_BYTES);
}
