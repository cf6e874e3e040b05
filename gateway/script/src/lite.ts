/**
 * The small script: page views and `track`, each its own request that outlives the page. No retries, no consent to wait
 * for, no capture. It knows the visitor by the server's cookie and keeps nothing itself.
 */
import { messageId, uuid } from './ids';
import { settings, absolute } from './settings';
import type { Fields } from './types';

interface Page extends Array<[method: string, ...args: any[]]> {
  initialize?: unknown;
}

const page = window as unknown as { analytics: Page };
const visitor = uuid();
let { referrer } = document;
let { pathname, href } = location;

function send(type: string, content: Fields): void {
  const { href, search } = location;
  const { title } = document;
  const { userAgent, language } = navigator;
  const where = { url: href.split('#')[0], path: location.pathname, referrer, search, title };
  const context = { library: { name: 'headwater.js lite' }, page: where, userAgent, locale: language };
  const event: Fields = { type, messageId: messageId(), anonymousId: visitor, timestamp: new Date(), context, ...content };
  if (type === 'page') event.properties = { ...where, ...(content.properties as object) };
  const identity = settings.mode;
  const body = JSON.stringify({ batch: [event], sentAt: new Date(), writeKey: settings.writeKey, anonymousId: visitor, identity });
  fetch(absolute(settings.endpoint!), { method: 'POST', body, keepalive: true, credentials: 'include' }).catch(() => {});
}

const methods: Record<string, (...args: any[]) => void> = {
  track: (event, properties) => send('track', { event, properties }),
  page: (name, properties) => send('page', { name, properties }),
};

function look(): void {
  if (pathname === location.pathname) return;
  referrer = href.split('#')[0]!;
  ({ pathname, href } = location);
  methods.page!();
}

function start(): void {
  const stub = (page.analytics ??= []);
  if (stub.initialize) return;
  const push = (...calls: [string, ...any[]][]) => calls.forEach(([method, ...args]) => methods[method]?.(...args));
  const calls = stub.splice(0);
  const viewsItself = calls.some(([method]) => method === 'page');
  if (!viewsItself) methods.page!();
  Object.assign(stub, methods, { push, initialize: true });
  push(...calls);
  addEventListener('pageshow', ({ persisted }) => persisted && methods.page!());
  if (viewsItself) return;
  for (const name of ['pushState', 'replaceState'] as const) {
    const original = history[name];
    history[name] = function (...args) {
      setTimeout(look);
      return original.apply(this, args);
    };
  }
  addEventListener('popstate', () => setTimeout(look));
}

if ((document as { prerendering?: boolean }).prerendering) document.addEventListener('prerenderingchange', start);
else start();
