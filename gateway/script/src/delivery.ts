/**
 * Moves events from the outbox to the server, oldest first: one tab at a time sends those of all tabs, in one request at
 * a time. An event leaves the outbox when the server has answered for it and never before: a beacon that the browser
 * took is no answer. The next page sends it again, with what it has to send anyway, and the server knows it by its id.
 */
import { mayKeep, mayRecord } from './consent';
import { adoptId, anonymousId, carry, isRotating, link } from './identity';
import { discard, idOf, load, sizeOf, store, waiting, type Entry } from './outbox';
import { settle } from './receipts';
import { settings } from './settings';
import { emit } from './signals';
import { get, read, remove, write } from './store';
import { returned, send, type Answer } from './transport';
import type { Fields } from './types';

const FLUSH_EVENTS = 20;
const FLUSH_MS = 1000;
const MAX_BATCH_BYTES = 56 * 1024;
const MAX_BACKOFF_S = 60;
/** Of what stands around the events. */
const FRAME_BYTES = 512;
/** Failures in a row, and the time of the next attempt: kept on the device, so that a new page is as patient. */
const PATIENCE = 'retry';
const ROTATE = 'rotate';

const inFlight = new Set<Entry>();
let timer: number | undefined;

export function enqueue(id: string, json: string): void {
  store(id, json);
  if (waiting().length >= FLUSH_EVENTS) hurry();
  else wake();
}

/** Sends within a second what waits, and what pages that are gone left behind. */
export function wake(): void {
  timer ??= plan(FLUSH_MS);
}

/** Sends what waits, unless the server or the network asked for patience. */
export function hurry(): void {
  clearTimeout(timer);
  timer = plan(0);
}

function plan(delayMs: number): number {
  // Timers cut fractions off, and too early a look would be the last.
  return setTimeout(drain, Math.max(delayMs, patienceMs() + 1));
}

function patience(): [failures: number, untilMs: number] {
  return read(PATIENCE, [0, 0]);
}

function patienceMs(): number {
  return patience()[1] - Date.now();
}

/** Sends what waits, whatever was asked for. Settles when there is nothing left or an attempt failed. */
export function flush(): Promise<void> {
  remove(PATIENCE);
  return drain();
}

/** The page may be going: what waits is sent at once. When it goes `forGood`, answers will not be seen. */
export function depart(forGood?: boolean): void {
  for (let batch; (batch = next()).length; ) void post(batch, forGood);
}

/** The page came back after all. */
export function resume(): void {
  inFlight.clear();
  returned();
  hurry();
}

/** Asks the server for something, without events. */
export function ask(fields: Fields): Promise<Answer> {
  return send(seal([], fields), FRAME_BYTES);
}

/** Tabs take turns. Where there are no locks, or a sandbox denies them, equal ids keep repetitions from counting. */
async function drain(): Promise<void> {
  timer = clearTimeout(timer) as undefined;
  await (navigator.locks?.request('hw_send', sendAll).catch(sendAll) ?? sendAll());
}

async function sendAll(): Promise<void> {
  for (let batch; (batch = next()).length || (mayRecord() && patienceMs() < 0 && isRotating()); ) await post(batch);
}

async function post(batch: Entry[], forGood?: boolean): Promise<void> {
  const ids = batch.map(idOf);
  const id = anonymousId();
  const [failures] = patience();
  batch.forEach((entry) => inFlight.add(entry));
  const answer = await send(seal(batch), sizeOf(batch) + FRAME_BYTES, forGood, failures);
  batch.forEach((entry) => inFlight.delete(entry));
  if (typeof answer === 'number') {
    // Full jitter, doubling from one second, on top of what the server wishes.
    const waitS = answer + Math.random() * Math.min(2 ** failures, MAX_BACKOFF_S);
    write(PATIENCE, [failures + 1, Date.now() + waitS * 1000]);
    hurry();
    return emit('retrying', ids, waitS);
  }
  remove(PATIENCE);
  discard(batch);
  if (get(ROTATE) === id) remove(ROTATE);
  // The cookie wins: the answer says which id the server gave to our events.
  const told = (answer as Fields).anonymousId as string;
  if (told && anonymousId() === id) adoptId(told);
  carry();
  ids.forEach(settle);
  emit(typeof answer === 'string' ? 'dropped' : 'delivered', ids, answer);
}

/** The oldest that may be sent now and fit into one request. */
function next(): Entry[] {
  const all = mayRecord() && patienceMs() < 0 ? waiting().filter((entry) => !inFlight.has(entry)) : [];
  let size = 0;
  return all.filter((entry, at) => (size += sizeOf([entry])) < MAX_BATCH_BYTES || !at);
}

function seal(batch: Entry[], more?: Fields): string {
  const identity = !mayKeep() ? 'cookieless' : isRotating() ? ROTATE : undefined;
  const frame = { sentAt: new Date(), writeKey: settings.writeKey, anonymousId: anonymousId(), identity, link, ...more };
  return `{"batch":[${batch.map(load).filter(Boolean)}],` + JSON.stringify(frame).slice(1);
}
