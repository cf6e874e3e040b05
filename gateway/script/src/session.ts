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
  const old = read<number[]>('session', []);
  let sessionId = old[0]!;
  let sessionCount = old[2]!;
  const sessionStart = !(now - old[1]! < IDLE_MS && now - sessionId < MAX_MS) || undefined; // also where it is no time
  if (sessionStart) {
    sessionId = now;
    sessionCount = sessionCount + 1 || 1;
  }
  write('session', [sessionId, now, sessionCount]);
  return { sessionId, sessionStart, sessionCount };
}
