/**
 * Who the visitor is. Read from the device each time, so that all tabs of a site agree.
 *
 * The anonymous id of record is the server's: a cookie that no script can read. The one kept here is what we know of it:
 * the server replaces it in our events where the cookie says otherwise, and its answer tells us.
 */
import { uuid } from './ids';
import { get, read, set, write } from './store';
import type { Fields } from './types';

interface Person {
  userId?: string | undefined;
  traits?: Fields;
  groupId?: string;
}

/** What another site of the owner says about the visitor, until the server has heard it. */
export let link: string | null | undefined;

export function carry(signed?: string | null): void {
  link = signed;
}

export function anonymousId(): string {
  return get('id') || adoptId(uuid());
}

/** Takes over what the server told. */
export function adoptId(id: string): string {
  set('id', id);
  return id;
}

/** The page's own choice: the server is told to let its cookie follow. */
export function setAnonymousId(id: string): string {
  set('rotate', id);
  return adoptId(id);
}

/** Whether the cookie has to follow us, once: it wins otherwise. */
export function isRotating(): boolean {
  return get('rotate') === anonymousId();
}

export function person(): Person {
  return read<Person>('person', {});
}

export function setPerson(changed: Person): void {
  write('person', changed);
}

/** Merges the traits. A different user than before starts with none of the old traits, and on a new anonymous id. */
export function identifyPerson(userId: string | undefined, traits: Fields): void {
  const before = person();
  if (userId && before.userId && userId !== before.userId) resetPerson();
  const kept = person();
  setPerson({ ...kept, userId: userId ?? kept.userId, traits: { ...kept.traits, ...traits } });
}

/** Forgets the person; what follows is someone new. */
export function resetPerson(): void {
  setPerson({});
  setAnonymousId(uuid());
}
