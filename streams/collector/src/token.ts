/** The identity token of the host page's user, and whose events it may vouch for. */

import type { TokenSource } from "./settings";

/** Claims that differ from one token of a user to the next. */
const PASSING = new Set(["exp", "iat", "nbf", "jti"]);
const ANSWER_MS = 10_000;

export class Token {
  value = "";
  /** Who it names; empty before the first token. */
  owner = "";
  private asked: Promise<boolean> | undefined;

  constructor(private readonly source: TokenSource | undefined) {}

  /** Asks the page for a token, once at a time; true if it gave another one than the last. */
  renew(): Promise<boolean> {
    this.asked ??= this.ask().finally(() => (this.asked = undefined));
    return this.asked;
  }

  private async ask(): Promise<boolean> {
    const silence = new Promise<undefined>((resolve) => setTimeout(resolve, ANSWER_MS));
    let given: string | null | undefined;
    try {
      given = await (typeof this.source === "function" ? Promise.race([this.source(), silence]) : this.source);
    } catch {
      // The page could not get one; the one that it gave before may still be good.
    }
    if (!given || given === this.value) return false;
    this.value = given;
    this.owner = ownerOf(given);
    return true;
  }
}

/** Gives what all tokens of one user have in common; the token itself where it cannot be read. */
function ownerOf(token: string): string {
  try {
    const claims: unknown = JSON.parse(atob(token.split(".")[1]!.replace(/-/g, "+").replace(/_/g, "/")));
    return JSON.stringify(Object.entries(claims as object).filter(([name]) => !PASSING.has(name)));
  } catch {
    return token;
  }
}
