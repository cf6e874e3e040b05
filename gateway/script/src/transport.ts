/** How bytes leave the page, and what the server's answer means. */
import { settings } from './settings';
import { attempt } from './signals';
import type { Fields } from './types';

/** The browser lets 64 KiB of keepalive bodies and beacons be in flight at once, all together. */
const BUDGET = 64 * 1024;
const TIMEOUT_MS = 15_000;
const MAX_RETRY_AFTER_S = 300;
/** Statuses that another attempt would not change. */
const FINAL = /^4(?!08|29)/;

/** What the server said; or how long it asks us to wait, in seconds; or why it will never take the events. */
export type Answer = Fields | number | string;

let inFlight = 0;

/**
 * Settles with the server's answer; never rejects. `size` is the body's in bytes. `leaving`: the page is about to go, and
 * a beacon outlives it best; nobody will hear an answer then. `failed`: someone else's beacons may fill the budget, which
 * looks like a dead network, so an attempt after a failure does without.
 */
export async function send(body: string, size: number, leaving?: boolean, failed?: unknown): Promise<Answer> {
  const keepalive = (inFlight += size) <= BUDGET && !failed;
  const { endpoint } = settings as { endpoint: string };
  if (leaving && keepalive && attempt(() => navigator.sendBeacon(endpoint, body))) return new Promise(() => {});
  try {
    const signal = (AbortSignal as any).timeout?.(TIMEOUT_MS);
    // A string goes as text/plain, which needs no preflight on another host.
    const response = await fetch(endpoint, { method: 'POST', body, keepalive, credentials: 'include', signal });
    const { ok, status, headers } = response;
    if (ok) return await response.json().catch(() => ({}));
    if (FINAL.test(status as any)) return 'refused: ' + status;
    return Math.min(+headers.get('Retry-After')! || 0, MAX_RETRY_AFTER_S);
  } catch {
    return 0; // offline, blocked, timed out
  } finally {
    inFlight -= size;
  }
}

/** The page came back: its beacons are long gone. */
export function returned(): void {
  inFlight = 0;
}
