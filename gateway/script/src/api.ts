/** What pages call: Segment's methods and argument orders. */
import { readCall } from './call';
import type { Delivery } from './delivery';
import type { Identity } from './identity';
import { describePage } from './page';
import type { Recorder } from './recorder';
import { quietly, type Signals } from './signals';
import type { Fields } from './types';

export type Method = (...args: any[]) => unknown;
export type Api = Record<string, Method>;

export interface ApiParts {
  identity: Identity;
  recorder: Recorder;
  delivery: Delivery;
  signals: Signals;
}

/** None of the methods throws: tracking must not break a page. */
export function createApi({ identity, recorder, delivery, signals }: ApiParts): Api {
  const { record } = recorder;

  function track(...args: unknown[]) {
    const call = readCall(args, 1);
    const [event] = call.words;
    signals.emit('track', event, call.fields, call.options);
    return record('track', { event, properties: call.fields }, call);
  }

  /** One word is the name; two are category and name. */
  function view(type: 'page' | 'screen', args: unknown[], surroundings: Fields) {
    const call = readCall(args, 2);
    const name = call.words.pop();
    const category = call.words.pop();
    const properties = { ...surroundings, name, category, ...call.fields };
    signals.emit(type, category, name, properties, call.options);
    return record(type, { name, category, properties }, call);
  }

  function identify(...args: unknown[]) {
    const call = readCall(args, 1);
    identity.identify(call.words[0], call.fields);
    const { userId, traits } = identity.person();
    signals.emit('identify', userId, traits, call.options);
    return record('identify', { traits }, call);
  }

  function group(...args: unknown[]) {
    const call = readCall(args, 1);
    if (call.words[0]) identity.joinGroup(call.words[0]);
    const { groupId } = identity.person();
    signals.emit('group', groupId, call.fields, call.options);
    return record('group', { groupId, traits: call.fields }, call);
  }

  function alias(...args: unknown[]) {
    const call = readCall(args, 2);
    const [userId, from] = call.words;
    const previousId = from ?? identity.person().userId ?? identity.anonymousId();
    signals.emit('alias', userId, previousId, call.options);
    return record('alias', { userId, previousId }, call);
  }

  function reset() {
    identity.reset();
    signals.emit('reset');
  }

  function anonymousId(id?: string) {
    return id ? identity.setAnonymousId(id) : identity.anonymousId();
  }

  const user = {
    id: () => identity.person().userId ?? null,
    traits: () => identity.person().traits ?? {},
    anonymousId,
  };

  const methods: Api = {
    track,
    page: (...args) => view('page', args, describePage()),
    screen: (...args) => view('screen', args, {}),
    identify,
    group,
    alias,
    reset,
    setAnonymousId: anonymousId,
    user: () => user,
    on: signals.on,
    ready: (listener) => quietly(listener),
    flush: delivery.flush,
  };
  return Object.fromEntries(Object.entries(methods).map(([name, method]) => [name, guarded(method)]));
}

/** Turns exceptions, also those of a promise, into lines on the console. */
function guarded(method: Method): Method {
  return (...args) => {
    let result: unknown;
    quietly(() => (result = method(...args)));
    if (result instanceof Promise) result = result.catch((error) => console.error(error));
    return result;
  };
}
