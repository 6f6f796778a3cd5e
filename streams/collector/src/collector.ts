/** The collector of one page: hears the widget, keeps what it hears, and sees to it that it is sent. */

import { Disk } from "./disk";
import { Election } from "./election";
import { Outbox } from "./outbox";
import { Sender } from "./sender";
import { type Row, Session } from "./session";
import type { Settings } from "./settings";
import { Snapshots } from "./snapshots";
import { type Counts, Tally } from "./tally";
import { Token } from "./token";
import { isWidgetEvent, type WidgetEvent } from "./widget";

/** What `WidgetStreams.status()` tells. */
export interface Status {
  readonly state: "waiting_for_consent" | "capturing" | "stopped";
  readonly session_id: string;
  readonly captured: number;
  /** By this tab, for all tabs while it leads. */
  readonly sent: number;
  readonly dropped: Counts;
  /** Events of this tab that are not on disk. */
  readonly in_memory: number;
  readonly leads: boolean;
  /** Why the last request or write did not succeed; empty while all is well. */
  readonly trouble: string;
}

export class Collector {
  private state: Status["state"] = "waiting_for_consent";
  private hasJoined = false;
  private readonly tally: Tally;
  private readonly session: Session;
  private readonly disk: Disk;
  private readonly outbox: Outbox;
  private readonly election: Election;
  private readonly token: Token;
  private readonly sender: Sender;
  private readonly snapshots = new Snapshots();

  constructor(
    private readonly settings: Settings,
    version: string,
  ) {
    const name = `widget-streams ${settings.endpoint}`;
    this.tally = new Tally(settings.onDrop);
    this.session = new Session(settings, this.tally, version);
    this.disk = new Disk(name);
    this.outbox = new Outbox(this.disk, settings, this.tally, this.session.id);
    this.token = new Token(settings.token);
    this.election = new Election(name, {
      onLead: (leads) => (leads ? unheard(this.takeOver()) : this.outbox.leaveToLeader()),
      onWork: () => this.sender.kick(),
      onStop: (discards) => unheard(this.end(discards)),
    });
    this.sender = new Sender(settings, this.outbox, this.election, this.token, this.tally);
  }

  /** Begins to capture, or goes on with it. */
  start(): void {
    if (this.state === "capturing") return;
    this.state = "capturing";
    // In the capture phase: a listener of the host that stops a message does not stop it for us.
    addEventListener("message", this.onMessage, true);
    if (this.hasJoined) return;
    this.hasJoined = true;
    addEventListener("online", guarded(() => this.sender.hurry()));
    addEventListener("focus", guarded(() => this.onFocus()));
    addEventListener("pagehide", guarded(() => this.onHide()));
    addEventListener("pageshow", guarded((event) => this.onShow(event as PageTransitionEvent)));
    document.addEventListener("visibilitychange", guarded(() => this.onVisibility()));
    unheard(this.token.renew().then((isNew) => this.adopt(isNew)));
    unheard(this.join());
  }

  /** Ends capturing in all tabs; `discards`: what is not sent yet is forgotten, else it is still sent. */
  async stop(discards: boolean): Promise<void> {
    this.election.open();
    this.election.say(discards ? "discard" : "stop");
    await this.end(discards);
  }

  status(): Status {
    return {
      state: this.state,
      session_id: this.session.id,
      captured: this.session.captured,
      sent: this.sender.sent,
      dropped: { ...this.tally.dropped },
      in_memory: this.outbox.inMemory,
      leads: this.election.leads,
      trouble: this.sender.trouble || this.disk.trouble,
    };
  }

  private async end(discards: boolean): Promise<void> {
    if (this.state === "capturing") this.state = "stopped";
    removeEventListener("message", this.onMessage, true);
    if (discards) await this.outbox.discard();
    else this.sender.kick();
  }

  private readonly onMessage = guarded((event) => {
    const message = event as MessageEvent;
    if (!isWidgetEvent(message, this.settings)) return;
    const posted = message.data as WidgetEvent;
    const row = this.session.envelope(posted, message.origin, this.token.owner);
    if (row) unheard(this.keep(row));
    if (this.settings.asksSnapshots) this.snapshots.see(posted, message.source, message.origin);
  });

  private async keep(row: Row): Promise<void> {
    const isOnDisk = await this.outbox.put(row);
    // The disk that could not be had at first is there now.
    if (isOnDisk && !this.election.isStanding && !this.sender.isBarred) this.election.stand();
    if (!isOnDisk) return this.sender.kick();
    if (!this.election.leads) this.outbox.leaveToLeader();
    return this.wake();
  }

  private async takeOver(): Promise<void> {
    await this.outbox.trim();
    this.sender.hurry();
  }

  /** Something on disk is ready to be sent, by whoever leads. */
  private wake(): void {
    if (this.election.leads) this.sender.kick();
    else this.election.work();
  }

  private async adopt(isNewToken: boolean): Promise<void> {
    if (!isNewToken) return;
    await this.outbox.adopt(this.token.owner);
    this.wake();
  }

  /** Whoever cannot write to the disk cannot send for the others. */
  private async join(): Promise<void> {
    this.election.open();
    try {
      await this.disk.open();
      if (!this.sender.isBarred) this.election.stand();
    } catch {
      this.sender.kick();
    }
  }

  private onFocus(): void {
    if (this.state === "capturing" && this.settings.asksSnapshots) this.snapshots.onFocus();
  }

  private onVisibility(): void {
    if (document.visibilityState === "hidden") this.sender.flush();
    else this.sender.hurry();
  }

  private onHide(): void {
    this.sender.flush();
    this.election.leave();
  }

  private onShow(event: PageTransitionEvent): void {
    if (event.persisted) unheard(this.join());
  }
}

/** A promise of ours that fails is not the page's business either. */
function unheard(promise: Promise<unknown>): void {
  promise.catch(() => undefined);
}

/** Nothing of ours is ever thrown into the page. */
function guarded(listener: (event: Event) => void): (event: Event) => void {
  return (event) => {
    try {
      listener(event);
    } catch {
      // What cannot be done is not worth the host's page.
    }
  };
}
