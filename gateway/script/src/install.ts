/**
 * Puts the methods where the page expects them. The stub that the snippet left behind is upgraded in place, so that
 * whoever holds a reference to it goes on with the real thing, and its calls are replayed in order.
 */
import type { Api } from './api';
import { attempt } from './signals';

type QueuedCall = [method: string, ...args: unknown[]];

/** An array of calls that waits for the script; `initialize` marks that some script has taken it over. */
export interface Stub extends Array<QueuedCall> {
  initialize?: unknown;
  load?: unknown;
  _writeKey?: string;
}

/** The stub at `window[name]`, made if need be; undefined when a script has taken it over already. */
export function claimStub(name: string): Stub | undefined {
  const page = window as unknown as Record<string, Stub | undefined>;
  const stub = (page[name] ??= [] as unknown as Stub);
  if (stub.initialize) return undefined;
  stub.initialize = true;
  return stub;
}

export function upgradeStub(stub: Stub, api: Api): void {
  const calls = stub.splice(0);
  // What is no call, as other vendors' queues take functions, is passed over.
  const push = (...more: QueuedCall[]) =>
    more.forEach((call) => attempt(() => api[call[0]]!(...[...call].slice(1).filter(isOurs))));
  Object.assign(stub, api, { load() {}, push });
  push(...calls.sort((a, b) => rank(a) - rank(b)));
}

/** As in Segment's script, what concerns all events comes before the first of them: middleware, listeners, the id. */
function rank(call: QueuedCall): number {
  return +!/^(on|add|set)/.test(call?.[0]);
}

/** Segment's own snippet adds the page as it was at the call: an object that its script alone understands. */
function isOurs(arg: any): boolean {
  return arg?.__t !== 'bpc';
}
