import {
  buildEcommerceTransaction,
  buildEcommerceTransactionItem,
  buildPagePing,
  buildPageView,
  buildSelfDescribingEvent,
  buildStructEvent,
  newTracker,
} from '@snowplow/node-tracker';

export async function run({ host, writeKey, userId, anonymousId, options, story }) {
  let left = 0;
  let answered;
  const done = (events) => ((left -= events.length), answered());
  const tracker = newTracker(
    { namespace: 'sp', appId: writeKey },
    {
      endpoint: host,
      ...options.tracker,
      bufferSize: 100,
      onRequestSuccess: done,
      onRequestFailure: ({ events, willRetry }) => done(willRetry ? [] : events),
    },
  );
  tracker.setDomainUserId(anonymousId);
  tracker.setIpAddress(story.context.ip);
  tracker.setUseragent(story.context.userAgent);
  for (const [event, ...more] of visit(options, story)) {
    tracker.track(event, ...more);
    tracker.setUserId(userId);
    left++;
  }
  // The tracker sends again when it is flushed the next time, and never by itself.
  while (left > 0) {
    const answer = new Promise((resolve) => (answered = resolve));
    await tracker.flush();
    await answer;
  }
}

function* visit({ order, contexts, scroll }, { seen, page, timestamp }) {
  const { product_id: label, price: value } = seen.properties;
  const { order_id: orderId, total, currency, products } = order.data;
  const { sku, name, price, quantity } = products[0];
  const view = { pageUrl: 'https://shop.example/boats?utm_source=news', pageTitle: page.name };
  yield [buildStructEvent({ category: page.category, action: seen.event, label, property: 'price', value })];
  yield [buildPageView(view)];
  yield [buildPagePing({ ...view, ...scroll })];
  yield [buildSelfDescribingEvent({ event: order }), contexts, { type: 'ttm', value: Date.parse(timestamp) }];
  yield [buildEcommerceTransaction({ orderId, total, currency })];
  yield [buildEcommerceTransactionItem({ orderId, sku, name, price, quantity, currency })];
}
