/**
 * Moves events from the outbox to the server, one request at a time, oldest first. An event leaves the outbox when
 * the server has answered for it and never before: a beacon that the browser took is not an answer.
 */
import type { Entry, Outbox } from './outbox';
import type { Signals } from './signals';
import type { Transport } from './transport';

const FLUSH_EVENTS = 20;
const FLUSH_MS = 1000;
const MAX_BATCH_BYTES = 56 * 1024;
const MAX_BACKOFF_S = 60;

export interface Delivery {
  enqueue(id: string, json: string): void;
  /** Takes over what pages that are gone left behind. */
  adopt(beforeMs: number, isAlive: (page: string) => boolean): void;
  /** Sends what waits, unless the server or the network asked for patience. */
  hurry(): void;
  /** Sends what waits, now. Settles when there is nothing left or an attempt failed. */
  flush(): Promise<void>;
  /** The page may be going: everything that waits is sent at once. After `forGood`, answers will not be seen. */
  depart(forGood: boolean): void;
  /** The page came back after all. */
  resume(): void;
}

export interface DeliveryParts {
  outbox: Outbox;
  transport: Transport;
  signals: Signals;
  writeKey: string;
}

export function createDelivery({ outbox, transport, signals, writeKey }: DeliveryParts): Delivery {
  const inFlight = new Set<Entry>();
  let timer: number | undefined;
  let failures = 0;
  let flushing: Promise<void> | undefined;

  function enqueue(id: string, json: string): void {
    outbox.add(id, json);
    if (waiting().length >= FLUSH_EVENTS) hurry();
    else timer ??= setTimeout(flush, FLUSH_MS);
  }

  function adopt(beforeMs: number, isAlive: (page: string) => boolean): void {
    if (outbox.adopt(beforeMs, isAlive)) hurry();
  }

  function hurry(): void {
    if (!failures) void flush();
  }

  function flush(): Promise<void> {
    return (flushing ??= drain().finally(() => (flushing = undefined)));
  }

  async function drain(): Promise<void> {
    wait();
    for (let batch; (batch = nextBatch()).length; ) if (!(await deliver(batch))) break;
  }

  /** False when the batch has to be sent again. */
  async function deliver(batch: Entry[]): Promise<boolean> {
    const ids = batch.map(({ id }) => id);
    batch.forEach((entry) => inFlight.add(entry));
    signals.emit('sending', ids);
    const answer = await transport.send(seal(batch), bodySize(batch));
    batch.forEach((entry) => inFlight.delete(entry));
    if (answer.outcome === 'retry') {
      const waitS = backoffS(failures++, answer.afterS);
      wait(waitS * 1000);
      signals.emit('retrying', ids, waitS);
      return false;
    }
    failures = 0;
    outbox.remove(batch);
    if (answer.outcome === 'delivered') signals.emit('delivered', ids);
    else signals.emit('dropped', ids, `refused: ${answer.status}`);
    return true;
  }

  function depart(forGood: boolean): void {
    for (let batch; (batch = nextBatch()).length; ) {
      if (forGood && transport.leave(seal(batch))) batch.forEach((entry) => inFlight.add(entry));
      else void deliver(batch);
    }
  }

  function resume(): void {
    inFlight.clear();
    if (waiting().length) hurry();
  }

  function waiting(): Entry[] {
    return outbox.entries().filter((entry) => !inFlight.has(entry));
  }

  function nextBatch(): Entry[] {
    let size = 0;
    const all = waiting();
    const end = all.findIndex((entry, index) => (size += entry.size + 1) > MAX_BATCH_BYTES && index > 0);
    return end < 0 ? all : all.slice(0, end);
  }

  function seal(batch: Entry[]): string {
    const events = batch.map(({ json }) => json).join();
    return `{"batch":[${events}],"sentAt":"${new Date().toISOString()}","writeKey":${JSON.stringify(writeKey)}}`;
  }

  function wait(delayMs?: number): void {
    clearTimeout(timer);
    timer = delayMs === undefined ? undefined : setTimeout(flush, delayMs);
  }

  return { enqueue, adopt, hurry, flush, depart, resume };
}

/** The events, the commas, and an allowance for the envelope around them. */
function bodySize(batch: Entry[]): number {
  return batch.reduce((sum, { size }) => sum + size + 1, 256);
}

/** Full jitter, doubling from one second; the server's own wish is a floor, and gets jitter too. */
function backoffS(failures: number, afterS: number): number {
  return afterS + Math.random() * (afterS ? 1 : Math.min(2 ** failures, MAX_BACKOFF_S));
}
