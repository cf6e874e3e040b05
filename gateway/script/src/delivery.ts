/**
 * Moves events from the outbox to the server, oldest first: one tab at a time sends those of all tabs, in one request at
 * a time. An event leaves the outbox when the server has answered for it and never before: a beacon that the browser
 * took is no answer. The next page sends it again, with what it has to send anyway, and the server knows it by its id.
 */
import { mayKeep, mayRecord } from './consent';
import { adoptId, anonymousId, carry, isRotating, link, setPerson } from './identity';
import { discard, idOf, load, sizeOf, store, waiting, type Entry } from './outbox';
import { settle } from './receipts';
import { settings } from './settings';
import { emit } from './signals';
import { get, read, remove, set, write } from './store';
import { send, type Answer } from './transport';
import type { Fields } from './types';

const FLUSH_EVENTS = 20;
export const FLUSH_MS = 1000;
const MAX_BATCH_EVENTS = 99;
const MAX_BATCH_BYTES = 56 * 1024;
const MAX_BACKOFF_S = 60;
/**
 * The browser lets 64 KiB of keepalive bodies and beacons be in flight at once, all together; some is for what stands
 * around the events.
 */
const MAX_IN_FLIGHT_BYTES = 60 * 1024;
/** Longer than we ever wait. */
const MAX_WAIT_MS = 400_000;

/** Events, and the visitor's id that goes with them. */
const inFlight = new Set<string>();
let timer: number | undefined;
/** Aborted when the page goes. */
let stay = new AbortController();
/** The id that we had before the server told us of another: what happened meanwhile is under it. */
let was: string | undefined;

export function enqueue(id: string, json: string): void {
  store(id, json);
  wake(waiting()[FLUSH_EVENTS - 1] ? 0 : FLUSH_MS);
}

/**
 * Sends what waits, and what pages that are gone left behind: within a second, or after 0 ms, unless the server or the
 * network asked for patience.
 */
export function wake(delayMs: number): void {
  if (timer && delayMs) return;
  clearTimeout(timer);
  // Timers cut fractions off, and too early a look would be the last.
  timer = setTimeout(drain, Math.max(delayMs, patienceMs() + 1));
}

/** `retry`: failures in a row, and the time of the next attempt; on the device, so that a new page is as patient. */
function patienceMs(): number {
  const waitMs = read('retry', [0])[1]! - Date.now();
  return waitMs < MAX_WAIT_MS ? waitMs : -1; // neither foreign values nor a clock that went wrong may hold us up
}

/** Sends what waits, whatever was asked for. Settles when there is nothing left or an attempt failed. */
export function flush(): Promise<void> {
  remove('retry');
  return drain();
}

/** The page may be going: what waits is sent at once. When it goes `forGood`, answers will not be seen. */
export function depart(forGood?: boolean): void {
  for (let batch; (batch = next()).length; ) void post(batch, forGood);
  if (!forGood) return;
  stay.abort();
  stay = new AbortController();
}

/** The page came back after all. */
export function resume(): void {
  inFlight.clear();
  wake(0);
}

/** Asks the server for something, without events. */
export function ask(fields: Fields): Promise<Answer> {
  return send(seal([], fields), true);
}

/**
 * Tabs take turns. Where there are no locks, or a sandbox denies them, equal ids keep repetitions from counting. A page that
 * goes ends its turn, and its wait for one: in the back-forward cache it would hold up all others, or lose its place.
 */
function drain(): Promise<void> {
  timer = clearTimeout(timer) as undefined;
  const signal = stay.signal;
  const turn = () => new Promise<any>((resolve) => sendAll().finally((signal.onabort = resolve as () => void)));
  return navigator.locks?.request('hw_send', { signal }, turn).catch(sendAll) ?? sendAll();
}

/** Sends what waits without waiting for a turn. The first request is on its way when this returns. */
export async function sendAll(): Promise<void> {
  for (let batch; (batch = next()).length || mustTell(); ) await post(batch);
  // Another tab was told to be patient, and may be gone by then.
  if (mayRecord() && waiting()[0]) wake(FLUSH_MS);
}

/** Whether the server has to hear of another id, and nothing on its way says so. */
function mustTell(): boolean | undefined {
  return mayRecord() && patienceMs() < 0 && isRotating() && !inFlight.has(anonymousId());
}

async function post(batch: Entry[], forGood?: boolean): Promise<void> {
  const ids = batch.map(idOf);
  const id = anonymousId();
  const failures = read('retry', [0, 0])[0]!;
  for (const each of [...batch, id]) inFlight.add(each);
  // Someone else's beacons may fill the budget, which looks like a dead network: an attempt after a failure does without.
  const answer = await send(seal(batch), !failures && sizeOf([...inFlight]) < MAX_IN_FLIGHT_BYTES, forGood);
  for (const each of [...batch, id]) inFlight.delete(each);
  if (typeof answer === 'number') {
    // Full jitter, doubling from one second, on top of what the server wishes.
    const waitS = answer + Math.random() * Math.min(2 ** failures, MAX_BACKOFF_S);
    write('retry', [failures + 1, Date.now() + waitS * 1000]);
    wake(0);
    return emit('retrying', ids, waitS);
  }
  remove('retry');
  discard(batch);
  if (anonymousId() === id) {
    // The cookie wins: the answer says which id the server gave to our events.
    const told = (answer as Fields).anonymousId as string;
    if (told) {
      was = id;
      // It knew us by ours before: the visitor has become someone else, on another host that shares the cookie.
      if (get('rotate') === '=' + id) setPerson({});
    }
    set('rotate', (mayKeep() && '=' + adoptId(told || id)) as string);
  }
  ids.forEach(settle);
  carry();
  // Withdrawn meanwhile: the answer may have brought back the cookie that was erased.
  if (!mayRecord()) void ask({ identity: 'erase' });
  emit(typeof answer === 'string' ? 'dropped' : 'delivered', ids, answer);
}

/** The oldest that may be sent now and fit into one request. */
function next(): Entry[] {
  const all = mayRecord() && patienceMs() < 0 ? waiting().filter((entry) => !inFlight.has(entry)).slice(0, MAX_BATCH_EVENTS) : [];
  while (all[1] && sizeOf(all) > MAX_BATCH_BYTES) all.pop();
  return all;
}

function seal(batch: Entry[], more?: Fields): string {
  const identity = !mayKeep() ? 'cookieless' : isRotating() ? 'rotate' : undefined;
  const frame = { sentAt: new Date(), writeKey: settings.writeKey, anonymousId: anonymousId(), identity, was, link, ...more };
  return `{"batch":[${batch.map(load).filter(Boolean)}],` + JSON.stringify(frame).slice(1);
}
