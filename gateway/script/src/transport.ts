/** How bytes leave the page, and what the server's answer means. */

/** The browser lets 64 KiB of keepalive bodies and beacons be in flight at once, all together. */
const KEEPALIVE_BUDGET = 64 * 1024;
const TIMEOUT_MS = 15_000;
const MAX_RETRY_AFTER_S = 300;

/** `retry` carries the seconds that the server asked to wait, or 0. */
export type Answer = { outcome: 'delivered' } | { outcome: 'refused'; status: number } | { outcome: 'retry'; afterS: number };

export interface Transport {
  /** Settles with the server's answer; never rejects. `size` is the body's in bytes. */
  send(body: string, size: number): Promise<Answer>;
  /** For a page that is about to go: hands the body to the browser. False: it did not take it. */
  leave(body: string): boolean;
}

export function createTransport(endpoint: string): Transport {
  let keptAlive = 0;
  let lastFailed = false;

  async function send(body: string, size: number): Promise<Answer> {
    // Someone else's beacons may fill the budget, which looks like a dead network: after a failure, once without.
    const keepalive = !lastFailed && keptAlive + size <= KEEPALIVE_BUDGET;
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), TIMEOUT_MS);
    if (keepalive) keptAlive += size;
    try {
      // A string goes as text/plain, which needs no preflight on another host.
      const response = await fetch(endpoint, { method: 'POST', body, keepalive, credentials: 'include', signal: abort.signal });
      lastFailed = false;
      return judge(response);
    } catch {
      lastFailed = !lastFailed;
      return { outcome: 'retry', afterS: 0 }; // offline, refused, blocked, timed out
    } finally {
      clearTimeout(timer);
      if (keepalive) keptAlive -= size;
    }
  }

  function leave(body: string): boolean {
    try {
      return navigator.sendBeacon(endpoint, body);
    } catch {
      return false; // not there, or switched off
    }
  }

  return { send, leave };
}

function judge(response: Response): Answer {
  const { ok, status } = response;
  if (ok) return { outcome: 'delivered' };
  if (status < 500 && status !== 408 && status !== 429) return { outcome: 'refused', status };
  const afterS = Number(response.headers.get('Retry-After')) || 0;
  return { outcome: 'retry', afterS: Math.min(afterS, MAX_RETRY_AFTER_S) };
}
