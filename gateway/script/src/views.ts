/**
 * Page views, and all else that hangs on the life of the page. `unload` and `beforeunload` are never used: they cost
 * the page its place in the back-forward cache and do not fire where it matters. Nothing here delays a navigation.
 */
import type { Api } from './api';
import { depart, flush, resume } from './delivery';
import { beginView, endView, followEngagement } from './engagement';
import { cameFrom } from './page';
import { isOn } from './settings';
import { listen } from './signals';

/** `viewsItself`: the page calls `page()` by itself, and what its router does is its own affair. */
export function followPage({ page, track }: Api, viewsItself: boolean): void {
  const view = () => isOn('page') && page!();
  const leave = (forGood: boolean) => {
    endView(track!);
    depart(forGood);
  };
  followEngagement();
  listen('pagehide', () => leave(true));
  listen('visibilitychange', () => document.hidden && leave(false));
  listen('pageshow', ({ persisted }) => {
    if (!persisted) return;
    resume();
    view();
  });
  listen('online', flush);
  if (viewsItself) return;
  // A tab that is opened in the background is a view once somebody looks at it.
  if (document.hidden) addEventListener('visibilitychange', view, { once: true });
  else view();
  if (isOn('history')) {
    followHistory(() => {
      endView(track!);
      beginView();
      view();
    });
  }
}

/** Calls `moved` when the path has changed, once the page has had time to change its title. */
function followHistory(moved: () => void): void {
  let { pathname, href } = location;
  const look = () =>
    setTimeout(() => {
      if (location.pathname === pathname) return;
      cameFrom(href);
      ({ pathname, href } = location);
      moved();
    });
  for (const name of ['pushState', 'replaceState'] as const) {
    const original = history[name];
    history[name] = function (...args) {
      original.apply(this, args);
      look();
    };
  }
  listen('popstate', look);
}
