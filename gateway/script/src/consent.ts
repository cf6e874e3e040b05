/**
 * What the visitor agreed to, by category. `analytics` decides whether anything is recorded and kept at all, `marketing`
 * whether the click that brought the visitor here is; others are the site's own and travel with each event.
 */
import { isObject } from './call';
import { discard, waiting } from './outbox';
import { settings, isAsked } from './settings';
import { attempt, emit } from './signals';
import { erase, useDevice } from './store';

export type Choice = Record<string, boolean>;

/** Not one of the keys that are erased: an answer is no trace. */
const KEY = 'hw-consent';
let choice: Choice | undefined;

/** Reads the answer that was given on an earlier page. It alone is kept whatever it is, so that it need not be given again. */
export function recallConsent(): void {
  choice = attempt(() => JSON.parse(localStorage[KEY])) || {};
  if (isAsked('dnt') && navigator.doNotTrack === '1') choice = { analytics: false };
  useDevice(mayKeep());
}

/** True, false, or undefined while nothing may happen before the visitor has answered. */
export function mayRecord(): boolean | undefined {
  return choice!.analytics ?? (settings.mode === 'consent' ? undefined : true);
}

/** Whether the device may be written to: a cookieless site waits for consent with that alone. */
export function mayKeep(): boolean {
  return choice!.analytics ?? !settings.mode;
}

/** Global Privacy Control is an answer that no click on a banner overrules. */
export function mayMarket(): boolean {
  return !(navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl && (choice!.marketing ?? true);
}

/** As Segment's consent management says it in `context.consent`. */
export function describeConsent(): object {
  return { categoryPreferences: { ...choice, analytics: mayRecord(), marketing: mayMarket() } };
}

/** Grants and withdraws; true and false stand for both categories. Withdrawing analytics erases all that is kept. */
export function consent(change?: Choice | boolean): Choice {
  if (change !== undefined) settle({ ...choice, ...(isObject(change) ? change : { analytics: change, marketing: change }) });
  return choice!;
}

/** The visitor has answered in another tab. */
export function hearConsent({ key, newValue }: StorageEvent): void {
  if (key === KEY) settle(JSON.parse(newValue!) ?? {});
}

function settle(changed: Choice): void {
  const before = mayRecord();
  choice = changed;
  if (!mayRecord()) {
    discard(waiting());
    erase();
  }
  useDevice(mayKeep());
  attempt(() => (localStorage[KEY] = JSON.stringify(choice)));
  emit('consent', choice, before);
}
