/** How bytes leave the page, and what the server's answer means. */
import { settings } from './settings';
import { attempt } from './signals';
import type { Fields } from './types';

const TIMEOUT_MS = 15_000;
const MAX_RETRY_AFTER_S = 300;
/** Statuses that another attempt would not change. */
const FINAL = /^4(?!08|29)/;

/** What the server said; or how long it asks us to wait, in seconds; or why it will never take the events. */
export type Answer = Fields | number | string;

/**
 * Settles with the server's answer; never rejects. `keepalive`: the request shall outlive the page. `leaving`: the page is
 * about to go, and a beacon outlives it best; nobody will hear an answer then.
 */
export async function send(body: string, keepalive: boolean, leaving?: boolean): Promise<Answer> {
  if (leaving && keepalive && attempt(() => navigator.sendBeacon(settings.endpoint!, body))) return new Promise(() => {});
  try {
    const signal = (AbortSignal as any).timeout?.(TIMEOUT_MS);
    // A string goes as text/plain, which needs no preflight on another host.
    const response = await fetch(settings.endpoint!, { method: 'POST', body, keepalive, credentials: 'include', signal });
    const { status, headers } = response;
    if (response.ok) return await response.json().catch(() => ({}));
    if (FINAL.test(status as any)) return 'refused: ' + status;
    return Math.min(+headers.get('Retry-After')! || 0, MAX_RETRY_AFTER_S);
  } catch {
    return 0; // offline, blocked, timed out
  }
}
