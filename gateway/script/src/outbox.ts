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
  add(id: string, json: string): void;
  remove(entries: Entry[]): void;
  /** In the order in which they were taken in. */
  entries(): Entry[];
  /** Takes over what pages that are gone left behind before a time, and says how many those were. */
  adopt(beforeMs: number, isAlive: (page: string) => boolean): number;
}

/** `lose` hears of what had to make room: the oldest entries, or a new one that is too large by itself. */
export function createOutbox(store: Store, page: string, lose: (entry: Entry) => void): Outbox {
  const held = new Map<string, Entry>();
  let bytes = 0;

  function remove(entries: Entry[]): void {
    for (const entry of entries) {
      if (held.delete(entry.id)) bytes -= entry.size;
      store.remove(PREFIX + page + ':' + entry.id);
    }
  }

  function add(id: string, json: string): void {
    const entry = { id, json, size: new TextEncoder().encode(json).length };
    if (entry.size > MAX_BYTES) return lose(entry);
    held.set(id, entry);
    bytes += entry.size;
    for (const oldest of held.values()) {
      if (held.size <= MAX_EVENTS && bytes <= MAX_BYTES) break;
      remove([oldest]);
      lose(oldest);
    }
    store.set(PREFIX + page + ':' + id, json);
  }

  function adopt(beforeMs: number, isAlive: (page: string) => boolean): number {
    const left = store.keys().map((key) => key.split(':')).filter(([prefix]) => prefix + ':' === PREFIX);
    // Written so that an id without a time (NaN) counts as old.
    const orphans = left.filter(([, owner = '', id = '']) => owner !== page && !(madeAt(id) > beforeMs) && !isAlive(owner));
    for (const parts of orphans.sort(([, , a = ''], [, , b = '']) => (a < b ? -1 : 1))) {
      const key = parts.join(':');
      const json = store.get(key) ?? '';
      if (isJson(json)) add(parts[2]!, json);
      store.remove(key);
    }
    return orphans.length;
  }

  return { add, remove, entries: () => [...held.values()], adopt };
}

/** Anyone may write to a site's storage, and one broken event would have the whole batch refused. */
function isJson(text: string): boolean {
  try {
    return !!JSON.parse(text);
  } catch {
    return false;
  }
}
