/**
 * How long a page was looked at, and how far down. Said when the visitor turns away from it: the address is the one that
 * the page had then, also in an app whose address has changed by now.
 */
import { cameFrom, describePage, type Page } from './page';
import { isOn } from './settings';
import { listen } from './signals';

const MIN_MS = 1000;

let page: Page | undefined;
let engagedMs = 0;
let since = 0;
let deepest = 0;

export function followEngagement(): void {
  beginView();
  listen('focus blur visibilitychange', tick);
  listen('scroll', look);
}

/** The visitor looks at another page from now on, and came to it from the one before. */
export function beginView(): void {
  if (page) cameFrom(page);
  page = describePage();
  tick();
  deepest = engagedMs = 0;
  look();
}

/** Tells what was not told yet, unless it is a mere glance. */
export function endView(track: (...args: any[]) => unknown): void {
  tick();
  if (engagedMs < MIN_MS || !isOn('engagement')) return;
  const { url, path } = page!;
  track('Page Engagement', { url, path, engaged_ms: engagedMs, scroll_percent: Math.round(Math.min(1, deepest) * 100) }, { context: { page } });
  engagedMs = 0;
}

/** Adds the time since the last call, if the page had the visitor's attention. */
function tick(): void {
  const now = Date.now();
  if (since) engagedMs += now - since;
  since = !document.hidden && document.hasFocus() ? now : 0;
}

function look(): void {
  deepest = Math.max(deepest, (scrollY + innerHeight) / document.documentElement.scrollHeight);
}
