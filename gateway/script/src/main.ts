/** The composition root: the only module that knows all others. */
import { api } from './api';
import { arrive } from './arrival';
import { noteTouch } from './attribution';
import { loadChunks } from './chunks';
import { followClicks } from './clicks';
import { hearConsent, mayRecord, recallConsent, type Choice } from './consent';
import { ask, FLUSH_MS, wake } from './delivery';
import { claimStub, upgradeStub } from './install';
import { obeyQuery } from './query';
import { releaseHeld } from './recorder';
import { absolute, isAsked, settings } from './settings';
import { listen, on } from './signals';
import { followPage } from './views';

/** A page that is made ahead, and perhaps never shown, has no visitor yet. */
function begin(writeKey: string): void {
  settings.writeKey = writeKey;
  settings.endpoint = absolute(settings.endpoint!);
  if ((document as { prerendering?: boolean }).prerendering) listen('prerenderingchange', start);
  else start();
}

function start(): void {
  const viewsItself = stub.some((call) => call?.[0] === 'page');
  recallConsent();
  on('consent', answered);
  listen('storage', hearConsent);
  arrive();
  wake(FLUSH_MS);
  noteTouch();
  if (isAsked('query')) obeyQuery(api);
  upgradeStub(stub, api);
  followClicks(api.track!);
  followPage(api, viewsItself);
  loadChunks({ ...settings, ask, track: api.track! });
}

/** `before`: whether the visitor was recorded until now, and so may have a cookie. */
function answered(_choice: Choice, before?: boolean): void {
  noteTouch();
  releaseHeld();
  if (before && !mayRecord()) void ask({ identity: 'erase' });
}

const stub = claimStub(settings.global || 'analytics')!;
// There is none for a second tag, or where another vendor's script is.
if (stub) {
  const writeKey = stub._writeKey || settings.writeKey;
  if (writeKey) begin(writeKey);
  else stub.load = begin;
}
