/**
 * Which of the tabs sends: the one that holds the lock. It loses the lock when it closes or crashes; when it hangs, it
 * stops answering the other tabs, and one of them takes the lock from it.
 *
 * NB: no heartbeat. Timers of hidden tabs run once a minute, messages arrive at once: so tabs that have work ask.
 */

const ANSWER_MS = 5_000;

type Word = "work" | "alive" | "stop" | "discard";

export interface Listener {
  /** This tab leads from now on, or no longer. */
  onLead(leads: boolean): void;
  /** Another tab has put something into the queue. */
  onWork(): void;
  /** Another tab was told to stop, and perhaps to discard what waits. */
  onStop(discards: boolean): void;
}

export class Election {
  leads = false;
  /** This tab leads or would, if the others went. */
  isStanding = false;
  /** The browser has no locks here (no https): every tab sends what is its own. */
  readonly alone = !navigator.locks;
  private channel: BroadcastChannel | undefined;
  private waiting: AbortController | undefined;
  private release: (() => void) | undefined;
  private silence = 0;

  constructor(
    private readonly name: string,
    private readonly listener: Listener,
  ) {}

  /** Listens to the other tabs. */
  open(): void {
    if (this.channel || typeof BroadcastChannel === "undefined") return;
    this.channel = new BroadcastChannel(this.name);
    this.channel.onmessage = ({ data }: MessageEvent<Word>) => this.hear(data);
  }

  /** Stands for election; whoever stands first leads, the others follow in their order. */
  stand(): void {
    this.isStanding = true;
    if (this.alone) this.lead();
    else this.queue();
  }

  /** Leaves the lead to others. */
  resign(): void {
    this.isStanding = this.leads = false;
    this.waiting?.abort();
    this.release?.();
    this.waiting = this.release = undefined;
    this.hush();
  }

  /** Resigns and goes away. NB: a page that holds a lock could not be kept for the back button. */
  leave(): void {
    this.resign();
    this.channel?.close();
    this.channel = undefined;
  }

  /** Tells the leader that there is work, and replaces it if it does not answer. */
  work(): void {
    this.say("work");
    if (!this.silence) this.silence = setTimeout(() => this.depose(), ANSWER_MS);
  }

  say(word: Word): void {
    this.channel?.postMessage(word);
  }

  private hear(word: Word): void {
    if (word === "alive") return this.hush();
    if (word !== "work") return this.listener.onStop(word === "discard");
    if (!this.leads) return;
    this.say("alive");
    this.listener.onWork();
  }

  private hush(): void {
    clearTimeout(this.silence);
    this.silence = 0;
  }

  private depose(): void {
    this.silence = 0;
    if (this.leads || !this.isStanding || this.alone) return;
    this.waiting?.abort();
    this.request({ steal: true });
  }

  private queue(): void {
    this.waiting = new AbortController();
    this.request({ signal: this.waiting.signal });
  }

  private request(options: LockOptions): void {
    navigator.locks
      .request(this.name, options, () => {
        if (!this.isStanding) return undefined;
        const held = new Promise<void>((resolve) => (this.release = resolve));
        this.lead();
        return held;
      })
      .catch(() => {
        // Another tab took the lock, or this tab gave up waiting for it.
        if (!this.leads) return;
        this.leads = false;
        this.listener.onLead(false);
        this.queue();
      });
  }

  private lead(): void {
    this.leads = true;
    this.hush();
    this.say("alive");
    this.listener.onLead(true);
  }
}
