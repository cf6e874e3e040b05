import segmentPlugin from '@analytics/segment';
import Analytics from 'analytics';

export async function run({ host, writeKey, userId, story }) {
  const { seen, page, traits, order, group, left } = story;
  const customScriptSrc = `${host}/analytics.js/v1/${writeKey}/analytics.min.js`;
  const analytics = Analytics({ app: 'shop', plugins: [segmentPlugin({ writeKey, customScriptSrc })] });
  await new Promise((resolve) => analytics.ready(resolve));
  await analytics.track(seen.event, seen.properties);
  await analytics.page(page.properties);
  await analytics.identify(userId, traits);
  await analytics.track(order.event, order.properties);
  analytics.plugins.segment.group(group.id, group.traits);
  await analytics.reset();
  await analytics.track(left.event);
}
