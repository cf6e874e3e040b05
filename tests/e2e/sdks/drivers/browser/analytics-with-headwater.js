import Analytics from 'analytics';
import headwaterPlugin from '../../../../../gateway/script/plugins/analytics-plugin-headwater.js';

export async function run({ host, writeKey, userId, options, story }) {
  const { seen, page, traits, order, group, left } = story;
  if (options.script) await load(`${host}${options.script}`);
  const analytics = Analytics({ app: 'shop', plugins: [headwaterPlugin(options.waits ? {} : { host, writeKey })] });
  await analytics.track(seen.event, seen.properties);
  await analytics.page({ category: page.category, name: page.name, ...page.properties });
  await analytics.identify(userId, traits);
  await analytics.track(order.event, order.properties);
  analytics.plugins.headwater.group(group.id, group.traits);
  await analytics.reset();
  await analytics.track(left.event);
  if (options.later) await load(`${host}${options.later}`);
}

function load(src) {
  return new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement('script'), { src, onload: resolve, onerror: reject });
    document.head.append(script);
  });
}
