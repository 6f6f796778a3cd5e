/** The identity token of the host page's user, and whose events it may vouch for. */

import type { TokenSource } from "./settings";

/** Claims that differ from one token of a user to the next. */
const PASSING = new Set(["exp", "iat", "nbf", "jti"]);

export class Token {
  value = "";
  /** Who it names; empty without a token. */
  owner = "";

  constructor(private readonly source: TokenSource | undefined) {}

  /** Asks the page for a token; true if it gave another one than the last. */
  async renew(): Promise<boolean> {
    const before = this.value;
    try {
      this.value = (typeof this.source === "function" ? await this.source() : this.source) || "";
    } catch {
      this.value = "";
    }
    if (this.value) this.owner = ownerOf(this.value);
    return this.value !== "" && this.value !== before;
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
