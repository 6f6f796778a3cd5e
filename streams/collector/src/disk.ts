/** The queue on disk: one IndexedDB store for all tabs of the page's origin. Keys grow, so the oldest is first. */

import type { Row } from "./session";

const STORE = "queue";
const OPEN_MS = 5_000;
const REOPEN_MS = 60_000;

export class Disk {
  /** What the browser last said no with; empty while all is well. */
  trouble = "";
  private opened: Promise<IDBDatabase> | undefined;
  private notBefore = 0;

  constructor(private readonly name: string) {}

  /** Opens the store, which creates it. Rejects where the browser gives none. */
  async open(): Promise<void> {
    await this.database();
  }

  /** Stores a row and gives its key once it is written. */
  add(row: Row): Promise<number> {
    return this.run("readwrite", (store) => store.add(row)) as Promise<number>;
  }

  /** Gives up to `count` rows after a key, oldest first. */
  read(after: number, count: number): Promise<Row[]> {
    return this.run("readonly", (store) => store.getAll(IDBKeyRange.lowerBound(after, true), count)) as Promise<Row[]>;
  }

  /** Deletes rows and gives how many of them were still there: another tab may have been faster. */
  async remove(keys: readonly number[]): Promise<number> {
    let removed = 0;
    await this.run("readwrite", (store) => {
      for (const key of keys) {
        const known = store.getKey(key);
        known.onsuccess = () => {
          if (known.result === undefined) return;
          removed += 1;
          store.delete(key);
        };
      }
    });
    return removed;
  }

  /** Changes a row that is still there. */
  async update(row: Row): Promise<void> {
    await this.run("readwrite", (store) => {
      const known = store.getKey(row.k!);
      known.onsuccess = () => {
        if (known.result !== undefined) store.put(row);
      };
    });
  }

  /** Empties the queue and gives how many rows there were. */
  async clear(): Promise<number> {
    return (await this.run("readwrite", (store) => {
      const counted = store.count();
      store.clear();
      return counted;
    })) as number;
  }

  private async run(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest | void): Promise<unknown> {
    try {
      const database = await this.database();
      const result = await new Promise((resolve, reject) => {
        const transaction = database.transaction(STORE, mode, { durability: "relaxed" });
        const request = work(transaction.objectStore(STORE));
        transaction.oncomplete = () => resolve(request?.result);
        transaction.onabort = () => reject(transaction.error ?? new Error("aborted"));
      });
      this.trouble = "";
      return result;
    } catch (error) {
      this.trouble = error instanceof Error || error instanceof DOMException ? error.name : "Error";
      // NB: a connection that the browser closed says InvalidStateError for ever; a new one is made with the next try.
      if (this.trouble === "InvalidStateError") this.opened = undefined;
      throw error;
    }
  }

  private database(): Promise<IDBDatabase> {
    if (!this.opened) {
      if (performance.now() < this.notBefore) return Promise.reject(new Error("closed"));
      const opening = connect(this.name, () => (this.opened = undefined));
      this.opened = opening;
      opening.catch(() => {
        this.opened = undefined;
        this.notBefore = performance.now() + REOPEN_MS;
      });
    }
    return this.opened;
  }
}

function connect(name: string, onClose: () => void): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    // Some browsers never answer when their storage is broken.
    const timer = setTimeout(() => reject(new Error("timeout")), OPEN_MS);
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "k", autoIncrement: true });
    request.onerror = () => reject(request.error ?? new Error("refused"));
    request.onsuccess = () => {
      clearTimeout(timer);
      const database = request.result;
      database.onclose = onClose;
      database.onversionchange = () => {
        database.close();
        onClose();
      };
      resolve(database);
    };
  });
}
