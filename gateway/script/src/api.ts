/** What pages call: Segment's methods and argument orders. */
import { readCall } from './call';
import { consent } from './consent';
import { flush, sendAll } from './delivery';
import { trackElements } from './elements';
import { anonymousId, identifyPerson, person, resetPerson, setAnonymousId, setPerson } from './identity';
import { describePage } from './page';
import { addSourceMiddleware, record } from './recorder';
import { emit, on, quietly } from './signals';
import type { EventType, Fields } from './types';

export type Method = (...args: any[]) => unknown;
export type Api = Record<string, Method>;

/** What a call says of its event. In the order in which Segment's hands it to those who listen. */
type Reading = (words: (string | undefined)[], fields: Fields) => Fields;

function recording(type: EventType, maxWords: number, read: Reading): Method {
  return (...args) => {
    const [words, fields, options, callback] = readCall(args, maxWords);
    const content = read(words, fields);
    emit(type, ...Object.values(content), options);
    return record(type, content, options, callback);
  };
}

/** One word is the name; two are category and name. */
function viewing(type: 'page' | 'screen', surroundings?: () => Fields): Method {
  return recording(type, 2, (words, fields) => {
    const name = words.pop();
    const category = words.pop();
    const properties = { ...surroundings?.(), name, category, ...fields };
    return { category, name, properties };
  });
}

const user = {
  id: () => person().userId ?? null,
  traits: () => person().traits ?? {},
  anonymousId: (id?: string) => (id ? setAnonymousId(id) : anonymousId()),
};

const methods: Api = {
  track: recording('track', 1, ([event], properties) => ({ event, properties })),
  page: viewing('page', describePage),
  screen: viewing('screen'),
  identify: recording('identify', 1, ([id], fields) => {
    identifyPerson(id, fields);
    return { userId: person().userId, traits: person().traits };
  }),
  group: recording('group', 1, ([id], traits) => {
    if (id) setPerson({ ...person(), groupId: id });
    return { groupId: person().groupId, traits };
  }),
  alias: recording('alias', 2, ([userId, previousId = person().userId ?? anonymousId()]) => ({ userId, previousId })),
  reset() {
    resetPerson();
    void sendAll(); // at once: pages clear their storage on sign-out, and with it that the cookie has to follow
    emit('reset');
  },
  consent,
  addSourceMiddleware,
  trackLink: (...args) => trackElements('click', api.track!, ...args),
  trackForm: (...args) => trackElements('submit', api.track!, ...args),
  setAnonymousId: user.anonymousId,
  user: () => user,
  on,
  ready: quietly,
  flush,
};

/** None of the methods throws: tracking must not break a page. Errors become lines on the console. */
export const api: Api = {};
for (const name in methods) api[name] = (...args) => quietly(methods[name]!, ...args);
