/**
 * Events that no server has acknowledged, of all tabs: each under a key of its own, `out:<messageId>:<bytes>`, so that
 * tabs never rewrite each other's, writing one costs the same however many wait, and sorted keys are in order of time.
 */
import { uuid } from './ids';
import { emit } from './signals';
import { get, keys, read, remove, set } from './store';

const PREFIX = 'out:';
const MAX_EVENTS = 500;
const MAX_BYTES = 512 * 1024;
const ID_LENGTH = 36;
const MARK = 'mark';

/** What this page made, until it is acknowledged. */
const own: Record<Entry, string> = {};
/** Changes whenever a page clears the storage. */
let mark: string | undefined;

/** `<messageId>:<bytes>` */
export type Entry = string;

export function idOf(entry: Entry): string {
  return entry.slice(0, ID_LENGTH);
}

/** In UTF-8. */
export function sizeOf(entries: Entry[]): number {
  return entries.reduce((sum, entry) => sum + (+entry.slice(ID_LENGTH + 1) || 0), 0);
}

/** In the order in which they happened. */
export function waiting(): Entry[] {
  const found = get(MARK);
  if (!found || found !== mark) {
    // A page has cleared the storage, as some do when a user signs out. What this one did before is still news.
    set(MARK, (mark = found || uuid()));
    for (const entry in own) set(PREFIX + entry, own[entry]!);
  }
  return keys(PREFIX);
}

/** The oldest make room for a new one. */
export function store(id: string, json: string): void {
  const entry = id + ':' + new Blob([json]).size;
  const all = [...waiting(), entry];
  while (all[MAX_EVENTS] || (all[1] && sizeOf(all) > MAX_BYTES)) {
    const oldest = all.splice(0, 1);
    discard(oldest);
    emit('dropped', oldest.map(idOf), 'outbox full');
  }
  set(PREFIX + entry, (own[entry] = json));
}

export function discard(entries: Entry[]): void {
  entries.forEach((entry) => {
    delete own[entry];
    remove(PREFIX + entry);
  });
}

/** The event's JSON. Anyone may write to a site's storage, and one broken event would have the whole batch refused. */
export function load(entry: Entry): string | undefined {
  return read<unknown>(PREFIX + entry) ? get(PREFIX + entry) : undefined;
}
