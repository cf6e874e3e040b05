import { RudderAnalytics } from '@rudderstack/analytics-js/bundled';
import { tellInBrowser } from '../calls.mjs';

const analytics = new RudderAnalytics();

export function load({ writeKey, host, options }) {
  analytics.load(writeKey, host, { configUrl: host, ...options });
}

export async function run(job) {
  load(job);
  tellInBrowser(analytics, job, 'originalTimestamp');
}

/** One event after the story; it waits to be sent, if not more, when this settles. */
export function more() {
  return new Promise((resolve) => analytics.track('Came Back', {}, {}, resolve));
}
