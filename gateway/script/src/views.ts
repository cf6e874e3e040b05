/**
 * Page views, and all else that hangs on the life of the page. `unload` and `beforeunload` are never used: they cost
 * the page its place in the back-forward cache and do not fire where it matters. Nothing here delays a navigation.
 */
import type { Api } from './api';
import { recallConsent } from './consent';
import { depart, flush, resume } from './delivery';
import { beginView, endView, followEngagement } from './engagement';
import { isOn } from './settings';
import { listen } from './signals';

/** `viewsItself`: the page calls `page()` by itself, and what its router does is its own affair. */
export function followPage({ page, track }: Api, viewsItself: boolean): void {
  let isDue: unknown;
  /** A tab in the background is a view once somebody looks at it. */
  const view = () => (isDue = document.hidden || void (isOn('page') && page!()));
  const leave = (forGood?: boolean) => {
    endView(track!);
    depart(forGood);
  };
  followEngagement();
  listen('pagehide', () => leave(true));
  // In the bubbling phase: what the page and web-vitals say when it is hidden, they say before we send.
  addEventListener('visibilitychange', () => (document.hidden ? leave() : isDue && view()));
  listen('pageshow', ({ persisted }) => {
    if (!persisted) return;
    recallConsent();
    resume();
    view();
  });
  listen('online', flush);
  if (!viewsItself) view();
  if (isOn('history')) {
    followHistory(() => {
      endView(track!);
      beginView();
      if (!viewsItself) view();
    });
  }
}

/** Calls `moved` when the path has changed, once the page has had time to change its title. */
function followHistory(moved: () => void): void {
  let { pathname } = location;
  const look = () =>
    setTimeout(() => {
      if (location.pathname === pathname) return;
      ({ pathname } = location);
      moved();
    });
  for (const name of ['pushState', 'replaceState'] as const) {
    const original = history[name];
    history[name] = function (...args) {
      look(); // asks later
      return original.apply(this, args);
    };
  }
  listen('popstate', look);
}
