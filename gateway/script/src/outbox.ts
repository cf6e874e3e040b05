/**
 * Events that no server has acknowledged. Each lies under its own key, `hw_out:<page>:<messageId>`, so that tabs
 * never rewrite each other's, writing one costs the same however many wait, and the ids sort them by time.
 */
import { madeAt } from './ids';
import type { Store } from './store';

const PREFIX = 'hw_out:';
const MAX_EVENTS = 500;
const MAX_BYTES = 256 * 1024;

export interface Entry {
  id: string;
  json: string;
  /** In UTF-8 bytes. */
  size: number;
}

export interface Outbox {
  /** The entries that had to make room: the oldest, or the new one if it alone is too large. */
  add(id: string, json: string): Entry[];
  remove(entries: Entry[]): void;
  /** In the order in which they were taken in. */
  entries(): Entry[];
  /** Takes over what pages that are gone left behind before a time; `isAlive` is asked for each page's id. */
  adopt(beforeMs: number, isAlive: (page: string) => boolean): Entry[];
}

export function createOutbox(store: Store, page: string): Outbox {
  const held = new Map<string, Entry>();
  let bytes = 0;

  function remove(entries: Entry[]): void {
    for (const entry of entries) {
      if (held.delete(entry.id)) bytes -= entry.size;
      store.remove(PREFIX + page + ':' + entry.id);
    }
  }

  function add(id: string, json: string): Entry[] {
    const entry = { id, json, size: new TextEncoder().encode(json).length };
    if (entry.size > MAX_BYTES) return [entry];
    held.set(id, entry);
    bytes += entry.size;
    const displaced: Entry[] = [];
    for (const oldest of held.values()) {
      if (held.size <= MAX_EVENTS && bytes <= MAX_BYTES) break;
      displaced.push(oldest);
      remove([oldest]);
    }
    store.set(PREFIX + page + ':' + id, json);
    return displaced;
  }

  function adopt(beforeMs: number, isAlive: (page: string) => boolean): Entry[] {
    const displaced: Entry[] = [];
    const left = store.keys().map((key) => key.split(':')).filter(([prefix]) => prefix + ':' === PREFIX);
    for (const [, owner = '', id = ''] of left.sort((a, b) => (a[2]! < b[2]! ? -1 : 1))) {
      // Written so that an id without a time (NaN) counts as old.
      if (owner === page || madeAt(id) > beforeMs || isAlive(owner)) continue;
      const key = PREFIX + owner + ':' + id;
      const json = store.get(key);
      if (json) displaced.push(...add(id, json));
      store.remove(key);
    }
    return displaced;
  }

  return { add, remove, entries: () => [...held.values()], adopt };
}
