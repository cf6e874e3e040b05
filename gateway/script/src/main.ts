/** The composition root: the only module that knows all others. */
import { createApi, type Api } from './api';
import { createDelivery } from './delivery';
import { createIdentity } from './identity';
import { messageIds, uuid } from './ids';
import { claimStub, upgradeStub, type Stub } from './install';
import { followPage } from './lifecycle';
import { createOutbox } from './outbox';
import { createRecorder } from './recorder';
import { createSignals } from './signals';
import { openStore } from './store';
import { createTransport } from './transport';
import type { LoadOptions, SiteConfig } from './types';

/** The argument of the function that the build wraps around this module; the server writes it into the loader. */
declare const __SITE__: SiteConfig;

/** Only readable while the script runs for the first time. */
const tag = document.currentScript as HTMLScriptElement | null;
const settings = tag?.dataset ?? {};

function main(): void {
  const stub = claimStub(settings.global || 'analytics');
  if (!stub) return; // a second tag, or another vendor's script
  const writeKey = stub._writeKey || settings.writeKey || __SITE__.writeKey;
  if (!writeKey) stub.load = (key: string, options?: LoadOptions) => begin(stub, key, options);
  else {
    // With one tag and no snippet nobody calls page(), unless the page queued its own.
    const viewsItself = stub._writeKey || settings.page === 'off' || stub.some(([method]) => method === 'page');
    if (!viewsItself) stub.unshift(['page']);
    begin(stub, writeKey, stub._loadOptions);
  }
}

function begin(stub: Stub, writeKey: string, options: LoadOptions = {}): void {
  upgradeStub(stub, start(writeKey, chooseEndpoint(options)));
}

function start(writeKey: string, endpoint: string): Api {
  const page = uuid();
  const store = openStore();
  const signals = createSignals();
  const identity = createIdentity(store);
  const outbox = createOutbox(store, page, ({ id }) => signals.emit('dropped', [id], 'outbox full'));
  const delivery = createDelivery({ outbox, transport: createTransport(endpoint), signals, writeKey });
  const recorder = createRecorder({ identity, delivery, signals, nextMessageId: messageIds() });
  followPage(page, delivery);
  return createApi({ identity, recorder, delivery, signals });
}

/** The nearest word wins: the call, the tag, the site; a path is one on the script's own host. */
function chooseEndpoint({ endpoint, apiHost }: LoadOptions): string {
  const fromHost = apiHost && (apiHost.includes('://') ? '' : 'https://') + apiHost + '/b';
  const chosen = endpoint || fromHost || settings.endpoint || __SITE__.endpoint || '/v1/b';
  return new URL(chosen, tag?.src || location.href).href;
}

main();
