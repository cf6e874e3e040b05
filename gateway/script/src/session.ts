/** A visit: it ends after half an hour without an event, or after a day. */
import { isOn } from './settings';
import { read, write } from './store';
import type { Fields } from './types';

const IDLE_MS = 30 * 60_000;
const MAX_MS = 24 * 3_600_000;

/** What an event that happens now says of its session; names and values as RudderStack's SDKs have them. */
export function continueSession(): Fields | undefined {
  if (!isOn('session')) return undefined;
  const now = Date.now();
  let [sessionId, last, sessionCount] = read('session', [0, 0, 0]) as [number, number, number];
  const sessionStart = now - last > IDLE_MS || now - sessionId > MAX_MS || undefined;
  if (sessionStart) {
    sessionId = now;
    sessionCount++;
  }
  write('session', [sessionId, now, sessionCount]);
  return { sessionId, sessionStart, sessionCount };
}
