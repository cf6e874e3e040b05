/**
 * Ties delivery to the life of the page. `unload` and `beforeunload` are never used: they cost the page its place in
 * the back-forward cache and do not fire where it matters. Nothing here waits, and nothing delays a navigation.
 */
import type { Delivery } from './delivery';

const PAGE_LOCK = 'hw_page:';
const SETTLE_MS = 10_000;
const SETTLE_WITHOUT_LOCKS_MS = 60_000;

/** `page` is this page's id in the outbox. */
export function followPage(page: string, delivery: Delivery): void {
  let release = hold(PAGE_LOCK + page);
  addEventListener('pagehide', () => {
    delivery.depart(true);
    release(); // a held lock would keep the page out of the back-forward cache
  });
  addEventListener('pageshow', ({ persisted }) => {
    if (!persisted) return;
    release = hold(PAGE_LOCK + page);
    delivery.resume();
  });
  addEventListener('visibilitychange', () => document.visibilityState === 'hidden' && delivery.depart(false));
  addEventListener('online', () => void delivery.flush());
  void adoptOrphans(delivery);
  setInterval(() => void adoptOrphans(delivery), SETTLE_MS);
}

/**
 * Events of a page that is gone may still be on their way, so they are left to settle first. Without the Locks API
 * nobody can tell which pages live: then a longer age decides, and a slow page's events may be sent twice.
 */
async function adoptOrphans(delivery: Delivery): Promise<void> {
  try {
    await navigator.locks.request('hw_adopt', { ifAvailable: true }, async (lock) => {
      if (!lock) return; // another tab is at it
      const { held = [] } = await navigator.locks.query();
      const alive = new Set(held.map(({ name }) => name));
      delivery.adopt(Date.now() - SETTLE_MS, (page) => alive.has(PAGE_LOCK + page));
    });
  } catch {
    delivery.adopt(Date.now() - SETTLE_WITHOUT_LOCKS_MS, () => false); // no Locks API here, or denied in a sandbox
  }
}

/** Holds a lock until the answer is called or the page dies. */
function hold(name: string): () => void {
  let release: () => void = () => {};
  const until = new Promise<void>((resolve) => (release = resolve));
  navigator.locks?.request(name, () => until).catch(() => {}); // denied in a sandbox: age decides there
  return release;
}
