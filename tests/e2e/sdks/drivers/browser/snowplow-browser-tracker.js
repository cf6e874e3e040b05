import {
  enableActivityTracking,
  newTracker,
  setUserId,
  trackPageView,
  trackSelfDescribingEvent,
  trackStructEvent,
} from '@snowplow/browser-tracker';

let answered;
const answer = new Promise((resolve) => (answered = resolve));

export async function run({ host, writeKey, userId, options, story }) {
  const { seen, page, timestamp } = story;
  const { order: event, contexts: context, pings } = options;
  newTracker('sp', host, {
    appId: writeKey,
    ...options.tracker,
    bufferSize: 3,
    onRequestSuccess: answered,
    onRequestFailure: answered,
  });
  if (pings) moveForEver();
  const { product_id: label, price: value } = seen.properties;
  trackStructEvent({ category: page.category, action: seen.event, label, property: 'price', value });
  trackPageView({ title: page.name });
  setUserId(userId);
  trackSelfDescribingEvent({ event, context, timestamp: { type: 'ttm', value: Date.parse(timestamp) } });
}

/** Events after the story, once its first request has an answer: the tracker sends again with what comes next. */
export async function more(count) {
  await answer;
  for (let left = count; left > 0; left--) trackStructEvent({ category: 'Shop', action: 'Came Back' });
}

/** A visitor at the page: a ping is sent for each second in which something moved. */
function moveForEver() {
  enableActivityTracking({ minimumVisitLength: 1, heartbeatDelay: 1 });
  setInterval(() => document.dispatchEvent(new Event('mousemove')), 100);
}
