/** Who the visitor is. Read from the device each time, so that all tabs of a site agree. */
import { uuid } from './ids';
import { readCookie, writeCookie, type Store } from './store';
import type { Fields } from './types';

const ANONYMOUS_KEY = 'hw_id';
const PERSON_KEY = 'hw_person';

interface Person {
  userId?: string | undefined;
  traits?: Fields;
  groupId?: string;
}

export interface Identity {
  anonymousId(): string;
  setAnonymousId(id: string): string;
  person(): Person;
  /** Merges the traits. A different user than before starts with none of the old traits, and on a new anonymous id. */
  identify(userId: string | undefined, traits: Fields): void;
  joinGroup(groupId: string): void;
  /** Forgets the person; what follows is someone new. */
  reset(): void;
}

export function createIdentity(store: Store): Identity {
  function setAnonymousId(id: string): string {
    store.set(ANONYMOUS_KEY, id);
    writeCookie(ANONYMOUS_KEY, id);
    return id;
  }

  function person(): Person {
    try {
      return JSON.parse(store.get(PERSON_KEY)!) ?? {};
    } catch {
      return {}; // another script wrote there
    }
  }

  function setPerson(changed: Person): void {
    store.set(PERSON_KEY, JSON.stringify(changed));
  }

  function reset(): void {
    setPerson({});
    setAnonymousId(uuid());
  }

  /** The cookie wins: all that serve this host share it. A page may clear both at any time: then a new id is made. */
  function anonymousId(): string {
    const known = readCookie(ANONYMOUS_KEY) || store.get(ANONYMOUS_KEY);
    return known || setAnonymousId(uuid());
  }

  setAnonymousId(anonymousId()); // the year starts anew, and a lost half is made good

  return {
    anonymousId,
    setAnonymousId,
    person,
    identify(userId, traits) {
      const before = person();
      if (userId && before.userId && userId !== before.userId) reset();
      const kept = person();
      setPerson({ ...kept, userId: userId ?? kept.userId, traits: { ...kept.traits, ...traits } });
    },
    joinGroup: (groupId) => setPerson({ ...person(), groupId }),
    reset,
  };
}
