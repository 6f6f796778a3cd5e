/**
 * What waits to be sent: on disk for all tabs, and in memory what this tab has captured and nobody else can send.
 *
 * An event is in memory until it is on disk; where it cannot be written it stays there and this tab sends it itself.
 */

import type { Disk } from "./disk";
import type { Row } from "./session";
import type { Settings } from "./settings";
import type { Tally } from "./tally";

const CHUNK = 64;
const WRITE_MS = 3_000;
const MEMORY_BYTES = 1_000_000;
const BROKEN_MS = 60_000;
/** The gateway takes 500 at once. */
const BATCH_EVENTS = 200;
/** Without Web Locks nobody leads: what other page loads left is taken once it is this old. */
const ORPHAN_MS = 60_000;

export class Outbox {
  /** Captured here and not known to be sent, by event id. */
  private readonly held = new Map<string, Row>();
  /** Under way. */
  private readonly flying = new Set<string>();
  /** On their way to the disk. */
  private readonly writing = new Set<string>();
  /** Owners whose events need a token that nobody has now, and until when they are left alone. */
  private readonly parked = new Map<string, number>();
  /** Done with, but the disk would not let go of them. */
  private readonly stuck = new Set<string>();
  /** Bytes taken in since the queue was last looked at as a whole. */
  private unchecked = 0;
  private brokenUntil = 0;
  private trimming: Promise<void> | undefined;

  constructor(
    private readonly disk: Disk,
    private readonly settings: Settings,
    private readonly tally: Tally,
    private readonly sessionId: string,
  ) {}

  /** How many events only this tab knows of. */
  get inMemory(): number {
    return Array.from(this.held.values()).filter((row) => row.k === undefined).length;
  }

  /** What is written cannot be read: the disk is left alone for a while. */
  get isDiskBroken(): boolean {
    return performance.now() < this.brokenUntil;
  }

  /** Takes an event in; resolves when it is on disk or, false, when it will have to stay in memory. */
  async put(row: Row): Promise<boolean> {
    this.held.set(row.i, row);
    const late = new Promise<boolean>((resolve) => setTimeout(resolve, WRITE_MS, false));
    const isOnDisk = !this.isDiskBroken && (await Promise.race([this.write(row), late]));
    if (!isOnDisk) this.capMemory();
    // Also where nobody sends, the queue must not grow for ever.
    this.unchecked += row.z;
    if (this.unchecked > this.settings.maxBytes / 4) await this.trim();
    return isOnDisk;
  }

  /** Forgets what is on disk: whoever leads sends that. */
  leaveToLeader(): void {
    for (const row of this.held.values()) if (row.k !== undefined) this.held.delete(row.i);
  }

  /** Gives the next batch, oldest first, of one owner; `leads`: from all tabs, else only what this tab must send. */
  async next(leads: boolean, alone: boolean, maxBytes: number): Promise<Row[]> {
    const batch = new Batch(maxBytes);
    if (leads && !(await this.fromDisk(batch, alone))) return batch.rows;
    const taken = new Set(batch.rows.map((row) => row.i));
    // A leader also sends what it holds and the disk no longer has: the user may have cleared it.
    for (const row of this.held.values()) {
      const isOurs = this.isStranded(row) || (leads && row.k !== undefined && !taken.has(row.i));
      if (isOurs && this.isFree(row) && batch.isFor(row) && !batch.take(row)) break;
    }
    return batch.rows;
  }

  /** Gives the next batch of what a closing page should try to send: everything, or only what is not on disk. */
  last(everything: boolean, maxBytes: number): Row[] {
    const batch = new Batch(maxBytes);
    for (const row of this.held.values()) {
      const isWanted = this.isFree(row) && (everything || row.k === undefined);
      if (isWanted && batch.isFor(row) && (row.z > maxBytes || !batch.take(row))) break;
    }
    return batch.rows;
  }

  setFlying(rows: readonly Row[], isFlying: boolean): void {
    for (const row of rows) this.flying[isFlying ? "add" : "delete"](row.i);
  }

  /** Strikes out what is in Kafka or will never be. */
  async done(rows: readonly Row[]): Promise<void> {
    const keys: number[] = [];
    for (const row of rows) {
      const key = row.k ?? this.held.get(row.i)?.k;
      this.held.delete(row.i);
      if (key !== undefined) keys.push(key);
    }
    try {
      if (keys.length) await this.disk.remove(keys);
    } catch {
      // The next page load sends them again, and they are recognised; this one must not do so for ever.
      for (const row of rows) this.stuck.add(row.i);
    }
  }

  park(owner: string, until: number): void {
    this.parked.set(owner, until);
  }

  /** Gives the events that were captured before the token came to its owner. */
  async adopt(owner: string): Promise<void> {
    this.parked.clear();
    const early = Array.from(this.held.values()).filter((row) => row.w === "");
    for (const row of early) row.w = owner;
    const rows = (await this.everything().catch(() => [])).filter((row) => row.s === this.sessionId && row.w === "");
    for (const row of rows) await this.disk.update({ ...row, w: owner }).catch(() => undefined);
  }

