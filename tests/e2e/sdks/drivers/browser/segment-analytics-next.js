import { AnalyticsBrowser } from '@segment/analytics-next';
import { tellInBrowser } from '../calls.mjs';

let analytics;

/** Awaited: calls made before it is there are replayed method by method, all tracks before the identify. */
export async function load({ writeKey, host, options }) {
  [analytics] = await AnalyticsBrowser.load({ writeKey, cdnURL: host }, options);
}

export async function run(job) {
  await load(job);
  tellInBrowser(analytics, job, 'timestamp');
}

/** One event after the story; it waits to be sent, if not more, when this settles. */
export function more() {
  return analytics.track('Came Back');
}
