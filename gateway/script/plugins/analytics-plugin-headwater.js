/**
 * Headwater for the library `analytics` (getanalytics.io):
 *
 *   Analytics({ app: 'shop', plugins: [headwaterPlugin({ host: 'https://events.shop.example', writeKey: 'KEY' })] });
 *
 * Where Headwater's script is on the page it gets the calls, and keeps each event until it is acknowledged. Where it is
 * not, an event is one request that outlives the page and is not repeated. Without `host` the script is waited for.
 */
const LIBRARY = { name: 'analytics-plugin-headwater', version: '1.0.0' };

export default function headwaterPlugin({ host, writeKey, global = 'analytics' } = {}) {
  let visitor;

  /** The script's calls, which may wait in an array for the script itself. */
  const script = () => (host ? window[global] : (window[global] ??= []));

  /** Hands a call to the script, or posts it as an event. After a reset the library knows no anonymous id. */
  function tell(call, fields, { userId, anonymousId }, instance) {
    if (script()) {
      script().push(call.filter((each) => each !== undefined));
      return;
    }
    visitor = anonymousId || visitor || randomId();
    if (visitor !== anonymousId) instance.setAnonymousId(visitor);
    post(host, { type: call[0], writeKey, userId, anonymousId: visitor, ...describe(), ...fields });
  }

  return {
    name: 'headwater',
    config: { host, writeKey, global },
    page({ payload, instance }) {
      const { category, name, ...rest } = payload.properties;
      const words = category === undefined ? [name] : [category, name ?? ''];
      tell(['page', ...words, rest], { category, name, properties: payload.properties }, payload, instance);
    },
    track({ payload, instance }) {
      const { event, properties } = payload;
      tell(['track', event, properties], { event, properties }, payload, instance);
    },
    identify({ payload, instance }) {
      const { userId, traits } = payload;
      tell(['identify', userId ?? undefined, traits], { traits }, payload, instance);
    },
    reset() {
      visitor = undefined;
      script()?.push(['reset']);
    },
    /** The script takes calls before it is there, and the gateway takes them without it. */
    loaded: () => true,
    methods: {
      /** `analytics.plugins.headwater.group(id, traits)`: the library has no such call of its own. */
      group(groupId, traits = {}) {
        tell(['group', groupId, traits], { groupId, traits }, this.instance.user(), this.instance);
      },
    },
  };
}

function describe() {
  const { origin, pathname: path, search } = location;
  const page = { url: origin + path + search, path, search, referrer: document.referrer, title: document.title };
  const { timeZone: timezone } = Intl.DateTimeFormat().resolvedOptions();
  const timestamp = new Date().toISOString();
  const context = { library: LIBRARY, page, locale: navigator.language, timezone };
  return { messageId: randomId(), timestamp, sentAt: timestamp, context };
}

/** As text, so that no browser asks for permission first. Tracking must not break a page: a failure is nobody's. */
function post(host, event) {
  const headers = { 'Content-Type': 'text/plain' };
  fetch(`${host}/v1/${event.type}`, { method: 'POST', keepalive: true, headers, body: JSON.stringify(event) }).catch(() => {});
}

/** Not crypto.randomUUID, which pages without TLS do not have. */
function randomId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