  /** Keeps the queue within its bytes and age, and tries again to write what is in memory only. */
  trim(): Promise<void> {
    this.trimming ??= this.trimAll().finally(() => (this.trimming = undefined));
    return this.trimming;
  }

  /** Drops all that waits. */
  async discard(): Promise<void> {
    const unwritten = this.inMemory;
    this.held.clear();
    this.tally.drop("discarded", unwritten + (await this.disk.clear().catch(() => 0)));
  }

  private async write(row: Row): Promise<boolean> {
    this.writing.add(row.i);
    try {
      const key = await this.disk.add({ ...row });
      // Sent or given up while it was being written.
      if (!this.held.has(row.i)) await this.disk.remove([key]);
      if (!this.isDiskBroken) row.k = key;
      return true;
    } catch {
      return false;
    } finally {
      this.writing.delete(row.i);
    }
  }

  /** Fills a batch from the disk; true when there is no more on it. */
  private async fromDisk(batch: Batch, alone: boolean): Promise<boolean> {
    const isMine = (row: Row): boolean => !alone || row.s === this.sessionId || Date.now() - row.t > ORPHAN_MS;
    let after = 0;
    for (;;) {
      const rows = await this.disk.read(after, CHUNK).catch(() => this.forgetDisk());
      for (const row of rows) {
        after = row.k!;
        if (isMine(row) && this.isFree(row) && batch.isFor(row) && !batch.take(row)) return false;
      }
      if (rows.length < CHUNK) return true;
    }
  }

  /** Memory has to do: what this tab holds counts as unwritten. */
  private forgetDisk(): Row[] {
    this.brokenUntil = performance.now() + BROKEN_MS;
    for (const row of this.held.values()) delete row.k;
    return [];
  }

  /** It is not on disk and will not be soon. */
  private isStranded(row: Row): boolean {
    return row.k === undefined && (!this.writing.has(row.i) || Date.now() - row.t > WRITE_MS);
  }

  private isFree(row: Row): boolean {
    return !this.flying.has(row.i) && !this.stuck.has(row.i) && !((this.parked.get(row.w) ?? 0) > performance.now());
  }

  private async everything(): Promise<Row[]> {
    const all: Row[] = [];
    for (;;) {
      const rows = await this.disk.read(all[all.length - 1]?.k ?? 0, CHUNK);
      all.push(...rows);
      if (rows.length < CHUNK) return all;
    }
  }

  private async trimAll(): Promise<void> {
    this.unchecked = 0;
    await this.trimDisk().catch(() => undefined);
    for (const row of this.held.values()) {
      if (row.k === undefined && this.isFree(row) && !this.writing.has(row.i)) void this.write(row);
    }
  }

  private async trimDisk(): Promise<void> {
    const rows = await this.everything();
    const oldest = Date.now() - this.settings.maxAgeMs;
    const expired = rows.filter((row) => row.t < oldest);
    const kept = rows.filter((row) => row.t >= oldest);
    let bytes = kept.reduce((sum, row) => sum + row.z, 0);
    const surplus: Row[] = [];
    for (const row of kept) {
      if (bytes <= this.settings.maxBytes) break;
      bytes -= row.z;
      surplus.push(row);
    }
    await this.give(expired, "expired");
    await this.give(surplus, "overflow");
  }

  private async give(rows: readonly Row[], reason: "expired" | "overflow"): Promise<void> {
    const idle = rows.filter((row) => !this.flying.has(row.i));
    if (!idle.length) return;
    const removed = await this.disk.remove(idle.map((row) => row.k!));
    for (const row of idle) this.held.delete(row.i);
    this.tally.drop(reason, removed);
  }

  private capMemory(): void {
    const unwritten = Array.from(this.held.values()).filter((row) => row.k === undefined && !this.flying.has(row.i));
    let bytes = unwritten.reduce((sum, row) => sum + row.z, 0);
    const limit = Math.min(MEMORY_BYTES, this.settings.maxBytes);
    for (const row of unwritten) {
      if (bytes <= limit) return;
      bytes -= row.z;
      this.held.delete(row.i);
      this.tally.drop("overflow");
    }
  }
}

/** Events of one owner that fit in one request. */
class Batch {
  readonly rows: Row[] = [];
  private bytes = 0;

  constructor(private readonly maxBytes: number) {}

  isFor(row: Row): boolean {
    return !this.rows[0] || this.rows[0].w === row.w;
  }

  /** False when the row does not fit. One that is larger than any batch goes alone. */
  take(row: Row): boolean {
    const isFull = this.bytes + row.z > this.maxBytes || this.rows.length >= BATCH_EVENTS;
    if (this.rows.length && isFull) return false;
    this.rows.push(row);
    this.bytes += row.z;
    return true;
  }
}
